# SPDX-License-Identifier: Apache-2.0
"""Tests of what happens when the world misbehaves."""
