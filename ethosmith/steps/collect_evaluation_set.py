# SPDX-License-Identifier: Apache-2.0
"""Collect an evaluation set: given files, a folder of labelled files, what a script makes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ethosmith.steps.step import Inputs, Output, Step, step


@step(
    verb="ITEMS",
    packages=(
        "numpy",
        "pillow",
        "soundfile",
        "soxr",
    ),
)
class CollectEvaluationSet(Step):
    """Collect an evaluation set: given items, a folder of labelled files, what a script makes.

    Attributes:
        labels: those that an item may have; none: any text.
        suffixes: of files that the use case takes, such as ``.wav``.
        form: what the use case takes; ``UseCase.sample_form``.
        items: ``name``, ``expect`` and ``file`` (as the device takes it) of each given item.
        item_files: their files.
        folder: a folder of labelled files.
        folder_files: all files in it.
        folder_names: their names below it, which give their labels.
        script: makes ``count`` items from ``seed``, and may vary the given ones.
        script_files: the script and the code that it imports.
        seed: for the script.
        count: for the script.
        tools: name and version of the programs that the script calls.
        output: the set: labelled samples as the device takes them.
    """

    labels: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    form: Mapping[str, Any] | None = None
    items: Any = ()
    item_files: Inputs = ()
    folder: Path | None = None
    folder_files: Inputs = ()
    folder_names: tuple[str, ...] = ()
    script: Path | None = None
    script_files: Inputs = ()
    seed: int | None = None
    count: int | None = None
    tools: tuple[str, ...] = ()
    output: Output

    def run(self) -> None:
        """Collect the items and write the set."""
        from ethosmith.accuracy.evaluation_set import (
            Accepted,
            Script,
            collected,
            given_items,
            items_of_folder,
        )
        from ethosmith.accuracy.set_file import write_set
        from ethosmith.lib.sample_formats import SampleForm

        accepted = Accepted(self.suffixes, self.labels, SampleForm.of(self.form or {}))
        given = given_items(self.items, accepted)
        folder = items_of_folder(self.folder, accepted) if self.folder else []
        script = Script(self.script, self.seed or 0, self.count or 0) if self.script else None
        write_set(self.output, collected(given, folder, script, accepted))
