# SPDX-License-Identifier: Apache-2.0
"""Ethos-U85: what differs from Ethos-U55 and U65; the rest is shared with them."""
