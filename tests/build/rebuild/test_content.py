# SPDX-License-Identifier: Apache-2.0
"""Content decides: other bytes under the old size and time, of each kind of input and output."""

from __future__ import annotations

import os
import shutil
import struct
import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.build.rebuild.test_rebuild import change_weights, tool_that_reports
from tests.support.changes import PLATFORM, steps
from tests.support.project_copy import ProjectCopy

_KWS = "usecase=kws"
# Long past: SCons by itself does not look into such a file again.
_OLD_NS = 946_684_800 * 10**9
_OWN = "build/usecases/kws@net@words@sounds"
_OWN_FILES = (_KWS, "model=net.h5", "labels=words.txt", "samples=sounds")
_PICTURE = "build/usecases/img_class@pictures/samples/grey.bin"
_PICTURES = ("usecase=img_class", "samples=pictures")
_LABELS, _SOUND = f"{_OWN}/generated/labels.c", f"{_OWN}/samples/beep.bin"


def write_sound(path: Path, level: int) -> None:
    path.parent.mkdir(exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes(struct.pack("<h", level) * 16000)


def write_picture(path: Path, level: int) -> None:
    from PIL import Image

    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (32, 32), (level, level, level)).save(path, compress_level=0)


@pytest.fixture(scope="module")
def project(built: ProjectCopy, tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """The built project with files of the user's own, all of them old."""
    folder = tmp_path_factory.mktemp("old")
    project = built.copy(folder / "project")
    root = project.root
    (root / "net.h5").write_bytes(built.read_bytes("build/usecases/kws/model/keyword_spotting.h5"))
    (root / "words.txt").write_text("".join(f"word {n:02}\n" for n in range(12)), "utf-8")
    write_sound(root / "sounds/beep.wav", 1000)
    write_picture(root / "pictures/grey.png", 100)
    for path in root.rglob("*"):
        if path.is_file() and "build" not in path.parts:
            os.utime(path, ns=(_OLD_NS, _OLD_NS))
    project.build(_KWS)
    project.build(*_OWN_FILES, f"{_OWN}/input_shape.json", _LABELS, _SOUND)
    project.build(*_PICTURES, _PICTURE)
    return project


def in_place(path: Path, edit: Callable[[Path], None]) -> None:
    """Edit a file; its size stays, and its time is put back."""
    before, content = path.stat(), path.read_bytes()
    edit(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.read_bytes() != content
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, _OLD_NS)


def other_remark(path: Path) -> None:
    """Write another word into a remark; in a script, into its last line."""
    text = path.read_text("utf-8")
    old = next(word for word in ("SPDX", "another", "figures", "Generated") if word in text)
    path.write_text(text.replace(old, old.swapcase(), 1), "utf-8")


def exchange(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


def other_label(path: Path) -> None:
    path.write_text(path.read_text("utf-8").replace("word 00", "word 99"), "utf-8")


_INPUTS = {
    "network": (
        "net.h5",
        change_weights,
        (*_OWN_FILES, f"{_OWN}/input_shape.json"),
        f"SHAPE {_OWN}/input_shape.json",
    ),
    "label": ("words.txt", other_label, (*_OWN_FILES, _LABELS), f"GENERATE {_LABELS}"),
    "sound": (
        "sounds/beep.wav",
        lambda path: write_sound(path, 2000),
        (*_OWN_FILES, _SOUND),
        f"SAMPLE {_SOUND}",
    ),
    "picture": (
        "pictures/grey.png",
        lambda path: write_picture(path, 200),
        (*_PICTURES, _PICTURE),
        f"SAMPLE {_PICTURE}",
    ),
    "C": ("firmware/npu/npu.c", other_remark, (_KWS,), "CC SHARED/npu/own/npu.c.o"),
    "header": (
        "firmware/runtime/labels.h",
        other_remark,
        (_KWS,),
        "CC IMAGE/lib/runtime/own/main.c.o",
    ),
    "YAML": (
        PLATFORM,
        lambda path: exchange(path, "size_kib: 2048", "size_kib: 1024"),
        (_KWS,),
        "GENERATE IMAGE/generated/memory.ld",
    ),
    "template": (
        "ethosmith/steps/generate_linker_script.ld.j2",
        other_remark,
        (_KWS,),
        "GENERATE IMAGE/generated/memory.ld",
    ),
    "Python": (
        "ethosmith/steps/generate_labels.py",
        lambda path: exchange(path, "const uint32_t label_count", "uint32_t const label_count"),
        (_KWS,),
        "GENERATE USECASE/generated/labels.c",
    ),
}
_LONG = ("YAML",)


@pytest.mark.parametrize(
    "kind",
    [pytest.param(one, marks=[pytest.mark.long] if one in _LONG else []) for one in _INPUTS],
)
def test_an_input_with_other_bytes_and_the_same_time(kind: str, project: ProjectCopy) -> None:
    name, edit, words, step = _INPUTS[kind]
    in_place(project.root / name, edit)
    assert steps(step) <= project.build(*words).steps


@pytest.mark.long
def test_a_tool_with_other_bytes_and_the_same_time(built: ProjectCopy, tmp_path: Path) -> None:
    path = tool_that_reports(tmp_path / "bin", "cc")
    project = built.copy(tmp_path / "project", PATH=path)
    os.utime(tmp_path / "bin/cc", ns=(_OLD_NS, _OLD_NS))
    project.build(_KWS)
    in_place(tmp_path / "bin/cc", other_remark)
    assert steps("CC USECASE/host/labels.c.o") <= project.build(_KWS).steps


def flip(path: Path) -> None:
    """Invert up to 64 bytes in the middle of a file and put its time back."""
    before, content = path.stat(), bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(~byte & 255 for byte in content[middle : middle + 64])
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def put_another(path: Path) -> None:
    """Replace a file, as if another build had made it."""
    path.unlink()
    path.write_text("foreign\n", "utf-8")
    os.utime(path, ns=(_OLD_NS, _OLD_NS))


@pytest.fixture(scope="module")
def cached(
    built: ProjectCopy, kws_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> ProjectCopy:
    """The built project with a cache that holds all steps."""
    folder = tmp_path_factory.mktemp("cached")
    return built.copy(folder / "project", ETHOSMITH_BUILD_CACHE=str(kws_cache))


@pytest.mark.parametrize(
    "damage",
    [
        flip,
        pytest.param(cut, marks=pytest.mark.slow),
        pytest.param(put_another, marks=pytest.mark.slow),
    ],
)
def test_an_output_that_is_not_what_its_step_made_is_made_again_and_told(
    damage: Callable[[Path], None], built: ProjectCopy, cached: ProjectCopy
) -> None:
    mine = cached.root / "build" / "fvp" / "notes of mine.txt"
    outputs = [path for path in cached.built_paths() if path.stat().st_size and path != mine]
    mine.write_text("keep this", "utf-8")
    for path in outputs:
        damage(path)
    outcome = cached.build(_KWS)
    told = {line for line in outcome.stdout.splitlines() if line.startswith("note: ")}
    assert told == {
        f"note: {path.relative_to(cached.root)} is not what its step made; rebuilding it"
        for path in outputs
    }
    assert mine.read_text("utf-8") == "keep this"
    mine.unlink()
    assert cached.built_files() == built.built_files()
    assert cached.build(_KWS).steps == set()


@pytest.mark.slow
def test_an_altered_network_is_rebuilt_without_a_cache_too(
    built: ProjectCopy, tmp_path: Path
) -> None:
    """The device's answers and the expected ones would both come from the altered file."""
    project = built.copy(tmp_path / "project")
    flip(project.root / "build/usecases/kws/ds_cnn_int8.tflite")
    assert project.build(_KWS).steps == steps("QUANTISE USECASE/ds_cnn_int8.tflite")
    assert project.built_files() == built.built_files()


@pytest.mark.slow
def test_an_output_that_was_an_input_in_between_is_still_known_to_be_altered(
    built: ProjectCopy, tmp_path: Path
) -> None:
    project = built.copy(tmp_path / "project")
    network = "build/usecases/kws/ds_cnn_int8.tflite"
    flip(project.root / network)
    project.scons("usecase=img_class", f"model={network}", network)
    assert f"note: {network} is not what its step made" in project.build(_KWS, network).text
    assert project.read_bytes(network) == built.read_bytes(network)


def _with_cc(project: ProjectCopy, folder: Path, before: str, after: str = ":") -> ProjectCopy:
    """Let the project's ``cc`` run shell commands before and after the compiler."""
    tools = folder / "tools"
    tools.mkdir()
    (tools / "cc").write_text(
        f'#!/bin/sh\n{before}\n{shutil.which("cc")} "$@"\ncode=$?\n{after}\nexit $code\n'
    )
    (tools / "cc").chmod(0o755)
    return replace(project, environment={"PATH": f"{tools}:{os.environ['PATH']}"})


def test_an_output_that_is_altered_while_it_is_used_is_used_once(
    built: ProjectCopy, tmp_path: Path
) -> None:
    """Its object is made from bytes that no record names, even if they are put back."""
    project = built.copy(tmp_path / "project")
    labels, target = "build/usecases/kws/generated/labels.c", "build/usecases/kws/host/labels.c.o"
    once = f'mkdir "{tmp_path}/once" && echo "int i;" >> {labels}'
    project = _with_cc(project, tmp_path, f'case " $* " in *" {labels} "*) {once} ;; esac')
    first = project.build(_KWS, target)
    assert f"warning: {labels} changed while {target} was made from it; build again" in first.stdout
    assert project.read_bytes(target) != built.read_bytes(target)
    (project.root / labels).write_bytes(built.read_bytes(labels))
    assert project.build(_KWS, target).steps == {f"CC {target}"}
    assert project.read_bytes(target) == built.read_bytes(target)


def test_a_header_that_is_another_while_it_is_read_is_not_taken_for_what_it_is(
    built: ProjectCopy, tmp_path: Path
) -> None:
    """As ``git stash`` or a rebase does it: before and after, the content is the same."""
    project = built.copy(tmp_path / "project")
    header, target = "firmware/runtime/labels.h", "build/usecases/kws/host/labels.c.o"
    once = f'mkdir "{tmp_path}/once" && cp {header} kept && echo "extern int i;" >> {header}'
    before = f'case " $* " in *"labels.c "*) {once} ;; esac'
    (project.root / target).unlink()
    project = _with_cc(project, tmp_path, before, f"[ -f kept ] && mv kept {header}")
    first = project.build(_KWS, target)
    assert f"warning: {header} changed while {target} was made from it; build again" in first.stdout
    assert project.build(_KWS, target).steps == {f"CC {target}"}
    assert project.build(_KWS, target).steps == set()


def test_files_of_no_finished_build_are_told_once(built: ProjectCopy, tmp_path: Path) -> None:
    project = built.copy(tmp_path / "project")
    (project.root / "build/.sconsign.json").unlink()
    labels = "build/usecases/kws/generated/labels.c"
    (project.root / labels).write_text("foreign", "utf-8")
    outcome = project.build(_KWS, labels, "build/usecases/kws/generated/application_parameters.h")
    assert outcome.stdout.count("is from no finished build; rebuilding all such files") == 1
    assert project.read_bytes(labels) == built.read_bytes(labels)
