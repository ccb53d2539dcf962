# SPDX-License-Identifier: Apache-2.0
"""Tests of what conditioning does to tensors of weights."""
