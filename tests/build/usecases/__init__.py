# SPDX-License-Identifier: Apache-2.0
"""The applications of the use cases, on this computer, against independent references."""
