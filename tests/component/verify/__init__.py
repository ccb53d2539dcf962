# SPDX-License-Identifier: Apache-2.0
"""Tests of quantisation and compilation."""
