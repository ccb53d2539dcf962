# SPDX-License-Identifier: Apache-2.0
"""Hostile files by the thousand, made from good ones, and what comes of each."""
