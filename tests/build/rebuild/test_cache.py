# SPDX-License-Identifier: Apache-2.0
"""A second checkout takes from the build cache what the first one made, and proves it itself."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ethosmith.core.files import unfinished_below
from ethosmith.graph.build_cache import VARIABLE
from tests.build.rebuild.test_interrupted import differing
from tests.conftest import NewCopy
from tests.support.changes import DESCRIPTOR, steps
from tests.support.nginx import TOKEN, nginx
from tests.support.project_copy import ProjectCopy

_KWS = "usecase=kws"
_LABELS = "build/usecases/kws/generated/labels.c"
_LIBRARY = "build/fvp/lib/libnpu.a"
_RUN = steps("RUN IMAGE/kws.axf\nVERIFY IMAGE/kws_verified.json")


def other_checkout(folder: Path, cache: Path) -> ProjectCopy:
    return replace(ProjectCopy.fresh(folder), environment={VARIABLE: str(cache)})


@pytest.mark.long
def test_a_second_checkout_makes_nothing_but_runs_the_image(
    built: ProjectCopy, kws_cache: Path, tmp_path: Path
) -> None:
    project = other_checkout(tmp_path / "second", kws_cache)
    outcome = project.build(_KWS, "-j2")
    assert outcome.steps == _RUN
    assert f"CACHED    {_LIBRARY}\n" in outcome.stdout
    # As after any other build: what the device said, and the table.
    assert 'sample yes: answer="yes"' in outcome.stdout
    assert re.search(r"\n  yes +yes +right +0\.9961 +[\d,]+", outcome.stdout)
    assert differing(project, built) == []
    assert project.build(_KWS).steps == set()
    # Changed back and forth: the former outputs are there still.
    project.replace("usecases/kws/usecase.yaml", "on, off,", "on, OFF,")
    assert f"GENERATE {_LABELS}" in project.build(_LABELS).steps
    project.replace("usecases/kws/usecase.yaml", "on, OFF,", "on, off,")
    assert f"CACHED    {_LABELS}\n" in project.build(_LABELS).stdout
    assert project.build("run", _KWS).steps >= steps("RUN IMAGE/kws.axf")


@pytest.mark.long
def test_a_build_takes_from_a_server_what_another_wrote_with_its_token(tmp_path: Path) -> None:
    key, folders = "a key that a group of people has", (tmp_path / "ci", tmp_path / "desk")
    with nginx(tmp_path / "nginx") as server:
        for folder in folders:
            folder.mkdir()
        ci, desk = (
            replace(
                ProjectCopy.fresh(folder / "project"),
                environment={
                    VARIABLE: str(folder / "cache"),
                    "ETHOSMITH_BUILD_CACHE_KEY": key,
                    "REQUESTS_CA_BUNDLE": str(server.authority),
                },
            )
            for folder in folders
        )
        writing = {**ci.environment, "ETHOSMITH_BUILD_CACHE_TOKEN": TOKEN}
        outcome = replace(ci, environment=writing).build(_LABELS, f"cache={server.url}")
        assert f"GENERATE {_LABELS}" in outcome.steps, outcome.text
        assert f"CACHED    {_LABELS}\n" in desk.build(_LABELS, f"cache={server.url}").stdout
        assert desk.read(_LABELS) == ci.read(_LABELS)
    assert TOKEN not in outcome.text


@pytest.mark.long
def test_a_source_that_changes_while_it_is_read_is_kept_out(tmp_path: Path) -> None:
    """As when an editor, or git, writes files during a build."""
    cache = tmp_path / "cache"
    source, library = "firmware/npu/npu.c", "build/fvp/lib/libnpu.a"
    compiler, tools, once = shutil.which("arm-none-eabi-gcc"), tmp_path / "tools", tmp_path / "once"
    tools.mkdir()
    (tools / "arm-none-eabi-gcc").write_text(
        f'#!/bin/sh\ncase " $* " in *" {source} "*) mkdir "{once}" && echo >> {source} ;; esac\n'
        f'exec {compiler} "$@"\n'
    )
    (tools / "arm-none-eabi-gcc").chmod(0o755)

    def checkout(name: str) -> ProjectCopy:
        project = other_checkout(tmp_path / name, cache)
        path = f"{tools}:{os.environ['PATH']}"
        return replace(project, environment={**project.environment, "PATH": path})

    first = checkout("first")
    text = first.read(source)
    first.build(library)
    assert first.read(source) == f"{text}\n"
    second = checkout("second").build(library)
    assert {step.rsplit("/", 1)[-1] for step in second.steps} == {"npu.c.o"}, second.text


def test_damaged_entries_are_told_in_a_line_each_and_made_again(
    built: ProjectCopy, kws_cache: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "cache"
    shutil.copytree(kws_cache, mine)
    for number, path in enumerate(sorted(p for p in mine.rglob("*") if p.is_file())):
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] if number % 2 else data[:-1] + b"\0")
    project = other_checkout(tmp_path / "second", mine)
    outcome = project.build(_LIBRARY)
    warnings = [line for line in outcome.stdout.splitlines() if line.startswith("warning")]
    assert len(warnings) == len(outcome.steps) > 3
    assert all(line.endswith("is made again") for line in warnings)
    assert project.read_bytes(_LIBRARY) == built.read_bytes(_LIBRARY)
    (project.root / _LIBRARY).unlink()
    assert f"CACHED    {_LIBRARY}\n" in project.build(_LIBRARY).stdout


def test_a_dry_run_keeps_nothing(copy_of_built: NewCopy, tmp_path: Path) -> None:
    """The outputs that are there are those of before the change, under the name of the new ones."""
    project = copy_of_built(**{VARIABLE: str(tmp_path / "a cache")})
    project.replace(DESCRIPTOR, "on, off,", "on, OFF,")
    project.build("-n", _KWS, _LABELS)
    project.build(_KWS, _LABELS)
    assert '"OFF"' in project.read(_LABELS)


@pytest.mark.long
def test_another_compiler_finds_nothing_of_this_one(kws_cache: Path, tmp_path: Path) -> None:
    from tests.build.rebuild.test_rebuild import tool_that_reports

    project = other_checkout(tmp_path / "second", kws_cache)
    path = tool_that_reports(tmp_path / "bin", "arm-none-eabi-gcc")
    outcome = replace(project, environment={**project.environment, "PATH": path}).build(_LIBRARY)
    verbs = {step.split()[0] for step in outcome.steps}
    assert verbs == {"CC"}, "each object is compiled; the archive of equal ones is there"


@pytest.mark.long
def test_without_a_cache_nothing_is_read_or_written(kws_cache: Path, tmp_path: Path) -> None:
    project = other_checkout(tmp_path / "second", kws_cache)
    assert project.build(_LABELS, "cache=none").steps == {f"GENERATE {_LABELS}"}


@pytest.mark.long
def test_a_cache_that_cannot_be_written_is_read_and_told_once(
    kws_cache: Path, tmp_path: Path
) -> None:
    project = other_checkout(tmp_path / "second", kws_cache)
    project.replace("usecases/kws/usecase.yaml", "on, off,", "on, Off,")
    # Root may write everywhere, but not into a file as if it were a folder.
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "content").touch()
    outcome = project.build(_LABELS, "build/fvp/lib/libsupport.a", f"cache={blocked}")
    notes = [line for line in outcome.stdout.splitlines() if line.startswith("note:")]
    assert len(notes) == 1
    assert str(blocked) in notes[0]


@pytest.mark.slow
def test_builds_of_six_trees_at_once_with_one_cache_do_not_disturb_each_other(
    built: ProjectCopy, tmp_path: Path
) -> None:
    projects = [other_checkout(tmp_path / f"tree{n}", tmp_path / "cache") for n in range(6)]
    targets = (_LABELS, "build/fvp/lib/libsupport.a")
    for at_once in (projects, projects[:2]):
        with contextlib.ExitStack() as stack:
            running = [stack.enter_context(started(project, *targets)) for project in at_once]
            for process in running:
                said = process.communicate(timeout=120)[0]
                assert process.returncode == 0, said
                assert "warning" not in said
        for project in at_once:
            for target in targets:
                assert project.read_bytes(target) == built.read_bytes(target)
                (project.root / target).unlink()


@pytest.mark.slow
def test_a_build_that_is_killed_while_it_fetches_and_keeps_leaves_nothing_half(
    built: ProjectCopy, kws_cache: Path, tmp_path: Path
) -> None:
    """The next build of the tree and another tree with the same cache end with the right bytes."""
    mine = tmp_path / "cache"
    shutil.copytree(kws_cache, mine)
    # Some steps are fetched, others run and are kept.
    for path in sorted((mine / "steps").rglob("*"))[::2]:
        if path.is_file():
            path.unlink()
    targets = (_LABELS, _LIBRARY, "build/fvp/lib/libsupport.a")
    for line_count in (1, 4, 9):
        project = other_checkout(tmp_path / f"tree{line_count}", mine)
        with started(project, *targets, "-j2") as process:
            assert process.stdout is not None
            for _ in range(line_count):
                process.stdout.readline()
            process.kill()
            process.wait()
        project.build(*targets, _KWS)
        assert all(project.read_bytes(name) == built.read_bytes(name) for name in targets)
        assert [*unfinished_below(project.root / "build")] == []
    cached = other_checkout(tmp_path / "last", mine).build(*targets, _KWS).stdout
    assert "warning" not in cached
    assert "CC  " not in cached


@contextlib.contextmanager
def started(project: ProjectCopy, *words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        project.command(_KWS, *words),
        cwd=project.root,
        env={**os.environ, **project.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_the_size_of_the_cache_is_shown_and_kept_below_its_limit(
    kws_cache: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "cache"
    shutil.copytree(kws_cache, mine)
    project = other_checkout(tmp_path / "second", mine)
    assert re.search(r"\d+ steps, \d+ files, \d+\.\d MiB of at most 5\.0 GiB", shown(project))
    small = shown(project, "cache_limit_gib=0.0005")
    assert re.search(r" 0\.[0-4] MiB of at most 0\.5 MiB", small), small
    assert "no build cache" in shown(project, "cache=none")


def shown(project: ProjectCopy, *words: str) -> str:
    return project.build("cache", _KWS, *words).stdout
