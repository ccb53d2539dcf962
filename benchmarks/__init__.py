# SPDX-License-Identifier: Apache-2.0
"""Scripts that measure; each runs by itself."""
