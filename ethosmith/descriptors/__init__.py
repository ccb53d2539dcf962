# SPDX-License-Identifier: Apache-2.0
"""Schemas of the YAML descriptors, with errors that name file, line and column."""
