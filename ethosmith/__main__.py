# SPDX-License-Identifier: Apache-2.0
"""``python -m ethosmith``, and what ``./scons`` calls by its folder."""

import sys
from pathlib import Path

if __name__ == "__main__":
    if not __package__:
        # Called by its folder, which is no place to import from: `lib` would be ours.
        sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from ethosmith.cli import main

    sys.exit(main(sys.argv[1:], is_first=bool(__package__)))
