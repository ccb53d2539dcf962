# SPDX-License-Identifier: Apache-2.0
"""Obtain files from registries, URLs and folders: verified, cached, never half-written."""
