# SPDX-License-Identifier: Apache-2.0
"""Run the whole operator corpus on every NPU configuration and count, or one case of it.

    python -m benchmarks.npu_corpus                      all on U55 and U65, three to eight minutes
    python -m benchmarks.npu_corpus --u85                all on U85, as long
    python -m benchmarks.npu_corpus --operator conv_2d   one row of the table
    python -m benchmarks.npu_corpus --case ID [--target ethos-u55-128/Shared_Sram]
    python -m benchmarks.npu_corpus --factor 5 --salt 1  five times the networks, chosen anew
    python -m benchmarks.npu_corpus --kept FILE --share 2/4   the second of four processes

With --kept each network's counts are appended to a file, networks in mixed order, and a later call
goes on where this one stopped; its report covers what the file holds.

Ends with status 1 if anything differs that tests/support/npu_corpus/known.py does not list.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ethosu_model.harness import NpuJobError
from tests.support.npu_corpus.case import Case
from tests.support.npu_corpus.check import Check
from tests.support.npu_corpus.known import known_difference
from tests.support.npu_corpus.table import all_cases
from tests.support.npu_corpus.targets import (
    TARGETS,
    U85_TARGETS,
    NotOnNpu,
    Target,
    target_named,
)
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

    def add(self, other: Tally) -> None:
        """Add the counts of other networks of the operator."""
        self.networks += other.networks
        self.runs += other.runs
        self.elements += other.elements
        self.different += other.different
        self.largest = max(self.largest, other.largest)
        self.unexpected += other.unexpected


class Kept:
    """Counts by operator, and, if there is a file, by network in it: one JSON object a line."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._done: set[str] = set()
        self.tallies: dict[str, Tally] = defaultdict(Tally)
        if path is not None and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                self._count(entry["key"], entry["operator"], Tally(**entry["tally"]))

    def has(self, key: str) -> bool:
        """Whether the network was counted before."""
        return key in self._done

    def add(self, key: str, operator: str, tally: Tally) -> None:
        """Count a network."""
        self._count(key, operator, tally)
        if self._path is not None:
            entry = {"key": key, "operator": operator, "tally": asdict(tally)}
            with self._path.open("a", encoding="utf-8") as out:
                out.write(json.dumps(entry) + "\n")

    def _count(self, key: str, operator: str, tally: Tally) -> None:
        self._done.add(key)
        self.tallies[operator].add(tally)


def run_case(case: Case, targets: Iterable[Target], tally: Tally) -> None:
    """Run a case on all targets and add to its operator's counts."""
    check = Check(case)
    tally.networks += 1
    for target in targets:
        known = known_difference(case, target.config.product)
        try:
            found = check.difference(target)
        except (NotOnNpu, NpuJobError) as error:
            tally.unexpected.append(f"{case.id} on {target.name}: {error}")
            continue
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
    parser.add_argument("--kept", type=Path, help="file of the counts so far")
    parser.add_argument("--share", default="1/1", help="which share of the networks, such as 2/4")
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
    share, shares = map(int, given.share.split("/"))
    kept = Kept(given.kept)
    start = time.perf_counter()
    if given.kept:
        cases = tuple(sorted(cases, key=lambda case: case.seed))
    for case in cases[share - 1 :: shares]:
        key = f"{given.salt} {case.id} {' '.join(target.name for target in targets)}"
        if given.operator in (None, case.operator) and not kept.has(key):
            tally = Tally()
            run_case(replace(case, salt=given.salt), targets, tally)
            kept.add(key, case.operator, tally)
    _report(kept.tallies, targets, time.perf_counter() - start)
    return int(any(tally.unexpected for tally in kept.tallies.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
