# SPDX-License-Identifier: Apache-2.0
"""Tests of the build steps as such: their process, their page, what they import."""
