# SPDX-License-Identifier: Apache-2.0
"""Write .vscode/: F5 debugs an image on the open board, and descriptors have their schemas."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes, write_text
from ethosmith.steps.step import Step, step

_OURS = "// Written by 'vscode' of Ethosmith, which overwrites it; remove this line to keep yours."
_ROOT = "${workspaceFolder}"
_PORT = 3333


@step(verb="VSCODE", packages=("pydantic", "pydantic-core", "pyyaml"), cacheable=False)
class WriteVscode(Step):
    """Write launch.json, tasks.json and settings.json for Visual Studio Code.

    Attributes:
        images: of each its `name` for people, `axf`, `npu`, `board` (or none), and the `arguments`
            that build it.
        gdb_commands: of the step write-gdb-commands.
        command: what runs Ethosmith in the project: `scons` in a clone, else `ethosmith`.
        gdb: program of the debugger.
        folder: where they are written.
    """

    images: tuple[Mapping[str, Any], ...]
    gdb_commands: str
    command: str
    gdb: str = "gdb-multiarch"
    folder: Path = Path(".vscode")

    def run(self) -> None:
        """Write the files.

        Raises:
            EthosmithError: one is there that is the user's own.
        """
        texts = {
            "launch.json": self._launch(),
            "tasks.json": self._tasks(),
            "settings.json": _settings(),
        }
        for name in texts:
            _check_ours(self.folder / name)
        self.folder.mkdir(exist_ok=True)
        for name, content in texts.items():
            write_text(self.folder / name, f"{_OURS}\n{json.dumps(content, indent=2)}\n")

    def _launch(self) -> dict[str, Any]:
        return {
            "version": "0.2.0",
            "configurations": [
                {
                    "name": image["name"],
                    "type": "cppdbg",
                    "request": "launch",
                    "program": f"{_ROOT}/{image['axf']}",
                    "cwd": _ROOT,
                    "MIMode": "gdb",
                    "miDebuggerPath": self.gdb,
                    "miDebuggerServerAddress": f"localhost:{_PORT}",
                    "stopAtConnect": True,
                    "postRemoteConnectCommands": [{"text": f"source {_ROOT}/{self.gdb_commands}"}],
                    "preLaunchTask": f"board: {image['name']}",
                }
                for image in self.images
            ],
        }

    def _tasks(self) -> dict[str, Any]:
        tasks = (task for image in self.images for task in self._tasks_of(image))
        return {"version": "2.0.0", "tasks": list(tasks)}

    def _tasks_of(self, image: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        name = image["name"]
        common = {"type": "process", "command": self.command, "options": {"cwd": _ROOT}}
        built = [*image["arguments"], "images", self.gdb_commands]
        yield {
            "label": f"build: {name}",
            **common,
            "args": built,
            "group": "build",
            "problemMatcher": ["$gcc"],
        }
        yield {"label": f"run: {name}", **common, "args": list(image["arguments"]), "group": "test"}
        board = ["board", "-a", image["axf"], "--npu", image["npu"]]
        board += ["--board", image["board"]] if image.get("board") else []
        yield {
            "label": f"board: {name}",
            **common,
            "args": [*board, "--simulator", "open", "--gdb", str(_PORT)],
            "dependsOn": f"build: {name}",
            "isBackground": True,
            # Its first line tells that it waits for the debugger.
            "problemMatcher": {
                "pattern": {"regexp": "^error: (.*)$", "kind": "file", "file": 1, "message": 1},
                "background": {
                    "activeOnStart": True,
                    "beginsPattern": "^ethosmith: ",
                    "endsPattern": "^gdb: target remote",
                },
            },
        }


def _settings() -> dict[str, Any]:
    from ethosmith.descriptors.reference import DESCRIPTORS, schema_name

    return {
        "yaml.schemas": {
            f"schemas/{schema_name(model)}": place.replace("NAME", "*")
            for place, model in DESCRIPTORS
        },
        "C_Cpp.default.compileCommands": f"{_ROOT}/compile_commands.json",
        "files.watcherExclude": {"**/build/**": True, "**/.venv/**": True},
    }


def _check_ours(path: Path) -> None:
    if path.exists() and not read_bytes(path).startswith(_OURS.encode()):
        raise EthosmithError(
            f"{path}: is your own file, which vscode does not overwrite; move it away to have it"
            " written"
        )
