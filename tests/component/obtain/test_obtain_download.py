# SPDX-License-Identifier: Apache-2.0
"""Downloads end with the right bytes in the cache, or with a clear error and nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.base import plain
from ethosmith.obtain.cache import Cache
from ethosmith.obtain.source import PathSource, UrlSource
from tests.component.obtain.conftest import Workshop, sha256
from tests.support.local_server import LocalServer, Resource
from tests.support.project_copy import ROOT

BODY = bytes(range(256)) * 4096
HERE = Path()


def url_source(server: LocalServer, resource: Resource, body: bytes = BODY) -> UrlSource:
    server.resources["/f.bin"] = resource
    return UrlSource(url=f"{server.url}/f.bin", sha256=sha256(body))


def visible_files(workshop: Workshop) -> list[Path]:
    return [path for path in (workshop.cache.root / "sha256").rglob("*") if path.is_file()]


def test_second_use_asks_no_server(server: LocalServer, workshop: Workshop) -> None:
    source = url_source(server, Resource(BODY))
    first = workshop.obtainer().artefact(source, HERE)
    second = workshop.obtainer(offline=True).artefact(source, HERE)
    assert first == second
    assert second.read_bytes() == BODY
    assert len(server.requests) == 1


def test_wrong_hash_is_refused_and_nothing_is_kept(server: LocalServer, workshop: Workshop) -> None:
    source = url_source(server, Resource(b"not it"))
    expected = f"expected {sha256(BODY)}, got {sha256(b'not it')}"
    with pytest.raises(EthosmithError, match=expected):
        workshop.obtainer().artefact(source, HERE)
    assert visible_files(workshop) == []
    assert not workshop.cache.partial_path_of(source.sha256).exists()


def test_broken_connection_is_continued_where_it_broke(
    server: LocalServer, workshop: Workshop
) -> None:
    source = url_source(server, Resource(BODY, cut_after=[1000, 5000]))
    assert workshop.obtainer().artefact(source, HERE).read_bytes() == BODY
    assert [asked for _, asked in server.requests] == ["", "bytes=1000-", "bytes=6000-"]
    assert workshop.pauses_s == [1, 2]


def test_server_without_ranges_starts_over(server: LocalServer, workshop: Workshop) -> None:
    source = url_source(server, Resource(BODY, cut_after=[1000], ranges=False))
    assert workshop.obtainer().artefact(source, HERE).read_bytes() == BODY


def test_always_truncated_download_is_an_error(server: LocalServer, workshop: Workshop) -> None:
    source = url_source(server, Resource(BODY, cut_after=[10] * 9, ranges=False))
    with pytest.raises(EthosmithError, match=r"connection broke.*tried 4 times"):
        workshop.obtainer().artefact(source, HERE)
    assert visible_files(workshop) == []


def test_foreign_rest_of_a_download_is_dropped(server: LocalServer, workshop: Workshop) -> None:
    source = url_source(server, Resource(BODY))
    partial = workshop.cache.partial_path_of(source.sha256)
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"another file's beginning")
    assert workshop.obtainer().artefact(source, HERE).read_bytes() == BODY


@pytest.mark.parametrize("extra", [b"", b"longer than the file"])
def test_rest_that_is_already_whole_or_too_long(
    server: LocalServer, workshop: Workshop, extra: bytes
) -> None:
    source = url_source(server, Resource(BODY))
    partial = workshop.cache.partial_path_of(source.sha256)
    partial.parent.mkdir(parents=True)
    partial.write_bytes(BODY + extra)
    assert workshop.obtainer().artefact(source, HERE).read_bytes() == BODY


def test_busy_server_is_asked_again(server: LocalServer, workshop: Workshop) -> None:
    source = url_source(server, Resource(BODY, busy=2))
    workshop.obtainer().artefact(source, HERE)
    assert workshop.pauses_s == [1, 2]


def test_missing_file_is_named_at_once(server: LocalServer, workshop: Workshop) -> None:
    source = UrlSource(url=f"{server.url}/none.zip?token=secret", sha256=sha256(BODY))
    with pytest.raises(EthosmithError, match=r"/none\.zip: the server answered 404") as error:
        workshop.obtainer().artefact(source, HERE)
    assert workshop.pauses_s == []
    assert "secret" not in str(error.value)


def test_redirect_is_followed_and_a_loop_is_not(server: LocalServer, workshop: Workshop) -> None:
    source = url_source(server, Resource(BODY))
    server.resources["/moved"] = Resource(status=302, headers={"Location": "/f.bin"})
    server.resources["/loop"] = Resource(status=302, headers={"Location": "/loop"})
    moved = UrlSource(url=f"{server.url}/moved", sha256=source.sha256)
    assert workshop.obtainer().artefact(moved, HERE).read_bytes() == BODY
    loop = UrlSource(url=f"{server.url}/loop", sha256=sha256(b"other"))
    with pytest.raises(EthosmithError, match="more than 5 redirects"):
        workshop.obtainer().artefact(loop, HERE)


def test_redirect_to_a_local_file_is_refused(
    server: LocalServer, workshop: Workshop, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(BODY)
    source = url_source(server, Resource(status=302, headers={"Location": secret.as_uri()}))
    with pytest.raises(EthosmithError):
        workshop.obtainer().artefact(source, HERE)


def test_unreachable_host_is_named(workshop: Workshop) -> None:
    source = UrlSource(url="http://127.0.0.1:9/f.bin", sha256=sha256(BODY))
    with pytest.raises(
        EthosmithError, match=r"f\.bin: cannot reach 127\.0\.0\.1.*check the network"
    ):
        workshop.obtainer().artefact(source, HERE)
    assert workshop.pauses_s == [1, 2, 4]


def test_damaged_cache_is_fetched_again(server: LocalServer, workshop: Workshop) -> None:
    source = url_source(server, Resource(BODY))
    cached = workshop.obtainer().artefact(source, HERE)
    cached.chmod(0o644)
    cached.write_bytes(BODY[:-1])
    assert workshop.obtainer().artefact(source, HERE).read_bytes() == BODY
    assert len(server.requests) == 2


def test_damaged_cache_is_refused_offline(server: LocalServer, workshop: Workshop) -> None:
    source = url_source(server, Resource(BODY))
    cached = workshop.obtainer().artefact(source, HERE)
    cached.chmod(0o644)
    cached.write_bytes(b"")
    with pytest.raises(EthosmithError, match=r"f\.bin: the cached copy is damaged.*offline=1"):
        workshop.obtainer(offline=True).artefact(source, HERE)


def test_offline_error_says_where_the_file_is_expected(workshop: Workshop) -> None:
    source = UrlSource(url="https://example.org/model.zip", sha256=sha256(BODY))
    with pytest.raises(EthosmithError, match=r"model\.zip: not in the cache") as error:
        workshop.obtainer(offline=True).artefact(source, HERE)
    expected = workshop.cache.path_of(source.sha256)
    assert str(expected) in str(error.value)
    expected.parent.mkdir(parents=True)
    expected.write_bytes(BODY)
    assert workshop.obtainer(offline=True).artefact(source, HERE) == expected


def test_local_file_is_relative_to_the_descriptor(tmp_path: Path, workshop: Workshop) -> None:
    (tmp_path / "model.h5").write_bytes(BODY)
    obtainer = workshop.obtainer(offline=True)
    good = PathSource(path="model.h5", sha256=sha256(BODY))
    assert obtainer.artefact(good, tmp_path) == tmp_path / "model.h5"
    with pytest.raises(EthosmithError, match=r"none\.h5: no such file"):
        obtainer.artefact(PathSource(path="none.h5"), tmp_path)
    with pytest.raises(EthosmithError, match=r"model\.h5: wrong SHA-256: expected 0{64}"):
        obtainer.artefact(PathSource(path="model.h5", sha256="0" * 64), tmp_path)


def test_failed_output_leaves_the_old_one(tmp_path: Path, workshop: Workshop) -> None:
    output = tmp_path / "out" / "model.h5"
    output.parent.mkdir()
    output.write_bytes(b"old")
    with pytest.raises(EthosmithError):
        workshop.obtainer().to_file(PathSource(path="none.h5"), tmp_path, output)
    assert output.read_bytes() == b"old"
    assert list(output.parent.iterdir()) == [output]


def start_process(source: UrlSource, workshop: Workshop, output: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ethosmith", "step", "obtain-file", "--source"]
    command += [json.dumps(plain(source, without_none=True)), "--output", str(output)]

    return subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        cwd=output.parent,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PIP_CONFIG_FILE": os.devnull,
            "ETHOSMITH_CACHE": str(workshop.cache.root),
        },
    )


def wait_for_bytes(path: Path, size_bytes: int) -> None:
    deadline_s = time.monotonic() + 30
    while not path.exists() or path.stat().st_size < size_bytes:
        assert time.monotonic() < deadline_s, "the download did not begin"
        time.sleep(0.01)


def test_killed_download_is_continued_by_the_next_build(
    server: LocalServer, workshop: Workshop, tmp_path: Path
) -> None:
    half = len(BODY) // 2
    resource = Resource(BODY, pause_after=half)
    source = url_source(server, resource)
    process = start_process(source, workshop, tmp_path / "f.bin")
    wait_for_bytes(workshop.cache.partial_path_of(source.sha256), half - (1 << 18))
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert visible_files(workshop) == []

    resource.pause_after = None
    assert workshop.obtainer().artefact(source, HERE).read_bytes() == BODY
    assert server.requests[-1][1].startswith("bytes=")


def test_two_builds_at_once_fetch_once(
    server: LocalServer, workshop: Workshop, tmp_path: Path
) -> None:
    source = url_source(server, Resource(BODY))
    outputs = [tmp_path / "1.bin", tmp_path / "2.bin"]
    processes = [start_process(source, workshop, output) for output in outputs]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert [output.read_bytes() for output in outputs] == [BODY, BODY]
    assert len(server.requests) == 1


def test_command_line_reports_one_line(tmp_path: Path) -> None:
    source = json.dumps({"path": "none.h5"})
    command = [sys.executable, "-m", "ethosmith", "step", "obtain-file", "--source", source]
    result = subprocess.run(
        [*command, "--output", str(tmp_path / "x")], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stderr == "error: none.h5: no such file\n"


def test_a_download_that_nobody_went_on_with_is_removed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    old, new = cache.partial_path_of("a" * 64), cache.partial_path_of("b" * 64)
    old.parent.mkdir(parents=True)
    for path in (old, new):
        path.write_text("half")
    os.utime(old, (0, 0))
    cache.remove_stale_partials(age_s=3600.0)
    assert list(old.parent.iterdir()) == [new]
