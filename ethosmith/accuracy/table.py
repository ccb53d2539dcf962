# SPDX-License-Identifier: Apache-2.0
"""Show NAME_accuracy.json files as a table, and say which limits are broken."""

from __future__ import annotations

import argparse
import io
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ethosmith.cli import run_step
from ethosmith.errors import EthosmithError
from ethosmith.report.progress import Look

_HEAD = (
    *("use case", "on", "metric", "items", "float", "int8", "device"),
    *("int8 drop", "device drop", "limits", "verdict"),
)
_NUMBERS = frozenset({"items", "float", "int8", "device", "int8 drop", "device drop"})
# Wide enough that nothing is broken into lines where no terminal says how wide it is.
_FILE_COLUMNS = 240
_SIGNS = {"minimum": "device >=", "maximum": "device <="}


def table_text(results: Sequence[Mapping[str, Any]], look: Look) -> str:
    """Return the table and its notes.

    Args:
        results: contents of NAME_accuracy.json.
        look: what the output can show; a plain one gets words and spaces only.
    """
    from rich import box  # noqa: PLC0415 only when a table is shown
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    text = io.StringIO()
    width = shutil.get_terminal_size().columns if look.live else _FILE_COLUMNS
    console = Console(
        file=text,
        width=width,
        force_terminal=look.colour,
        color_system="standard" if look.colour else None,
        highlight=False,
    )
    table = Table(box=box.SIMPLE_HEAD if look.live else None, pad_edge=look.live)
    for name in _HEAD:
        table.add_column(name, justify="right" if name in _NUMBERS else "left")
    for result in results:
        style = {"pass": "green", "FAIL": "bold red"}.get(_verdict(result), "")
        *cells, verdict = _cells(result)
        table.add_row(*cells, f"[{style}]{verdict}[/]" if style else verdict)
    console.print(table)
    lines = (line.rstrip() for line in text.getvalue().splitlines())
    return "\n".join([*lines, *_notes(results)]) + "\n"


def _cells(result: Mapping[str, Any]) -> list[str]:
    values, drops = result["values"], result["drops"]
    return [
        result["usecase"],
        result["configuration"],
        result["metric"],
        str(result["set"]["items"]),
        *(_number(values.get(name)) for name in ("float", "int8", "device")),
        *(_number(drops.get(name)) for name in ("int8", "device")),
        ", ".join(_limit(name, value) for name, value in result["limits"].items()) or "none",
        _verdict(result),
    ]


def _number(value: float | None) -> str:
    # Adding 0.0 makes a negative zero positive.
    return "-" if value is None else f"{value + 0.0:.4f}"


def _limit(name: str, value: float) -> str:
    column = name.removeprefix("max_drop.")
    sign = _SIGNS[name] if column == name else f"{column} drop <="
    return f"{sign} {value:g}"


def _verdict(result: Mapping[str, Any]) -> str:
    if result["broken"]:
        return "FAIL"
    return "pass" if result["limits"] else "no limits"


def _notes(results: Sequence[Mapping[str, Any]]) -> list[str]:
    notes = [_device_note(result) for result in results]
    notes += [f"{result['usecase']}: {note}" for result in results for note in result["notes"]]
    return list(dict.fromkeys(notes))


def _device_note(result: Mapping[str, Any]) -> str:
    simulator, items = result["simulator"], result["set"]["items"]
    name = f"{simulator['name']} {simulator['version']}".strip()
    return (
        f"{result['usecase']}: device is the firmware on: {name}; its output tensors equal"
        f" LiteRT's in {result['device_outputs_equal_int8']} of {items} items."
    )


def broken_text(result: Mapping[str, Any], broken: Mapping[str, Any]) -> str:
    """Return what is wrong about one broken limit, without the limit's place."""
    limit, value, allowed = broken["limit"], broken["value"], broken["allowed"]
    on = f"{result['usecase']} on {result['configuration']}"
    if limit.startswith("max_drop."):
        column = limit.removeprefix("max_drop.")
        before = {"int8": "float", "device": "int8"}[column]
        return (
            f"accuracy.{limit}: {on}: {result['metric']} is {value:g} worse from {before} to"
            f" {column}, more than {allowed:g}"
        )
    relation = "below" if limit == "minimum" else "above"
    return (
        f"accuracy.{limit}: {on}: {result['metric']} of the device is {value:g}, {relation}"
        f" {allowed:g}"
    )


def main(argv: Sequence[str]) -> None:
    """Print the table of some files; an error if a limit is broken."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.accuracy.table")
    parser.add_argument("files", type=Path, nargs="+", help="NAME_accuracy.json")
    results = [json.loads(path.read_text("utf-8")) for path in parser.parse_args(argv).files]
    sys.stdout.write(table_text(results, Look.of(sys.stdout)))
    problems = [broken_text(result, one) for result in results for one in result["broken"]]
    if problems:
        raise EthosmithError("; ".join(problems))


if __name__ == "__main__":
    sys.exit(run_step(main))
