# SPDX-License-Identifier: Apache-2.0
"""What a worker trained goes into the use case's folder, and nowhere else."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.steps.train_network import TrainNetwork, files_of, library_digest, take_trained

_SCRIPT = """import pathlib, sys
here = pathlib.Path(__file__).parent
(here / "old.bin").write_bytes(b"new")
(here / "deep").mkdir()
(here / "deep/weights.bin").write_bytes(pathlib.Path(sys.argv[2]).read_bytes())
(here / "same.bin").write_bytes(b"same")
"""


def trained(root: Path, script: str) -> TrainNetwork:
    for name, data in (
        ("door/train.py", script.encode()),
        ("door/old.bin", b"old"),
        ("door/same.bin", b"same"),
        ("door/.hidden", b""),
        ("door/__pycache__/x.pyc", b""),
        ("host", b"a program"),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return TrainNetwork(
        script=Path("door/train.py"),
        folder=Path("door"),
        files=tuple(path.relative_to(root) for path in files_of(root / "door")),
        program=Path("host"),
        library=library_digest(),
        output=Path("trained.zip"),
    )


def test_only_what_changed_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    step = trained(tmp_path, _SCRIPT)
    assert [path.name for path in step.files] == ["old.bin", "same.bin", "train.py"]
    step.run()
    assert (tmp_path / "door/old.bin").read_bytes() == b"old"
    first = Path("trained.zip").read_bytes()
    assert take_trained(Path("trained.zip"), Path("door")) == ["deep/weights.bin", "old.bin"]
    assert Path("door/old.bin").read_bytes() == b"new"
    assert Path("door/deep/weights.bin").read_bytes() == b"a program"
    # The same training gives the same archive.
    (tmp_path / "door/old.bin").write_bytes(b"old")
    (tmp_path / "door/deep/weights.bin").unlink()
    step.run()
    assert Path("trained.zip").read_bytes() == first


def test_recordings_are_there_where_they_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("clips").mkdir()
    Path("clips/a.wav").write_bytes(b"a clip")
    script = (
        "import pathlib, sys; assert sys.argv[3] == '--recorded';"
        "pathlib.Path('door/b').write_bytes((pathlib.Path(sys.argv[4]) / 'a.wav').read_bytes())"
    )
    step = trained(tmp_path, script)
    step = step.replaced(recorded=Path("clips"), files=(*step.files, Path("clips/a.wav")))
    step.run()
    assert take_trained(Path("trained.zip"), Path("door")) == ["b"]
    assert Path("door/b").read_bytes() == b"a clip"


def test_a_script_that_fails_leaves_no_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EthosmithError, match=r"door/train\.py: ended with exit code 3"):
        trained(tmp_path, "import sys; sys.exit(3)").run()
    assert not Path("trained.zip").exists()


def test_a_name_that_leads_out_of_the_folder_writes_nothing(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("fine", b"")
        archive.writestr("../evil", b"")
    with pytest.raises(EthosmithError, match="leads out of"):
        take_trained(tmp_path / "bad.zip", tmp_path / "door")
    assert not (tmp_path / "door").exists()


def test_a_machine_with_other_code_is_not_fit(tmp_path: Path) -> None:
    step = trained(tmp_path, _SCRIPT)
    assert step.lacking() == ""
    assert step.replaced(library="0").lacking() == "has another version of ethosmith"
