# SPDX-License-Identifier: Apache-2.0
"""Answer ``./scons`` before SCons starts, if nothing at all differs from the last time.

    python -I -S null_build.py WORD...

A build that has succeeded leaves a record of all that it depended on (`ethosmith.graph.record`):
the files it read with their contents, the files it looked for in vain, the folders it listed, the
environment, the answers of the programs it asked, and the outputs. Here all of that is compared.
If everything is the same, what SCons would say is in the record too; it is written to standard
output, and the exit code is 0. In any doubt the exit code is 1, nothing is written, and SCons has
to be asked.

Start-up time is what this is about: it imports next to nothing, and nothing of ours.
"""

from __future__ import annotations

import os
import sys
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Relative to the folder that scons is called in.
FOLDER = "build/.ethosmith/unchanged"
LOCK = "build/.lock"
# What comes before the path of our SConstruct, for a project without one.
OWN_GRAPH = "--file="
# The only command that is run anew: a record may come with a build folder from anywhere.
COMMIT_COMMAND = ("git", "rev-parse", "--verify", "--quiet", "HEAD")
_MAGIC = b"ethosmith unchanged 1 "
_MAX_RECORD_BYTES = 64 << 20
# Of a file's mode, as the module stat has them, which is not imported.
_KIND, _REGULAR = 0o170000, 0o100000
# In place of the stamp of a file that is too young for it: its content is compared.
YOUNG = "-"
# Parts of a record, with the number of texts in each of their items.
_WIDTHS = {
    "situation": 1,
    "variables": 1,
    "files": 3,  # path, stamp, SHA-256
    "links": 2,  # path, what it points to
    "folders": 1,  # paths where there is a folder
    "missing": 1,  # paths where there is nothing
    "listings": 3,  # path, stamp, names
    "commands": 3,  # folder, words, answer
    "answer": 1,
}
# What terminals, shells and sessions set and no step of a build gets to see.
_IGNORED_VARIABLES = {
    *("_", "SHLVL", "PWD", "OLDPWD", "COLUMNS", "LINES", "WINDOWID", "STY", "TMUX", "TMUX_PANE"),
    *("SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY", "XDG_SESSION_ID", "TERM_SESSION_ID"),
    *("ETHOSMITH_BUILD_CACHE_KEY", "ETHOSMITH_EXPLAIN_RECORD"),
}
# Compiled modules: what they are made from is compared.
_IGNORED_NAMES = {"__pycache__"}
_UNFINISHED_PREFIX = ".unfinished."
_CHUNK_BYTES = 1 << 20
_MAX_ANSWER_BYTES = 1 << 16

Record = dict[str, list[tuple[str, ...]]]


def is_plain(words: list[str], environment: Mapping[str, str]) -> bool:
    """Say whether scons is asked for nothing but to build.

    That is: use cases, variables, how many commands at once, and with which graph.
    """
    flags = environment.get("SCONSFLAGS", "").split()
    return all(flag == "-Q" or _is_job_count(flag) for flag in flags) and all(
        _is_job_count(word) or word[:1] not in ("-", "=", "") or word.startswith(OWN_GRAPH)
        for word in words
    )


def _is_job_count(word: str) -> bool:
    return word[:2] == "-j" and word[2:].isdigit()


def place(words: list[str]) -> str:
    """Return where the record for these arguments is, relative to the project."""
    return f"{FOLDER}/{zlib.crc32(chr(0).join(words).encode('utf-8', 'surrogateescape')):08x}"


def situation(words: list[str]) -> list[tuple[str, ...]]:
    """Return what is the same in all of a process: its arguments, folder, interpreter, user."""
    streams = "".join("t" if os.isatty(number) else "f" for number in (1, 2))
    texts = [sys.version, os.getcwd(), f"{os.geteuid()} {os.getegid()} {streams}", *words]
    return [(text,) for text in texts]


