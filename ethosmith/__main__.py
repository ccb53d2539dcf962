# SPDX-License-Identifier: Apache-2.0
"""``python -m ethosmith``."""

import sys

from ethosmith.steps.command_line import main

if __name__ == "__main__":
    if sys.argv[1:2] != ["step"]:
        sys.stderr.write("usage: python -m ethosmith step NAME [SPEC | options]\n")
        sys.exit(2)
    sys.exit(main(sys.argv[2:]))
