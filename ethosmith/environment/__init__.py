# SPDX-License-Identifier: Apache-2.0
"""Find, check and install what the build needs from the machine it runs on."""
