# SPDX-License-Identifier: Apache-2.0
"""Condition a float network for the NPU: fewer weights, fewer values, ready for int8."""
