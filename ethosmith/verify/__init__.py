# SPDX-License-Identifier: Apache-2.0
"""The same network on the host, and its comparison with what the device said."""
