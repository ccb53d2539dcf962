# SPDX-License-Identifier: Apache-2.0
"""Whole trained networks: the NPU model against LiteRT's reference kernels, bit for bit."""
