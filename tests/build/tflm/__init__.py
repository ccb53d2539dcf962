# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite Micro as the runtime: images on the board, and what Arm's own build tells."""
