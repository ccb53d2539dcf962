# SPDX-License-Identifier: Apache-2.0
"""Compilers: which are installed, their versions, and the flags of one build."""
