# SPDX-License-Identifier: Apache-2.0
"""What a process asks of the file system is seen, in whatever way it asks."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

# A process of its own: there is no way to remove an audit hook.
_SCRIPT = """
import glob, importlib, importlib.metadata, json, os, pathlib, shutil, subprocess, sys, threading
from ethosmith.core.identity import Identity
from ethosmith.graph.observer import Observer

root = pathlib.Path(sys.argv[1])
os.chdir(root)
sys.path.insert(0, str(root / "path"))
now_ns = Identity(root / "store").now_ns()
observer = Observer(now_ns, [str(root / "cache")])
observer.begin()
exec(sys.argv[2])
observer.end()
(root / "after").exists()
print(json.dumps({
    "paths": {name: [seen.is_missing, seen.is_folder, seen.is_young]
              for name, seen in observer.paths.items()},
    "links": observer.links,
    "listings": observer.listings,
    "commands": observer.commands,
    "failure": observer.failure,
}))
"""
_FILE, _YOUNG, _FOLDER, _MISSING = (
    [False, False, False],
    [False, False, True],
    [False, True, False],
    [True, False, False],
)


def observe(root: Path, code: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(root), code], capture_output=True, text=True, check=True
    )
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen["failure"] == ""
    return seen


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    (tmp_path / "path").mkdir()
    (tmp_path / "path/some_module.py").touch()
    (tmp_path / "file").write_text("text", "utf-8")
    (tmp_path / "link").symlink_to("file")
    time.sleep(0.25)
    return tmp_path


@pytest.mark.parametrize(
    ("code", "name", "state"),
    [
        ("open('file')", "file", _FILE),
        ("pathlib.Path('file').read_bytes()", "file", _FILE),
        ("os.close(os.open('file', os.O_RDONLY))", "file", _FILE),
        ("os.path.exists(b'file')", "file", _FILE),
        ("pathlib.Path('folder/../file').is_file()", "file", _FILE),
        ("os.access('file', os.R_OK)", "file", _FILE),
        ("os.path.realpath('file')", "file", _FILE),
        ("shutil.which('file', path='.')", "file", _FILE),
        ("open('link')", "link", _FILE),
        ("pathlib.Path('new').write_text('x'); open('new')", "new", _YOUNG),
        ("os.path.isdir('folder')", "folder", _FOLDER),
        ("os.path.exists('missing')", "missing", _MISSING),
        ("pathlib.Path('file/below').exists()", "file/below", _MISSING),
        ("shutil.which('missing', path='folder')", "folder/missing", _MISSING),
        ("importlib.util.find_spec('some_module'); open('path/some_module.py')",
         "path/some_module.py", _FILE),
        ("t = threading.Thread(target=lambda: open('file')); t.start(); t.join()", "file", _FILE),
    ],
)  # fmt: skip
def test_a_question_for_a_path(code: str, name: str, state: list[bool], root: Path) -> None:
    assert observe(root, code)["paths"][str(root / name)] == state


@pytest.mark.parametrize(
    "code",
    [
        "os.listdir('folder')",
        "list(os.scandir(b'folder'))",
        "list(os.walk('folder'))",
        "glob.glob('folder/*')",
        "list(pathlib.Path('folder').rglob('*.yaml'))",
        "list(pathlib.Path('folder').iterdir())",
    ],
)
def test_a_listing(code: str, root: Path) -> None:
    (root / "folder/one").touch()
    (root / "folder/two").mkdir()
    assert observe(root, code)["listings"][str(root / "folder")] == "dtwo/fone"


def test_links_commands_and_what_does_not_count(root: Path) -> None:
    (root / "cache").mkdir()
    code = (
        "os.readlink('link'); open('cache/x', 'w'); open('cache/x'); open('written', 'w');"
        "subprocess.run(['true', 'x'], cwd='folder')"
    )
    seen = observe(root, code)
    assert seen["links"] == {str(root / "link"): "file"}
    assert ["true", "folder", "true", "x"] in seen["commands"]
    for name in ("cache/x", "written", "after"):
        assert str(root / name) not in seen["paths"]
