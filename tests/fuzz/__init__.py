# SPDX-License-Identifier: Apache-2.0
"""libFuzzer's targets for the C that reads foreign bytes, and atheris's for Python's readers."""
