# SPDX-License-Identifier: Apache-2.0
"""Tests of ./scons on small projects of their own; nothing leaves this machine."""
