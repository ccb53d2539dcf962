# SPDX-License-Identifier: Apache-2.0
"""PyTorch networks: read, export, quantise, lower to TOSA, and run on the host.

Only steps of the environment ``pytorch`` import torch, inside functions.
"""
