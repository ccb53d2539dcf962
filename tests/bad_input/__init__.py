# SPDX-License-Identifier: Apache-2.0
"""What a user gets to read who made one mistake."""
