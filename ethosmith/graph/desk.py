# SPDX-License-Identifier: Apache-2.0
"""Targets for the daily work at the desk: doctor and diff."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ethosmith.core.bounded_run import run_within
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes
from ethosmith.environment.tools import find_program
from ethosmith.graph.build import Build
from ethosmith.graph.layout import BUILD
from ethosmith.installation import CLONE

if TYPE_CHECKING:
    from ethosmith.report.history import Entry, History

_DIFF = "diff"
HISTORY = BUILD / "history"
_MAX_BASELINE_BYTES = 16 << 20
_GIT_LIMIT_S = 20


def declare_doctor(build: Build) -> None:
    """Declare ``doctor`` for plain ``scons``; ``./scons`` answers it before SCons starts.

    Raises:
        EthosmithError: another target is beside it.
    """
    if "doctor" not in build.session.targets:
        return
    if len(build.session.targets) != 1:
        raise EthosmithError("'doctor' cannot be combined with other targets")
    form = build.session.values["format"]
    from ethosmith.environment import doctor

    build.engine.after("doctor", lambda: doctor.show(CLONE, form), shows=True)


def check_watch(build: Build) -> None:
    """Refuse ``watch``, which starts SCons and is not started by it.

    Raises:
        EthosmithError: plain ``scons`` was called.
    """
    if "watch" in build.session.targets and not build.engine.prints_help:
        raise EthosmithError("watch is a command of './scons' and 'ethosmith', not of plain scons")


def declare_history(build: Build) -> None:
    """Let a build that ran remember its figures, for a later ``diff``."""

    def remember() -> None:
        history = _history()
        for entry in _entries(build, {}):
            history.add(entry)

    for target in ("run", "report"):
        build.engine.after(target, remember, shows=True)


def declare_diff(build: Build) -> None:
    """Declare ``diff``: run every image, then compare its figures with those of another build.

    Raises:
        EthosmithError: ``baseline=`` or ``revision=`` is wrong, or there for nothing.
    """
    values, targets = build.session.values, build.session.targets
    if _DIFF not in targets:
        for option in ("baseline", "revision"):
            if values[option]:
                raise EthosmithError(f"{option}= is only valid with the target 'diff'")
        return
    measured = {image: _beside(image.axf, "accuracy") for image in build.images}
    accuracy = {Path(i.axf): path for i, path in measured.items() if path in build.made}
    kinds = ("verified", "manifest")
    files = [_beside(image.axf, kind) for image in build.images for kind in kinds]
    build.engine.alias(_DIFF, [*files, *accuracy.values()])
    baseline = _baseline(build)
    build.show_after(_DIFF, lambda: _show_diff(build, accuracy, baseline))


def _beside(axf: str, kind: str) -> Path:
    stem = Path(axf).with_suffix("")
    return stem.with_name(f"{stem.name}_{kind}.json")


def _history() -> History:
    from ethosmith.report.history import History

    return History(HISTORY)


def _entries(build: Build, accuracy: Mapping[Path, Path]) -> list[Entry]:
    from ethosmith.report.comparison import figures_of
    from ethosmith.report.history import entry_of

    figures = figures_of([Path(image.axf).with_suffix("") for image in build.images])
    revision = _clean_revision(build.project.root)
    return [
        entry_of(one, BUILD, revision, accuracy.get(one.stem.with_suffix(".axf")))
        for one in figures
    ]


def _show_diff(build: Build, accuracy: Mapping[Path, Path], baseline: _Baseline) -> None:
    from ethosmith.report.diff import ImageDiff, github_text, json_text, table_text

    history, entries = _history(), _entries(build, accuracy)
    diffs = [ImageDiff(entry, baseline.build_of(entry, history)) for entry in entries]
    for entry in entries:
        history.add(entry)
    form = build.session.values["format"]
    if form == "json":
        build.answer(json_text(diffs, baseline.title))
        return
    build.answer(f"\n{table_text(diffs, baseline.title)}")
    if form == "github":
        build.answer(github_text(diffs))


@dataclass(frozen=True)
class _Baseline:
    """What is compared with.

    Attributes:
        title: for people.
        saved: the builds of a file, by image; None: those of the history.
        commit: whose builds of the history; empty: the build before.
    """

    title: str = "the build before"
    saved: Mapping[str, Entry] | None = None
    commit: str = ""

    def build_of(self, now: Entry, history: History) -> Entry | None:
        """Return the build to compare ``now`` with; None: there is none."""
        if self.saved is not None:
            return self.saved.get(now.image)
        if not self.commit:
            return history.before(now)
        found = history.at_revision(now.image, self.commit)
        if found is None:
            raise EthosmithError(
                f"{self.title}: {HISTORY} has no build of {now.image} at commit"
                f" {self.commit[:12]} without changes; build it at that commit, or compare with a"
                " file: baseline="
            )
        return found


def _baseline(build: Build) -> _Baseline:
    """Return what ``baseline=`` and ``revision=`` name; both: a file as a commit has it."""
    from ethosmith.report.history import read_baseline

    root = build.project.root
    name, revision = (build.session.values[option] for option in ("baseline", "revision"))
    commit = _commit(root, revision) if revision else ""
    if not name:
        return _Baseline(f"revision={revision}", commit=commit) if revision else _Baseline()
    if not commit:
        text = read_bytes(root / name, limit_bytes=_MAX_BASELINE_BYTES)
        return _Baseline(name, read_baseline(text, f"baseline={name}"))
    found = _git(root, "show", f"{commit}:./{name}")
    if found is None:
        raise EthosmithError(f"baseline={name}: no such file in the commit {revision}")
    title = f"{name} of {revision}"
    return _Baseline(title, read_baseline(found, title))


def _commit(root: Path, revision: str) -> str:
    command = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    found = _git(root, *command)
    if not found:
        raise EthosmithError(f"revision={revision}: not a commit of the project's git repository")
    return found.decode("ascii", "replace").strip()


def _clean_revision(root: Path) -> str:
    """Return the commit that the project is at; empty if a file differs from it, or without git."""
    changed = _git(root, "status", "--porcelain", "--", ".")
    if changed is None or changed:
        return ""
    return (_git(root, "rev-parse", "--verify", "--quiet", "HEAD") or b"").decode().strip()


def commit_text(root: Path) -> str:
    """Return the commit of a folder and its date, for people; empty without git."""
    found = _git(root, "show", "--no-patch", "--format=%h of %cs", "HEAD", "--")
    if not found:
        return ""
    changed = "" if _clean_revision(root) else ", with changes that are not committed"
    return f"commit {found.decode('utf-8', 'replace').strip()}{changed}"


def _git(root: Path, *arguments: str) -> bytes | None:
    """Return the output of a git command; None: it failed, or there is no git.

    Variables such as GIT_DIR, which would name another repository, do not count.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        command = [str(find_program("git")), *arguments]
        done = run_within(command, _GIT_LIMIT_S, folder=root, environment=environment)
    except EthosmithError:
        return None
    return done.stdout if done.returncode == 0 else None
