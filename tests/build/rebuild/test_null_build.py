# SPDX-License-Identifier: Apache-2.0
"""Without SCons, only what SCons would say: any change, of anything, and it is asked."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ethosmith.environment import null_build
from tests.build.rebuild.test_content import cut, flip, put_another
from tests.support import needs
from tests.support.changes import DESCRIPTOR, PLATFORM
from tests.support.project_copy import ProjectCopy

_WORDS = ("usecase=kws", "cache=none")
_IMAGE = "build/fvp/ethos-u55-128-shared_sram"
_TIME_LIMIT_S = 60


@dataclass(frozen=True)
class Recorded:
    """A project whose build has left a record, and what SCons says when nothing has changed."""

    project: ProjectCopy
    said: str

    @property
    def root(self) -> Path:
        return self.project.root

    @property
    def record(self) -> Path:
        return self.root / null_build.place([*_WORDS])

    def ask(
        self, *words: str, folder: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Ask as ``./scons`` does."""
        return subprocess.run(
            [sys.executable, "-I", "-S", null_build.__file__, *words],
            cwd=folder or self.root,
            env={**self.project.process_environment, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=_TIME_LIMIT_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    @property
    def answers(self) -> bool:
        """Whether it answers, which has to be what SCons says."""
        done = self.ask(*_WORDS)
        assert done.stderr == ""
        assert done.stdout == ("" if done.returncode else self.said)
        return done.returncode == 0


def git(root: Path, *words: str) -> None:
    user = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    subprocess.run([needs.program("git"), *user, *words], cwd=root, check=True, capture_output=True)


@pytest.fixture(scope="module")
def recorded(built: ProjectCopy, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("recorded")
    project = built.copy(folder / "a project")
    for name, program in (("bin", "cc"), ("first", "")):
        (folder / name).mkdir()
        if program:
            (folder / name / program).write_text(f'#!/bin/sh\nexec {shutil.which(program)} "$@"\n')
            (folder / name / program).chmod(0o755)
    git(project.root, "init", "--quiet")
    git(project.root, "commit", "--quiet", "--allow-empty", "-m", "one")
    path = f"{folder}/first:{folder}/bin:{os.environ['PATH']}"
    # pytest's own variable changes between a test's phases.
    environment = {"PATH": path, "SCONSFLAGS": "-Q", "PYTEST_CURRENT_TEST": ""}
    project = replace(project, environment=environment)
    # The first run compiles some files with the tool that is new to it.
    assert Recorded(project, scons(project)[-200:]).ask(*_WORDS).returncode == 0
    recorded = Recorded(project, scons(project))
    assert recorded.answers
    return recorded


def scons(project: ProjectCopy) -> str:
    command = [sys.executable, "-m", "SCons", *_WORDS]
    done = subprocess.run(
        command,
        cwd=project.root,
        env={**project.process_environment, "ETHOSMITH_EXPLAIN_RECORD": ""},
        capture_output=True,
        text=True,
        timeout=600,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextlib.contextmanager
def put_back(path: Path) -> Iterator[None]:
    """Undo what the block does to a file, and see to it that it did something."""
    before = path.stat() if path.exists() else None
    content = path.read_bytes() if before else None
    try:
        yield
        assert (path.read_bytes() if path.exists() else None) != content
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_bytes(content or b"")
            path.chmod(before.st_mode)
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def write(path: Path) -> None:
    path.write_text("something else\n", "utf-8")


def remove(path: Path) -> None:
    path.unlink()


def tool(path: Path) -> None:
    path.write_text("#!/bin/sh\nexit 1\n", "utf-8")
    path.chmod(0o755)


_FILES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "source": ("firmware/npu/npu.c", flip),
    "header": ("firmware/runtime/labels.h", flip),
    "header of a package": (
        "build/packages/pymicro-features-2.0.2/tensorflow/lite/experimental/microfrontend/lib/fft.h",
        flip,
    ),
    "descriptor": (DESCRIPTOR, flip),
    "descriptor of the platform": (PLATFORM, flip),
    "descriptor of another use case": ("usecases/new/usecase.yaml", write),
    "descriptor of a library that is gone": ("libraries/npu.yaml", remove),
    "code of a step": ("ethosmith/steps/generate_labels.py", flip),
    "code of the graph": ("ethosmith/graph/layout.py", flip),
    "code of a tool": ("site_scons/site_tools/steps.py", flip),
    "SConstruct": ("SConstruct", flip),
    "template": ("ethosmith/steps/generate_linker_script.ld.j2", flip),
    "a module that would be found first": ("pydantic.py", write),
    "a file that SCons reads first": ("site_scons/site_init.py", write),
    "version of a package": ("numpy-0.1.dist-info", write),
    "the compiler": ("../bin/cc", tool),
    "another compiler earlier on the PATH": ("../first/cc", tool),
    "a simulator": ("../first/FVP_Corstone_SSE-300_Ethos-U55", tool),
    "a launcher": ("../first/ccache", tool),
    "network": ("build/usecases/kws/ds_cnn_int8.tflite", flip),
    "image": (f"{_IMAGE}/kws.axf", flip),
    "image, cut": (f"{_IMAGE}/kws.axf", cut),
    "object": ("build/fvp/lib/npu/own/npu.c.o", put_another),
    "archive": ("build/fvp/lib/libnpu.a", remove),
    "page": (f"{_IMAGE}/kws.htm", flip),
    "manifest": (f"{_IMAGE}/kws_manifest.json", flip),
    "result": (f"{_IMAGE}/kws_verified.json", flip),
    "a build that runs, or was killed": ("build/.lock", write),
    "a header that would be found first": ("build/usecases/kws/generated/labels.h", write),
}


@pytest.mark.parametrize("kind", _FILES)
def test_a_changed_file_is_a_matter_for_scons(kind: str, recorded: Recorded) -> None:
    name, change = _FILES[kind]
    path = recorded.root / name
    made = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    with put_back(path):
        change(path)
        assert not recorded.answers
    for folder in made:
        folder.rmdir()
    assert recorded.answers


def test_a_commit_is_a_matter_for_scons(recorded: Recorded) -> None:
    git(recorded.root, "commit", "--quiet", "--allow-empty", "-m", "two")
    assert not recorded.answers
    git(recorded.root, "reset", "--quiet", "--soft", "HEAD~1")
    assert recorded.answers


@pytest.mark.parametrize("name", ["CFLAGS", "ETHOSMITH_BUILD_CACHE", "LANG", "NEW", "PYTHONPATH"])
def test_an_environment_variable_is_a_matter_for_scons(name: str, recorded: Recorded) -> None:
    assert recorded.ask(*_WORDS, environment={name: "/nowhere"}).returncode == 1
    assert recorded.answers


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("usecase=kws",),
        (*reversed(_WORDS),),
        (*_WORDS, "npu=ethos-u55-64"),
        (*_WORDS, "-n"),
        (*_WORDS, "-c"),
        (*_WORDS, "-k"),
        (*_WORDS, "-q"),
        (*_WORDS, "-Q"),
        (*_WORDS, "--debug=explain"),
        (*_WORDS, "run"),
        ("run", *_WORDS),
        (*_WORDS, "-j2"),
    ],
)
def test_other_words_are_a_matter_for_scons(words: tuple[str, ...], recorded: Recorded) -> None:
    # Even if the record were where it is looked for.
    other = recorded.root / null_build.place([*words])
    shutil.copyfile(recorded.record, other)
    try:
        done = recorded.ask(*words)
    finally:
        other.unlink()
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",  # noqa: ARG005
        lambda data: data[:-1],
        lambda data: data.replace(b"Answers: ", b"Answer:  "),
        lambda data: data.replace(b"unchanged 1", b"unchanged 2"),
        lambda data: null_build.encode({**null_build.decode(data), "answer": []}),
    ],
)
def test_a_damaged_record_is_a_matter_for_scons(
    damage: Callable[[bytes], bytes], recorded: Recorded
) -> None:
    content = recorded.record.read_bytes()
    recorded.record.write_bytes(damage(content))
    assert not recorded.answers
    recorded.record.write_bytes(content)
    assert recorded.answers


def test_another_folder_is_a_matter_for_scons(recorded: Recorded, tmp_path: Path) -> None:
    """A copy has the record of the folder that it was copied from."""
    copy = replace(recorded, project=recorded.project.copy(tmp_path / "a copy"))
    assert not copy.answers
    assert recorded.ask(*_WORDS, folder=recorded.root / "usecases").returncode == 1


def test_what_no_build_asks_for_does_not_matter(recorded: Recorded) -> None:
    (recorded.root / "firmware/notes.txt").write_text("mine", "utf-8")
    (recorded.root / "build/fvp/mine").write_text("mine", "utf-8")
    os.utime(recorded.root / "firmware/npu/npu.c")
    assert recorded.answers
    assert recorded.ask(*_WORDS, environment={"SHLVL": "7", "OLDPWD": "/"}).stdout == recorded.said


def test_a_build_that_fails_has_no_record(recorded: Recorded, tmp_path: Path) -> None:
    project = recorded.project.copy(tmp_path / "failing")
    project.append("firmware/npu/npu.c", "#error no\n")
    done = subprocess.run(
        [sys.executable, "-m", "SCons", *_WORDS],
        cwd=project.root,
        env=project.process_environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert not (project.root / null_build.place([*_WORDS])).exists()
