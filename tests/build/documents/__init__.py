# SPDX-License-Identifier: Apache-2.0
"""README.md and docs/ say what is true: their commands run, their site is built."""
