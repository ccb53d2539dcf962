# SPDX-License-Identifier: Apache-2.0
"""What the SCons side asks: which descriptors, which configuration, which files. No SCons here."""
