# SPDX-License-Identifier: Apache-2.0
"""Tests of single modules: no process is started and no SCons imported."""
