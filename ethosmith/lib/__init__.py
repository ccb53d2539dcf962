# SPDX-License-Identifier: Apache-2.0
"""What the build's steps call: readers of files, without SCons and without steps."""
