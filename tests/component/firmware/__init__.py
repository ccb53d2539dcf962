# SPDX-License-Identifier: Apache-2.0
"""Tests of the firmware: its portable parts on this computer, its faults on the board."""
