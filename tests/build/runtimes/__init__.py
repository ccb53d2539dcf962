# SPDX-License-Identifier: Apache-2.0
"""Other runtimes than our own: whole builds by scons, checked against LiteRT."""
