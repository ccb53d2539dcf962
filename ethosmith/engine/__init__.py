# SPDX-License-Identifier: Apache-2.0
"""SCons behind the functions of `ethosmith.graph`: only the build's own process imports this."""
