# SPDX-License-Identifier: Apache-2.0
"""Entry point of ``python -m open_board`` and of the command ``open-board``."""

import sys

from open_board.cli import main


def command() -> int:
    """Run the board with the process's arguments and return the exit status."""
    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(command())
