# SPDX-License-Identifier: Apache-2.0
"""C sources, headers and the linker script, generated from descriptors and the model."""
