# SPDX-License-Identifier: Apache-2.0
"""Make the folder of a new use case: from a template, or from another use case."""
