# SPDX-License-Identifier: Apache-2.0
"""Tests. One package, so that no folder of it hides a module of the standard library."""
