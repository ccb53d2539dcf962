# SPDX-License-Identifier: Apache-2.0
"""What every other package builds on; it imports nothing of ours."""
