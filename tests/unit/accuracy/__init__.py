# SPDX-License-Identifier: Apache-2.0
"""How right the answers are: metrics, evaluation sets, limits."""
