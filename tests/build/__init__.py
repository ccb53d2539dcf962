# SPDX-License-Identifier: Apache-2.0
"""Tests that run the real scons on a copy of the project."""
