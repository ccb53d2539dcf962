# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.support.campaigns NAME… [--count N] [--seed N]``: report what comes of each."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.support.campaigns.kinds import CAMPAIGNS
from tests.support.campaigns.runner import run


def main() -> int:
    """Run the campaigns that are named, or all, and return 1 if there are findings."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.campaigns")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CAMPAIGNS))
    parser.add_argument(
        "--count", type=int, help="attacks of each (default: of its whole campaign)"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = False
    for name in options.names or CAMPAIGNS:
        campaign = CAMPAIGNS[name]
        with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
            count = options.count or campaign.count
            tally = run(name, campaign, options.seed, count, Path(folder))
        sys.stdout.write(
            "".join(f"{line}\n" for line in (f"{name}: {tally}", *tally.findings[:50]))
        )
        sys.stdout.flush()
        found = found or bool(tally.findings)
    return int(found)


if __name__ == "__main__":
    sys.exit(main())
