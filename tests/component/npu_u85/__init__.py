# SPDX-License-Identifier: Apache-2.0
"""The NPU model's Ethos-U85 against Vela's disassembly and LiteRT's reference kernels."""
