# SPDX-License-Identifier: Apache-2.0
"""What a change rebuilds, and what it does not, with the real tools."""
