# SPDX-License-Identifier: Apache-2.0
"""Archives give the members that were asked for, and nothing else, however evil they are."""

from __future__ import annotations

import io
import random
import stat
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.obtain.archive_formats import ArchiveLimits
from ethosmith.obtain.source import PathSource
from tests.component.obtain.conftest import Workshop


def zip_of(members: Mapping[str, bytes], mode: int = 0o100644) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def tar_of(members: Mapping[str, bytes], compression: str = "", kind: bytes = b"0") -> bytes:
    buffer = io.BytesIO()
    # The write mode is made up of the parameter, which no overload knows.
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.type = kind
            info.size = len(data) if kind == b"0" else 0
            info.linkname = "victim"
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def member_bytes(
    workshop: Workshop,
    folder: Path,
    archive: bytes,
    member: str,
    limits: ArchiveLimits | None = None,
) -> bytes:
    (folder / "a.bin").write_bytes(archive)
    output = folder / "member"
    source = PathSource(path="a.bin", member=member)
    workshop.obtainer(limits=limits).to_file(source, folder, output)
    return output.read_bytes()


@pytest.mark.parametrize(
    "pack",
    [
        pytest.param(zip_of, id="zip"),
        pytest.param(tar_of, id="tar"),
        *(
            pytest.param(lambda members, how=how: tar_of(members, how), id=f"tar.{how}")
            for how in ("gz", "bz2", "xz")
        ),
    ],
)
def test_member_of_every_kind_of_archive(
    workshop: Workshop, tmp_path: Path, pack: Callable[[Mapping[str, bytes]], bytes]
) -> None:
    archive = pack({"./first.txt": b"1", "n-1.0.data/purelib/net.h5": b"weights"})
    assert member_bytes(workshop, tmp_path, archive, "n-1.0.data/purelib/net.h5") == b"weights"
    assert member_bytes(workshop, tmp_path, archive, "first.txt") == b"1"


def test_nested_member(workshop: Workshop, tmp_path: Path) -> None:
    inner = tar_of({"deep/net.h5": b"weights"}, "gz")
    archive = zip_of({"models/kws.zip": zip_of({"inner.tar.gz": inner})})
    member = "models/kws.zip!inner.tar.gz!deep/net.h5"
    assert member_bytes(workshop, tmp_path, archive, member) == b"weights"


def test_too_deep_nesting_is_refused(workshop: Workshop, tmp_path: Path) -> None:
    archive = zip_of({"x": b""})
    for _ in range(4):
        archive = zip_of({"x": archive})
    with pytest.raises(EthosmithError, match="nested more than 4 deep"):
        member_bytes(workshop, tmp_path, archive, "x!x!x!x!x")


def test_wrong_member_names_the_one_with_the_same_file_name(
    workshop: Workshop, tmp_path: Path
) -> None:
    archive = zip_of({"n.data/purelib/models/kws.h5": b"", "n.data/purelib/models/ad.h5": b""})
    with pytest.raises(
        EthosmithError,
        match=r"a\.bin: no member 'models/kws.h5'; did you mean 'n.data/purelib/models/kws.h5'",
    ):
        member_bytes(workshop, tmp_path, archive, "models/kws.h5")


EVIL_NAMES = ["../victim", "/victim", "a/../../victim", "a\\..\\victim", "C:/victim", "a//victim"]


@pytest.mark.parametrize("name", EVIL_NAMES)
@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_archive_with_a_name_that_leads_out_is_refused(
    workshop: Workshop, tmp_path: Path, name: str, pack: Callable[[Mapping[str, bytes]], bytes]
) -> None:
    archive = pack({"good": b"good", name: b"evil"})
    with pytest.raises(EthosmithError, match="unsafe name"):
        member_bytes(workshop, tmp_path, archive, "good")
    assert not (tmp_path.parent / "victim").exists()


@pytest.mark.parametrize(
    ("archive", "why"),
    [
        pytest.param(tar_of({"m": b""}, kind=tarfile.SYMTYPE), "a link", id="tar-symlink"),
        pytest.param(tar_of({"m": b""}, kind=tarfile.LNKTYPE), "a link", id="tar-hard-link"),
        pytest.param(
            tar_of({"m": b""}, kind=tarfile.CHRTYPE), "not a regular file", id="tar-device"
        ),
        pytest.param(
            tar_of({"m": b""}, kind=tarfile.FIFOTYPE), "not a regular file", id="tar-fifo"
        ),
        pytest.param(tar_of({"m": b""}, kind=tarfile.DIRTYPE), "a folder", id="tar-folder"),
        pytest.param(zip_of({"m": b"/x"}, stat.S_IFLNK | 0o777), "a link", id="zip-symlink"),
        pytest.param(zip_of({"m": b""}, stat.S_IFCHR), "not a regular file", id="zip-device"),
        pytest.param(zip_of({"m/": b""}), "a folder", id="zip-folder"),
        pytest.param(tar_of({"m": b"1", "./m": b"2"}), "twice", id="two-of-one-name"),
    ],
)
def test_member_that_is_no_regular_file_is_refused(
    workshop: Workshop, tmp_path: Path, archive: bytes, why: str
) -> None:
    with pytest.raises(EthosmithError, match=f"member 'm' is refused: it .*{why}"):
        member_bytes(workshop, tmp_path, archive, "m")
    assert not (tmp_path / "member").exists()


