# SPDX-License-Identifier: Apache-2.0
"""Tests of conditioned Keras networks, up to Vela's stream."""
