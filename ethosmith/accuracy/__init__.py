# SPDX-License-Identifier: Apache-2.0
"""Measure how right the float network, the int8 network and the device are."""
