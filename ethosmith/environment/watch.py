# SPDX-License-Identifier: Apache-2.0
"""The command ``watch``: build, and build again whenever a file of the project changes.

    ./scons watch kws                  run kws at every change
    ./scons watch kws size             any targets and variables, as without watch

Each build is a process of its own, so that changed Python code counts, too. Ctrl-C ends it.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ethosmith.core.program import EXIT_OK, fail

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

WATCH = "watch"
_PACKAGE = Path(__file__).resolve().parent.parent
# They would change files at every build, or do something once.
_NOT_WATCHED = frozenset({"debug", "doctor", "flash", "new", "test", "train"})
# Folders of outputs and of tools, and endings of what editors write beside a file.
_IGNORED_FOLDERS = frozenset({"build", "__pycache__", "node_modules"})
_IGNORED_ENDINGS = ("~", ".swp", ".swx", ".tmp", "4913")
# Editors write a file in several steps, and git many files.
_SETTLED_S = 0.3


def concerns_build(path: Path, root: Path) -> bool:
    """Return whether a changed file may be an input: not an output, nor hidden, nor an editor's."""
    if not path.is_relative_to(root):
        return True  # A folder that was asked for by name.
    parts = path.relative_to(root).parts
    hidden = any(part.startswith(".") or part in _IGNORED_FOLDERS for part in parts)
    return not hidden and not path.name.endswith(_IGNORED_ENDINGS)


class Changes:
    """Notes changes of files, from the moment it is made.

    Args:
        root: the project's folder.
        others: files and folders outside of it that builds read.
    """

    def __init__(self, root: Path, others: Sequence[Path] = ()) -> None:
        from watchdog.events import FileSystemEventHandler  # noqa: PLC0415 only to watch
        from watchdog.observers import Observer  # noqa: PLC0415

        self._root = root
        self._changed = threading.Event()
        self._names: set[str] = set()
        changes = self

        class Handler(FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                changes.note(event)

        self._observer = Observer()
        handler = Handler()
        # Not the whole project: build/ and .venv/ have tens of thousands of folders.
        self._observer.schedule(handler, str(root))
        folders = [path for path in sorted(root.iterdir()) if path.is_dir()]
        folders = [path for path in folders if concerns_build(path, root)]
        outside = [path if path.is_dir() else path.parent for path in others]
        for folder in dict.fromkeys([*folders, *outside]):
            self._observer.schedule(handler, str(folder), recursive=True)
        self._observer.start()

    def note(self, event: FileSystemEvent) -> None:
        """Take an event: only of files that were written, made, moved or removed."""
        if event.is_directory or event.event_type not in {
            "created",
            "deleted",
            "modified",
            "moved",
        }:
            return
        for name in (event.src_path, event.dest_path):
            path = Path(str(name))
            if name and concerns_build(path, self._root):
                shown = path.relative_to(self._root) if path.is_relative_to(self._root) else path
                self._names.add(str(shown))
                self._changed.set()

    def wait(self) -> list[str]:
        """Wait for a change, and until nothing has changed for a moment; return the files."""
        self._changed.wait()
        while self._changed.is_set():
            self._changed.clear()
            self._changed.wait(_SETTLED_S)
        names, self._names = sorted(self._names), set()
        return names

    def close(self) -> None:
        """Stop watching."""
        self._observer.stop()
        self._observer.join()


def main(
    words: Sequence[str], root: Path, build: Callable[[Sequence[str]], int] | None = None
) -> int:
    """Build what ``words`` ask for at every change, until Ctrl-C.

    Args:
        words: the command line without ``watch``.
        root: the project's folder.
        build: runs a build; default: in a process of its own.
    """
    refused = sorted(_NOT_WATCHED.intersection(words))
    if refused:
        return fail(f"watch cannot be combined with the target '{refused[0]}'")
    values = [Path(word.partition("=")[2]).absolute() for word in words if "=" in word]
    others = [path for path in values if path.exists() and not path.is_relative_to(root)]
    changes = Changes(root, others)
    try:
        while True:
            (build or _build)(words)
            _say(f"watching {root.name}; Ctrl-C ends it")
            names = changes.wait()
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            _say(f"changed: {names[0]}{more}")
    except KeyboardInterrupt:
        return EXIT_OK
    finally:
        changes.close()


def _build(words: Sequence[str]) -> int:
    return subprocess.call([sys.executable, str(_PACKAGE), *words])


def _say(text: str) -> None:
    sys.stderr.write(f"ethosmith: {text}\n")
    sys.stderr.flush()
