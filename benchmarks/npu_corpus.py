# SPDX-License-Identifier: Apache-2.0
"""Run the whole operator corpus on every NPU configuration and count, or one case of it.

    python -m benchmarks.npu_corpus                      all on U55 and U65, three to eight minutes
    python -m benchmarks.npu_corpus --u85                all on U85, as long
    python -m benchmarks.npu_corpus --operator conv_2d   one row of the table
    python -m benchmarks.npu_corpus --case ID [--target ethos-u55-128/Shared_Sram]
    python -m benchmarks.npu_corpus --factor 5 --salt 1  five times the networks, chosen anew

Ends with status 1 if anything differs that tests/support/npu_corpus/known.py does not list.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from tests.support.npu_corpus.case import Case
from tests.support.npu_corpus.check import Check
from tests.support.npu_corpus.known import known_difference
from tests.support.npu_corpus.table import all_cases
from tests.support.npu_corpus.targets import TARGETS, U85_TARGETS, Target, target_named
from tests.support.npu_corpus.u85_table import u85_cases


@dataclass
class Tally:
    """Counts of one operator."""

    networks: int = 0
    runs: int = 0
    elements: int = 0
    different: int = 0
    largest: int = 0
    unexpected: list[str] = field(default_factory=list)


def run_case(case: Case, targets: Iterable[Target], tally: Tally) -> None:
    """Run a case on all targets and add to its operator's counts."""
    check = Check(case)
    tally.networks += 1
    for target in targets:
        known = known_difference(case, target.config.product)
        found = check.difference(target)
        tally.runs += 1
        tally.elements += found.elements
        tally.different += found.different
        tally.largest = max(tally.largest, found.largest)
        wrong = found.largest > (known.largest if known else 0)
        if known is not None and known.exact_with_tflm:
            wrong = wrong or bool(check.difference(target, from_tflm=True).different)
        if wrong:
            tally.unexpected.append(f"{case.id} on {target.name}: {found}")


def _report(tallies: dict[str, Tally], targets: Sequence[Target], seconds: float) -> None:
    print(f"{'operator':<26}{'networks':>9}{'runs':>8}{'elements':>12}{'differ':>9}{'largest':>9}")
    for operator, tally in tallies.items():
        print(
            f"{operator:<26}{tally.networks:>9}{tally.runs:>8}{tally.elements:>12}"
            f"{tally.different:>9}{tally.largest:>9}"
        )
    networks = sum(tally.networks for tally in tallies.values())
    runs = sum(tally.runs for tally in tallies.values())
    elements = sum(tally.elements for tally in tallies.values())
    print(f"{'all':<26}{networks:>9}{runs:>8}{elements:>12}")
    print(f"{networks} networks on each of {len(targets)} configurations, {seconds:.0f} s:")
    print("  " + ", ".join(target.name for target in targets))
    for tally in tallies.values():
        for line in tally.unexpected:
            print(f"NOT EXACT: {line}")


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.npu_corpus",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--operator", help="one row of the table")
    parser.add_argument("--case", help="id of one case")
    parser.add_argument("--u85", action="store_true", help="the configurations of Ethos-U85")
    parser.add_argument("--target", help="one configuration, such as ethos-u65-512/Sram_Only")
    parser.add_argument("--factor", type=int, default=1, help="times as many networks")
    parser.add_argument("--salt", type=int, default=0, help="for other random choices")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """Run what the command line asks for; 1 if anything differs unexpectedly."""
    given = _parse(argv)
    targets = list(U85_TARGETS if given.u85 else TARGETS)
    if given.target:
        targets = [target_named(given.target)]
    factor = given.factor
    cases = u85_cases(factor) if given.u85 else all_cases(factor)
    if given.case:
        cases = ({case.id: case for case in cases}[given.case],)
    tallies: dict[str, Tally] = defaultdict(Tally)
    start = time.perf_counter()
    for case in cases:
        if given.operator in (None, case.operator):
            run_case(replace(case, salt=given.salt), targets, tallies[case.operator])
    _report(tallies, targets, time.perf_counter() - start)
    return int(any(tally.unexpected for tally in tallies.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
