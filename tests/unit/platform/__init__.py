# SPDX-License-Identifier: Apache-2.0
"""Tests of platform descriptions and of what is generated from them."""