@pytest.mark.parametrize("pack", [zip_of, lambda members: tar_of(members, "gz")])
def test_declared_bomb_is_refused(
    workshop: Workshop, tmp_path: Path, pack: Callable[[Mapping[str, bytes]], bytes]
) -> None:
    archive = pack({"bomb": bytes(1 << 20)})
    with pytest.raises(EthosmithError, match="1048576 bytes, more than the allowed 1000000"):
        limits = ArchiveLimits(member_bytes=1_000_000)
        member_bytes(workshop, tmp_path, archive, "bomb", limits)


def test_bomb_beside_the_member_is_refused(workshop: Workshop, tmp_path: Path) -> None:
    archive = tar_of({"bomb": bytes(40 << 20), "good": b"good"}, "gz")
    with pytest.raises(EthosmithError, match="unpacks to more than"):
        member_bytes(workshop, tmp_path, archive, "good", ArchiveLimits(stream_bytes=1 << 20))


def test_zip_that_lies_about_a_size_is_refused(workshop: Workshop, tmp_path: Path) -> None:
    archive = bytearray(zip_of({"bomb": bytes(1 << 20)}))
    directory = archive.rindex(b"PK\x01\x02")
    archive[directory + 24 : directory + 28] = (100).to_bytes(4, "little")
    with pytest.raises(EthosmithError, match="damaged"):
        member_bytes(workshop, tmp_path, bytes(archive), "bomb")


def test_too_many_members_are_refused(workshop: Workshop, tmp_path: Path) -> None:
    archive = tar_of({str(index): b"" for index in range(12)})
    with pytest.raises(EthosmithError, match="more than 10 members"):
        member_bytes(workshop, tmp_path, archive, "1", ArchiveLimits(entries=10))


NOISE = random.Random(1).randbytes(30_000)  # noqa: S311


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(zip_of({"m": bytes(9999)})[:-30], id="zip-cut"),
        pytest.param(tar_of({"m": NOISE}, "gz")[:-9999], id="tar.gz-cut"),
        pytest.param(tar_of({"m": NOISE}, "xz")[:-9999], id="tar.xz-cut"),
        pytest.param(zip_of({"m": b"A" * 50}).replace(b"K\x05\x06", b"K\x05\x07"), id="zip-end"),
    ],
)
def test_damaged_archive_is_named(workshop: Workshop, tmp_path: Path, archive: bytes) -> None:
    with pytest.raises(EthosmithError, match=r"a\.bin: the archive is damaged"):
        member_bytes(workshop, tmp_path, archive, "m")


def test_flipped_bytes_never_end_in_a_traceback(workshop: Workshop, tmp_path: Path) -> None:
    members = {"m": b"text " * 50, "d/x": b"y"}
    originals = [zip_of(members), *(tar_of(members, how) for how in ("", "gz", "bz2", "xz"))]
    dice = random.Random(11)  # noqa: S311
    refused = 0
    for _ in range(1500):
        archive = bytearray(dice.choice(originals))
        for _ in range(dice.choice([1, 2, 20])):
            edge = min(520, len(archive))
            offset = dice.choice([dice.randrange(edge), -1 - dice.randrange(edge)])
            archive[offset] ^= 1 << dice.randrange(8)
        try:
            member_bytes(workshop, tmp_path, bytes(archive), "m")
        except EthosmithError:
            refused += 1
    assert refused > 500


def test_file_that_is_no_archive_has_no_members(workshop: Workshop, tmp_path: Path) -> None:
    with pytest.raises(EthosmithError, match="neither a zip nor a tar"):
        member_bytes(workshop, tmp_path, b"\x89HDF\r\n\x1a\n", "m")


TREE = {
    "p-1.0/src/a.cc": b"a",
    "p-1.0/src/b.cc": b"b",
    "p-1.0/src/a.h": b"h",
    "p-1.0/src/deep/c.h": b"c",
    "p-1.0/README": b"r",
}


def tree_source(folder: Path, members: Mapping[str, bytes]) -> PathSource:
    (folder / "p.tar.gz").write_bytes(tar_of(members, "gz"))
    return PathSource(path="p.tar.gz")


def test_tree_holds_exactly_the_listed_members(workshop: Workshop, tmp_path: Path) -> None:
    source = tree_source(tmp_path, TREE)
    output = tmp_path / "out"
    members = ["p-1.0/src/b.cc", "p-1.0/src/*.h"]
    written = workshop.obtainer().to_tree(source, tmp_path, members, output, "p-1.0")
    assert written == [Path("src/a.h"), Path("src/b.cc")]
    found = {path.relative_to(output) for path in output.rglob("*") if path.is_file()}
    assert found == set(written)
    assert (output / "src/a.h").read_bytes() == b"h"


def test_tree_with_a_missing_member_writes_nothing(workshop: Workshop, tmp_path: Path) -> None:
    source = tree_source(tmp_path, TREE)
    for wrong in ["p-1.0/src/x.cc", "p-1.0/*.cc"]:
        with pytest.raises(EthosmithError, match="no member"):
            members = ["p-1.0/src/a.cc", wrong]
            workshop.obtainer().to_tree(source, tmp_path, members, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.tar.gz"]


@pytest.mark.parametrize("member", ["../p.tar.gz", "/etc/passwd", "p-1.0//README"])
def test_tree_refuses_a_pattern_that_leads_out(
    workshop: Workshop, tmp_path: Path, member: str
) -> None:
    source = tree_source(tmp_path, TREE)
    with pytest.raises(EthosmithError, match="not a relative path"):
        workshop.obtainer().to_tree(source, tmp_path, [member], tmp_path / "out")
