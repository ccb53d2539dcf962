# SPDX-License-Identifier: Apache-2.0
"""Tests of parts with their tools: compilers, QEMU, Vela, git, TensorFlow; no scons."""
