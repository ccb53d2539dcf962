# SPDX-License-Identifier: Apache-2.0
"""What SCons knows of past builds comes back as it was, and runs nothing whatever it holds."""

from __future__ import annotations

import json
import pickle
import random
from pathlib import Path
from typing import Any

import pytest
import SCons.Node.FS
import SCons.SConsign

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.signature_file import SignatureCodec, SignatureFile

_CLASSES: tuple[type, ...] = (
    SCons.SConsign.SConsignEntry,
    SCons.Node.FS.FileNodeInfo,
    SCons.Node.FS.FileBuildInfo,
)
CODEC = SignatureCodec({one.__name__: one for one in _CLASSES})


def _info(csig: str) -> Any:
    info = SCons.Node.FS.FileNodeInfo()
    info.csig, info.size, info.timestamp = csig, 3, 1.5
    return info


def _entry() -> Any:
    entry = SCons.SConsign.SConsignEntry()
    entry.ninfo, entry.binfo = _info("ab"), SCons.Node.FS.FileBuildInfo()
    entry.binfo.bsources, entry.binfo.bsourcesigs = ["a b", "ü\udcff"], [_info("cd"), _info("ef")]
    entry.binfo.bact, entry.binfo.bactsig = b"\x80cc", "0123"
    return entry


def test_entries_come_back(tmp_path: Path) -> None:
    path = tmp_path / ".sconsign.json"
    written = SignatureFile(path)
    written["build/x"] = CODEC.dumps({"out.o": _entry()})
    written.sync()
    found = CODEC.loads(SignatureFile(path)["build/x"])["out.o"]
    assert found.ninfo.__getstate__() == _entry().ninfo.__getstate__()
    assert found.binfo.bsources == ["a b", "ü\udcff"]
    assert [info.csig for info in found.binfo.bsourcesigs] == ["cd", "ef"]
    assert (found.binfo.bact, found.binfo.bactsig) == (b"\x80cc", "0123")


class _Attack:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("owned"),)


def test_a_pickle_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    attack = pickle.dumps({"build": _Attack()})
    path = tmp_path / ".sconsign.json"
    path.write_bytes(attack)
    with pytest.raises(KeyError):
        SignatureFile(path)["build"]
    with pytest.raises(EthosmithError):
        CODEC.loads(attack)
    assert not Path("owned").exists()
    pickle.loads(attack)  # noqa: S301 the attack is one
    assert Path("owned").exists()


FORMS = {
    "no object": [1],
    "no entry": {"a": 1},
    "unknown class": {"a": {"/class": "Popen"}},
    "missing parts": {"a": {"/class": "SConsignEntry"}},
    "wrong parts": {"a": {"/class": "SConsignEntry", "ninfo": 1, "binfo": 2}},
    "unknown field": {"a": {"/class": "FileNodeInfo", "__class__": "x"}},
    "class of a class": {"a": {"/class": {"/class": "SConsignEntry"}}},
}


@pytest.mark.parametrize("name", FORMS)
def test_another_form_is_damage(name: str) -> None:
    with pytest.raises(EthosmithError, match="not a valid list of signatures"):
        CODEC.loads(json.dumps(FORMS[name]).encode())


@pytest.mark.parametrize("count", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_mutated_files_are_damage_or_entries(count: int) -> None:
    whole = CODEC.dumps({"out.o": _entry(), "b.o": _entry()})
    random_ = random.Random(count)  # noqa: S311 a fixed seed, no secret
    taken = 0
    for _ in range(count):
        data = bytearray(whole)
        for _ in range(random_.randrange(1, 4)):
            at = random_.randrange(len(data))
            data[at : at + random_.randrange(3)] = random_.choice(
                (random_.randbytes(1), b"null", b"[]", b"{}", b'""', b"1", b'"', b"")
            )
        try:
            found = CODEC.loads(bytes(data))
        except EthosmithError as error:
            assert len(str(error).splitlines()) == 1
            continue
        taken += 1
        for name, entry in found.items():
            entry.convert_to_sconsign()
            assert isinstance(name, str)
    assert 0 < taken < count
