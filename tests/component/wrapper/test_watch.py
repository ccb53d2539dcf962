# SPDX-License-Identifier: Apache-2.0
"""`watch` builds once for each change of an input, and for nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ethosmith.environment.watch import Changes, concerns_build, main


def test_outputs_hidden_files_and_what_editors_leave_are_no_changes() -> None:
    root = Path("/project")
    for name in ("build/kws.axf", ".git/index", "usecases/kws/.usecase.yaml.swp", "a/b.cc~"):
        assert not concerns_build(root / name, root), name
    for name in ("usecases/kws/usecase.yaml", "firmware/npu/npu.c", "building/a.c"):
        assert concerns_build(root / name, root), name
    assert concerns_build(Path("/elsewhere/build/net.tflite"), root)


def test_a_change_during_a_build_is_not_lost_and_reading_is_no_change(tmp_path: Path) -> None:
    source = tmp_path / "usecases/kws/usecase.yaml"
    source.parent.mkdir(parents=True)
    source.write_text("1")
    built: list[str] = []

    def build(words: Sequence[str]) -> int:
        assert words == ["kws"]
        built.append(source.read_text())
        if len(built) == 3:
            raise KeyboardInterrupt
        source.write_text(f"{len(built) + 1}")
        return 1

    assert main(["kws"], tmp_path, build) == 0
    assert built == ["1", "2", "3"]


def test_several_writes_are_one_change_and_files_elsewhere_count(tmp_path: Path) -> None:
    project, other = tmp_path / "project", tmp_path / "net.tflite"
    (project / "usecases").mkdir(parents=True)
    (project / "build").mkdir()
    other.touch()
    changes = Changes(project, [other])
    try:
        (project / "build/out").touch()
        other.write_bytes(b"1")
        for name in ("a", "b"):
            (project / "usecases" / name).write_text(name)
        assert changes.wait() == [str(other), "usecases/a", "usecases/b"]
    finally:
        changes.close()


def test_a_target_that_changes_inputs_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["asr", "train"], tmp_path) == 1
    assert capsys.readouterr().err == "error: watch cannot be combined with the target 'train'\n"
