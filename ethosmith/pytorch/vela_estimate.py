# SPDX-License-Identifier: Apache-2.0
"""Keep what Vela estimates of each part that ExecuTorch has it compile, and add the parts up.

ExecuTorch calls Vela's main() for each part, takes the command stream, and removes all else.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import parsing, read_text

_OUTPUT = "--output-dir="
# Columns of what every part adds to: all others are as the first part has them.
_ADDED_ENDS = ("_bytes", "_weights")
_ADDED_STARTS = ("cycles_", "passes_")
_ADDED = ("inference_time", "nn_macs", "off_chip_flash_memory_used", "on_chip_flash_memory_used")
# Parts run one after another, in the same memory.
_LARGEST = ("sram_memory_used", "dram_memory_used")

Row = dict[str, str]


@contextmanager
def kept_estimates() -> Iterator[list[Row]]:
    """Yield a list that takes the row of Vela's summary of each part that is compiled meanwhile."""
    from executorch.backends.arm import arm_vela  # noqa: PLC0415 takes seconds

    rows: list[Row] = []
    compile_part = arm_vela.vela.main

    def compile_and_keep(arguments: Sequence[str]) -> object:
        result = compile_part(arguments)
        folders = [one.removeprefix(_OUTPUT) for one in arguments if one.startswith(_OUTPUT)]
        for path in sorted(Path(folders[-1]).glob("*_summary_*.csv")):
            with parsing(path, "table"):
                rows.extend(csv.DictReader(read_text(path).splitlines(keepends=True)))
        return result

    arm_vela.vela.main = compile_and_keep
    try:
        yield rows
    finally:
        arm_vela.vela.main = compile_part


def whole_summary(shown: Path, rows: Sequence[Row]) -> str:
    """Return Vela's summary of one inference of all parts, CSV as Vela writes it.

    Args:
        shown: the network, for messages.
        rows: of each part.

    Raises:
        EthosmithError: Vela estimated nothing, or its table has other columns.
    """
    if not rows:
        raise EthosmithError(f"{shown}: Vela wrote no summary of what it compiled")
    with parsing(shown, "summary of Vela"):
        whole = {column: _whole(column, [row[column] for row in rows]) for column in rows[0]}
        seconds = float(whole["inference_time"])
        whole["inferences_per_second"] = repr(1 / seconds if seconds else 0.0)
        whole["nn_tops"] = repr(2e-12 * float(whole["nn_macs"]) / seconds if seconds else 0.0)
        whole["network"] = shown.stem
    text = io.StringIO()
    writer = csv.DictWriter(text, list(whole), lineterminator="\n")
    writer.writeheader()
    writer.writerow(whole)
    return text.getvalue()


def _whole(column: str, values: Sequence[str]) -> str:
    """Return one column of the whole, of those of the parts."""
    if len(values) == 1:
        return values[0]
    if column in _LARGEST:
        return repr(max(map(float, values)))
    if column in _ADDED or column.startswith(_ADDED_STARTS) or column.endswith(_ADDED_ENDS):
        return repr(sum(map(float, values)))
    return values[0]
