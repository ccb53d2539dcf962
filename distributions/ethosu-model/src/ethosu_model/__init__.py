# SPDX-License-Identifier: Apache-2.0
"""Functional, bit-exact model of the Arm Ethos-U55 and Ethos-U65 NPUs."""

__version__ = "0.1.0"
