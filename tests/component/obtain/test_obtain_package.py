# SPDX-License-Identifier: Apache-2.0
"""A package's file is found through whatever indexes pip is configured to use."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.base import plain
from ethosmith.obtain.package_index import Offer, parse_html
from ethosmith.obtain.pip_settings import (
    DEFAULT_INDEX_URL,
    PipSettings,
    parse_pip_settings,
    read_pip_settings,
)
from ethosmith.obtain.source import PackageSource
from tests.component.obtain.conftest import Workshop, sha256
from tests.support.local_server import LocalServer, Resource

HERE = Path()
FILE = "demo_net-1.2.0.tar.gz"
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"


def sdist(marker: Path) -> bytes:
    """Return an sdist whose build backend would create ``marker`` if anything ran it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in {
            "setup.py": f"open({str(marker)!r}, 'w')",
            "PKG-INFO": "Metadata-Version: 1.0\nName: demo-net\nVersion: 1.2.0\n",
            "weights.txt": "1 2 3",
        }.items():
            info = tarfile.TarInfo(f"demo_net-1.2.0/{name}")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def source_of(body: bytes, member: str | None = None) -> PackageSource:
    return PackageSource(
        package="Demo.Net", version="1.2", artefact=FILE, sha256=sha256(body), member=member
    )


def publish(server: LocalServer, body: bytes, fragment: str = "") -> str:
    """Offer ``body`` on a PEP 503 index and return the index's URL."""
    page = f'<!doctype html><a href="../../files/{FILE}{fragment}">{FILE}</a>'
    server.resources["/simple/demo-net/"] = Resource(
        page.encode(), headers={"Content-Type": "text/html"}
    )
    server.resources[f"/files/{FILE}"] = Resource(body)
    return f"{server.url}/simple"


def test_sdist_is_fetched_and_never_run(
    server: LocalServer, workshop: Workshop, tmp_path: Path
) -> None:
    marker = tmp_path / "ran"
    body = sdist(marker)
    index = publish(server, body, f"#sha256={sha256(body)}")
    output = tmp_path / "weights.txt"
    source = source_of(body, "demo_net-1.2.0/weights.txt")
    workshop.obtainer(indexes=(index,)).to_file(source, HERE, output)
    assert output.read_text() == "1 2 3"
    assert not marker.exists()


def test_json_index_is_understood(server: LocalServer, workshop: Workshop, tmp_path: Path) -> None:
    body = sdist(tmp_path / "ran")
    index = publish(server, body)
    listing = {
        "meta": {"api-version": "1.1"},
        "files": [{"filename": FILE, "url": f"/files/{FILE}", "hashes": {"sha256": sha256(body)}}],
    }
    server.resources["/simple/demo-net/"] = Resource(
        json.dumps(listing).encode(), headers={"Content-Type": SIMPLE_JSON}
    )
    found = workshop.obtainer(indexes=(index,)).artefact(source_of(body), HERE)
    assert found.read_bytes() == body


def test_next_index_is_asked_when_one_lacks_the_package(
    server: LocalServer, workshop: Workshop, tmp_path: Path
) -> None:
    body = sdist(tmp_path / "ran")
    index = publish(server, body)
    found = workshop.obtainer(indexes=(f"{server.url}/empty", index))
    assert found.artefact(source_of(body), HERE).read_bytes() == body


def test_wrong_file_of_one_mirror_does_not_stop_the_search(
    server: LocalServer, workshop: Workshop, tmp_path: Path
) -> None:
    body = sdist(tmp_path / "ran")
    index = publish(server, body)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / FILE).write_bytes(b"somebody's own build")
    obtainer = workshop.obtainer(indexes=(index,), find_links=(str(wheels),))
    assert obtainer.artefact(source_of(body), HERE).read_bytes() == body


