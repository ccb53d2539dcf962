# SPDX-License-Identifier: Apache-2.0
"""A page on this computer that hands sounds and pictures to firmware on the open board."""
