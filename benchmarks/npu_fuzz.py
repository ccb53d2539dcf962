# SPDX-License-Identifier: Apache-2.0
"""Corrupt networks for as long as wanted and tell how the NPU model took it.

    python -m benchmarks.npu_fuzz --minutes 10 --seed 7
    python -m benchmarks.npu_fuzz --seed 7 --first 1234 --count 1    one attack again

Ends with status 1 if any attack raised an exception.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from tests.support.npu_fuzz.fuzzer import Attack, Campaign, resident_bytes, victims

_MIB = 1 << 20


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.npu_fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="index of the first attack")
    parser.add_argument("--count", type=int, help="this many attacks")
    parser.add_argument("--minutes", type=float, default=10.0, help="unless --count is given")
    return parser.parse_args(argv)


def _report(campaign: Campaign, seconds: float) -> None:
    print(f"{campaign.endings.total() + len(campaign.crashes)} attacks in {seconds:.0f} s")
    for ending, count in campaign.endings.most_common():
        print(f"  {ending:<20}{count:>9}")
    print(f"slowest: {campaign.slowest_s:.2f} s of processor time, {campaign.slowest}")
    print(f"largest resident size grew by {campaign.grown_bytes // _MIB} MiB")
    for crash in campaign.crashes:
        print(f"CRASH: {crash}")


def main(argv: Sequence[str]) -> int:
    """Run the attacks that the command line asks for; 1 if any raised."""
    given = _parse(argv)
    victims()
    before, start = resident_bytes(), time.perf_counter()
    campaign, index = Campaign(), given.first
    while (
        index < given.first + given.count
        if given.count is not None
        else time.perf_counter() - start < 60 * given.minutes
    ):
        campaign.attack(Attack(given.seed, index))
        index += 1
    campaign.grown_bytes = resident_bytes() - before
    _report(campaign, time.perf_counter() - start)
    return int(bool(campaign.crashes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
