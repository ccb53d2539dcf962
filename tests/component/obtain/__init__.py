# SPDX-License-Identifier: Apache-2.0
"""Tests of how files are obtained; nothing leaves this machine."""
