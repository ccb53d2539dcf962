# SPDX-License-Identifier: Apache-2.0
"""What changed since the build before, for the report's pages: in brief, as a table, as lines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from markupsafe import Markup

from ethosmith.report.comparison import Figures
from ethosmith.report.diff import Change, ImageDiff
from ethosmith.report.history import Entry, History, entry_of
from ethosmith.report.pages import line

_IN_BRIEF = ("npu_cycles", "cpu_instructions", "flash_bytes", "ram_bytes")
_UNITS = {"npu_cycles": "cycles", "cpu_instructions": "instructions"}
_BYTES = "bytes"
_ACCURACY = "accuracy."


def diff_of(figures: Figures, history: History, build: Path, accuracy: Path | None) -> ImageDiff:
    """Return an image beside the build before, which may be unknown.

    Args:
        figures: of the image and its last run.
        history: of the builds before.
        build: the folder build/.
        accuracy: NAME_accuracy.json, where it was measured in this build.
    """
    now = entry_of(figures, build, figures.revision, accuracy)
    return ImageDiff(now, history.before(now))


def change_in_brief(diff: ImageDiff | None) -> str:
    """Return what differs of the main figures, in few words; nothing if there is no build before.

    Cycles of different simulators are not compared.
    """
    if diff is None or diff.before is None:
        return ""
    comparable = diff.before.simulator == diff.now.simulator
    names = [name for name in _IN_BRIEF if comparable or name.endswith("_bytes")]
    by_name = {change.figure: change for change in diff.changes}
    changes = [by_name[name] for name in names if name in by_name]
    texts = [f"{_signed(c.difference)} {c.title}" for c in changes if c.difference]
    texts += ["other answers"] if diff.answers else []
    return ", ".join(texts) or "figures the same"


def _signed(value: float | None) -> str:
    return f"{value or 0:+,.0f}"


def history_lines(history: History, now: Entry) -> list[tuple[str, Markup]]:
    """Return the title and the drawing of each main figure over all builds, the present one last.

    Nothing is drawn of a single build, and nothing of cycles of another simulator than now.
    """
    entries = history.entries(now.image)
    if not entries or entries[-1].identity != now.identity:
        entries.append(now)
    entries = [_comparable(entry, now) for entry in entries]
    accuracies = sorted(name for name in entries[-1].figures if name.startswith(_ACCURACY))
    found = []
    for number, name in enumerate([*_IN_BRIEF, *accuracies]):
        values = [entry.figures.get(name) for entry in entries]
        if sum(value is not None for value in values) > 1:
            title, unit = Change(name, None, None).title, _unit(name)
            found.append(
                (f"{title[:1].upper()}{title[1:]}", line(f"history-{number}", title, unit, values))
            )
    return found


def _unit(name: str) -> str:
    if name.startswith(_ACCURACY):
        return name.removeprefix(_ACCURACY)
    return _UNITS.get(name, _BYTES)


def _comparable(entry: Entry, now: Entry) -> Entry:
    if entry.simulator == now.simulator:
        return entry
    sizes = {name: value for name, value in entry.figures.items() if name.endswith("_bytes")}
    return replace(entry, figures=sizes)