def variables(environment: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Return the environment variables that count."""
    return [
        (f"{name}={value}",)
        for name, value in sorted(environment.items())
        if name not in _IGNORED_VARIABLES
    ]


def stamp_of(state: os.stat_result) -> str:
    """Return what `os.stat` says of a file, as one text."""
    return (
        f"{state.st_mode} {state.st_size} {state.st_mtime_ns} {state.st_ctime_ns}"
        f" {state.st_ino} {state.st_dev}"
    )


def listing_of(folder: str) -> str:
    """Return the names in a folder, each with its kind; not those that builds change.

    Raises:
        OSError: it cannot be read.
    """
    with os.scandir(folder) as entries:
        names = [
            ("d" if entry.is_dir(follow_symlinks=False) else "f") + entry.name
            for entry in entries
            if entry.name not in _IGNORED_NAMES and not entry.name.startswith(_UNFINISHED_PREFIX)
        ]
    return "/".join(sorted(names))


def answer_of(folder: str, words: list[str]) -> str:
    """Return the exit code and the output of a command; ``missing`` without the program."""
    reading, writing = os.pipe()
    nothing = os.open(os.devnull, os.O_RDWR)
    actions = [
        (os.POSIX_SPAWN_DUP2, nothing, 0),
        (os.POSIX_SPAWN_DUP2, writing, 1),
        (os.POSIX_SPAWN_DUP2, writing, 2),
    ]
    before = os.getcwd()
    os.chdir(folder)
    try:
        child = os.posix_spawnp(words[0], words, os.environ, file_actions=actions)
    except OSError:
        return "missing"
    finally:
        os.chdir(before)
        os.close(writing)
        os.close(nothing)
    said = b""
    while len(said) < _MAX_ANSWER_BYTES and (more := os.read(reading, _MAX_ANSWER_BYTES)):
        said += more
    os.close(reading)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return f"{code} {said.decode('utf-8', 'surrogateescape')}"


def encode(record: Record) -> bytes:
    """Return a record as bytes.

    Raises:
        ValueError: a text in it cannot be kept.
    """
    texts = []
    for part, width in _WIDTHS.items():
        texts.append(str(len(record[part])))
        for item in record[part]:
            if len(item) != width or any("\0" in text for text in item):
                raise ValueError(f"{part}: {item}")
            texts += item
    body = "\0".join(texts).encode("utf-8", "surrogateescape")
    return _MAGIC + b"%08x\n" % zlib.crc32(body) + body


def decode(data: bytes) -> Record:
    """Return what `encode` was given.

    Raises:
        ValueError: the bytes are no record.
    """
    head, _, body = data.partition(b"\n")
    if head != _MAGIC + b"%08x" % zlib.crc32(body):
        raise ValueError("no record")
    texts = body.decode("utf-8", "surrogateescape").split("\0")
    record: Record = {}
    at = 0
    for part, width in _WIDTHS.items():
        begin, at = at + 1, at + 1 + width * int(texts[at])
        columns = [texts[begin + column : at : width] for column in range(width)]
        record[part] = list(zip(*columns))  # noqa: B905 all are as long
    return record


def is_unchanged(record: Record, words: list[str]) -> bool:
    """Say whether everything is as the record says.

    Raises:
        OSError: something cannot be read any more.
    """
    return (
        record["situation"] == situation(words)
        and record["variables"] == variables(os.environ)
        and all(map(_is_same_file, record["files"]))
        and all(os.readlink(path) == points_to for path, points_to in record["links"])
        and all(map(_is_folder, record["folders"]))
        and all(map(_is_missing, record["missing"]))
        and all(map(_is_same_listing, record["listings"]))
        and all(map(_is_same_answer, record["commands"]))
    )


def _is_same_file(item: tuple[str, ...]) -> bool:
    path, stamp, sha256 = item
    if stamp_of(os.stat(path)) == stamp:
        return True
    return _sha256_of(path) == sha256


def _sha256_of(path: str) -> str:
    import hashlib

    digest = hashlib.sha256()
    for chunk in _chunks_of(path):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks_of(path: str) -> Iterator[bytes]:
    """Yield the content of a file; OSError if it is a device or a pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        if os.fstat(descriptor).st_mode & _KIND != _REGULAR:
            raise OSError(f"{path}: not a regular file")
        while chunk := os.read(descriptor, _CHUNK_BYTES):
            yield chunk
    finally:
        os.close(descriptor)


def _is_folder(item: tuple[str, ...]) -> bool:
    return os.path.isdir(item[0])


def _is_missing(item: tuple[str, ...]) -> bool:
    return not os.path.lexists(item[0])


def _is_same_listing(item: tuple[str, ...]) -> bool:
    path, stamp, names = item
    return stamp_of(os.stat(path)) == stamp or listing_of(path) == names


def _is_same_answer(item: tuple[str, ...]) -> bool:
    folder, words, answer = item
    if tuple(words.split("\n")) != COMMIT_COMMAND:
        return False
    return answer_of(folder, words.split("\n")) == answer


def _builds() -> bool:
    """Say whether a build is running, or was killed: its lock names a process."""
    return os.stat(LOCK).st_size != 0


def main(words: list[str]) -> int:
    """Answer, or return 1."""
    if not is_plain(words, os.environ) or _builds():
        return 1
    kept = place(words)
    if os.stat(kept).st_size > _MAX_RECORD_BYTES:
        return 1
    record = decode(b"".join(_chunks_of(kept)))
    if not is_unchanged(record, words) or _builds():
        return 1
    sys.stdout.flush()
    left = record["answer"][0][0].encode("utf-8", "surrogateescape")
    while left:
        left = left[os.write(1, left) :]
    return 0


def answers(words: list[str]) -> bool:
    """Answer if nothing has changed, and say whether it did."""
    try:
        return main(words) == 0
    except (OSError, ValueError, IndexError, UnicodeError):
        return False


if __name__ == "__main__":
    # Nothing is left to clean up.
    os._exit(not answers(sys.argv[1:]))
