# SPDX-License-Identifier: Apache-2.0
"""From the linked image to what a board loads and a person reads: sectors, fit, memory page."""