def test_find_links_folder_needs_no_network(workshop: Workshop, tmp_path: Path) -> None:
    body = sdist(tmp_path / "ran")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / FILE).write_bytes(body)
    obtainer = workshop.obtainer(find_links=(wheels.as_uri(),))
    assert obtainer.artefact(source_of(body), HERE).read_bytes() == body


def test_index_with_another_hash_is_refused_before_the_download(
    server: LocalServer, workshop: Workshop, tmp_path: Path
) -> None:
    body = sdist(tmp_path / "ran")
    index = publish(server, body, f"#sha256={'0' * 64}")
    with pytest.raises(EthosmithError, match=f"wrong SHA-256.*the index declares {'0' * 64}"):
        workshop.obtainer(indexes=(index,)).artefact(source_of(body), HERE)
    assert server.paths() == ["/simple/demo-net/"]


def test_unknown_file_names_the_nearest_and_unknown_package_says_so(
    server: LocalServer, workshop: Workshop, tmp_path: Path
) -> None:
    body = sdist(tmp_path / "ran")
    index = publish(server, body)
    other = PackageSource(
        package="demo-net", version="1.3", artefact="demo_net-1.3.tar.gz", sha256="0" * 64
    )
    with pytest.raises(EthosmithError, match=rf"no such file.*did you mean '{FILE}'"):
        workshop.obtainer(indexes=(index,)).artefact(other, HERE)
    with pytest.raises(EthosmithError, match="no such package"):
        workshop.obtainer(indexes=(f"{server.url}/empty",)).artefact(other, HERE)


def test_command_line_uses_the_pip_configuration_of_the_user(
    server: LocalServer, tmp_path: Path
) -> None:
    body = sdist(tmp_path / "ran")
    config = tmp_path / "pip.conf"
    config.write_text(f"[global]\nindex-url = {publish(server, body)}\n")
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    command = [sys.executable, "-m", "ethosmith", "step", "obtain-file", "--source"]
    command += [json.dumps(plain(source_of(body), without_none=True))]
    command += ["--output", str(tmp_path / "out")]
    result = subprocess.run(
        command,
        env={
            **variables,
            "PIP_CONFIG_FILE": str(config),
            "ETHOSMITH_CACHE": str(tmp_path / "cache"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out").read_bytes() == body
    assert result.stderr == f"fetching {FILE} ({len(body)} B)\n"


def test_html_page_with_a_base_and_broken_links() -> None:
    page = """<base href="https://f.example/files/"><a>x</a><a href="http://[">y</a>
        <a href="demo_net-1.2.0.tar.gz#sha256=AB&amp;x" data-yanked>z</a>
        <a href="d%2Bcpu.whl#md5=1">w</a>"""
    assert parse_html(page, "https://i.example/simple/demo-net/") == [
        Offer("demo_net-1.2.0.tar.gz", "https://f.example/files/demo_net-1.2.0.tar.gz", "ab"),
        Offer("d+cpu.whl", "https://f.example/files/d%2Bcpu.whl"),
    ]


def test_pip_settings_rank_variables_over_sections_over_global() -> None:
    listing = "\n".join(
        [
            r"global.index-url='https://a.example/simple'",
            r"global.extra-index-url='https://b.example/simple file:///c'",
            r"global.cert='/global.pem'",
            r"download.index-url='https://d.example/simple'",
            r":env:.cert='/env.pem'",
            r":env:.default-timeout='180'",
            r"install.cert='/unrelated.pem'",
        ]
    )
    assert parse_pip_settings(listing) == PipSettings(
        index_urls=("https://d.example/simple", "https://b.example/simple", "file:///c"),
        ca_bundle=Path("/env.pem"),
        timeout_s=180,
    )


def test_pip_settings_default_and_no_index() -> None:
    assert parse_pip_settings("").index_urls == (DEFAULT_INDEX_URL,)
    assert parse_pip_settings(":env:.no-index='1'").index_urls == ()


def test_variables_count_where_there_is_no_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setenv("PIP_INDEX_URL", "https://e.example/simple")
    assert read_pip_settings().index_urls[0] == "https://e.example/simple"
