# SPDX-License-Identifier: Apache-2.0
"""Build the libraries that are git repositories of their own; ninja keeps them current."""
