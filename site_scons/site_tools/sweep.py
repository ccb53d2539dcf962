# SPDX-License-Identifier: Apache-2.0
"""Declare the sweep: all images of a call side by side: `ethosmith.report.sweep`."""

import atexit
import sys
from pathlib import Path
from typing import Any

from SCons.Action import Action
from SCons.Node import executed, up_to_date
from SCons.Script import GetBuildFailures

from ethosmith.core.files import write_text
from ethosmith.graph.layout import BUILD
from ethosmith.graph.untold import untold
from ethosmith.report.comparison import figures_of
from ethosmith.report.sweep import csv_text, table_text

_TABLE = f"{BUILD}/sweep.csv"


def sweep_table(env: Any) -> None:
    """Declare the alias ``sweep``: run every image, then show the table."""
    if "sweep" not in env["SESSION"].targets:
        return
    needed = [node for image in env["BUILT_IMAGES"] for node in _files(image)]
    env.AlwaysBuild(env.Alias("sweep", needed, Action(_show_all, untold)))
    if not env.GetOption("no_exec"):
        atexit.register(_show_rest, env)


def _files(image: Any) -> list[str]:
    return [image.verified, f"{_stem(image)}_manifest.json"]


def _stem(image: Any) -> Path:
    return Path(image.axf).with_suffix("")


def _show_all(target: Any, source: Any, env: Any) -> None:
    del target, source
    _show(env, env["BUILT_IMAGES"])


def _show_rest(env: Any) -> None:
    """Show what ran, where something failed: with -k, that is all the others."""
    if GetBuildFailures():
        done = {executed, up_to_date}
        images = env["BUILT_IMAGES"]
        _show(env, [i for i in images if all(env.File(f).get_state() in done for f in _files(i))])


def _show(env: Any, images: Any) -> None:
    figures = figures_of([_stem(image) for image in images])
    write_text(Path(_TABLE), csv_text(figures))
    sys.stdout.write("\n" + table_text(figures, env["SESSION"].left_out))
    sys.stdout.write(f"Written to {_TABLE}. For pages of them add the target report.\n")


def exists(env: Any) -> bool:
    """Say that the tool can be used: it needs nothing."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the method `SweepTable`."""
    env.AddMethod(sweep_table, "SweepTable")
