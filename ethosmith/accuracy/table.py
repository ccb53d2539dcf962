# SPDX-License-Identifier: Apache-2.0
"""Show NAME_accuracy.json files as a table, and say which limits are broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ethosmith.core.table import note, table
from ethosmith.core.terminal import Look

_HEAD = (
    *("use case", "on", "metric", "items", "float", "int8", "device"),
    *("int8 drop", "device drop", "limits", "verdict"),
)
_NUMBERS = frozenset({"items", "float", "int8", "device", "int8 drop", "device drop"})
_DROPS = ("max_drop.int8", "max_drop.device")


def table_text(results: Sequence[Mapping[str, Any]], look: Look) -> str:
    """Return the table and its notes.

    Args:
        results: contents of NAME_accuracy.json, at least one.
        look: what the output can show; a plain one gets words and spaces only.
    """
    shown = [name for name in _HEAD if name != "on" or _several(results)]
    rows = [[_cells(result)[name] for name in shown] for result in results]
    notes = "".join(note(text, look) for text in _notes(results))
    return table(shown, rows, _NUMBERS, look) + notes


def _several(results: Sequence[Mapping[str, Any]]) -> bool:
    return len({result["configuration"] for result in results}) > 1


def _cells(result: Mapping[str, Any]) -> dict[str, str]:
    values, drops = result["values"], result["drops"]
    return {
        "use case": result["usecase"],
        "on": result["configuration"],
        "metric": result["metric"].replace("_", " "),
        "items": str(result["set"]["items"]),
        **{name: _number(values.get(name)) for name in ("float", "int8", "device")},
        **{f"{name} drop": _number(drops.get(name)) for name in ("int8", "device")},
        "limits": _limits(result["limits"]),
        "verdict": _verdict(result),
    }


def _number(value: float | None) -> str:
    # Adding 0.0 makes a negative zero positive.
    return "-" if value is None else f"{value + 0.0:.4f}"


def _limits(limits: Mapping[str, float]) -> str:
    """Return the limit of the device's value, then those of the drops."""
    parts = [f"min {limits['minimum']:g}"] if "minimum" in limits else []
    parts += [f"max {limits['maximum']:g}"] if "maximum" in limits else []
    drops = [f"{limits[name]:g}" if name in limits else "-" for name in _DROPS]
    if any(name in limits for name in _DROPS):
        parts.append(f"drops {', '.join(drops)}")
    return "; ".join(parts) or "none"


def _verdict(result: Mapping[str, Any]) -> str:
    if result["broken"]:
        return "FAIL"
    if {"minimum", "maximum"} & result["limits"].keys():
        return "pass"
    return "drops ok" if result["limits"] else "not judged"


def _notes(results: Sequence[Mapping[str, Any]]) -> list[str]:
    notes = [_device_note(results)]
    for result in results:
        equal, items = result["device_outputs_equal_int8"], result["set"]["items"]
        if equal != items:
            notes.append(
                f"{result['usecase']} on {result['configuration']}: the device's output tensors"
                f" equal the host's in {equal} of {items} items only."
            )
    notes += [f"{result['usecase']}: {note}" for result in results for note in result["notes"]]
    return list(dict.fromkeys(notes))


def _device_note(results: Sequence[Mapping[str, Any]]) -> str:
    boards = (f"{r['simulator']['name']} {r['simulator']['version']}".strip() for r in results)
    on = "" if _several(results) else f" for {results[0]['configuration']}"
    note = f"Device: the firmware{on} on: {', '.join(dict.fromkeys(boards))}."
    if all(r["device_outputs_equal_int8"] == r["set"]["items"] for r in results):
        note += " Its output tensors equal the host's, byte for byte, for every item."
    return note


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
