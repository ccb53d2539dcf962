# SPDX-License-Identifier: Apache-2.0
"""Run images on a simulator of the board, for build steps."""
