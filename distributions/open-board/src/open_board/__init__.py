# SPDX-License-Identifier: Apache-2.0
"""Simulators of the Corstone-300 board: QEMU with our NPU model, and Arm's FVP."""

__version__ = "0.1.0"
