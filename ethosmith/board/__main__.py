# SPDX-License-Identifier: Apache-2.0
"""Entry point of ``python -m ethosmith.board``."""

import sys

from ethosmith.board.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
