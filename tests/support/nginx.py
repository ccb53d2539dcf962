# SPDX-License-Identifier: Apache-2.0
"""A real nginx with WebDAV and TLS as a build cache's server, as docs/caching.md sets it up."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.support import needs

TOKEN = "a-token-of-ci"  # noqa: S105 of a server that lives as long as a test
_STARTS_WITHIN_S = 10.0
_LAST = "the-last-request"
_CONFIGURATION = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/unused;
    fastcgi_temp_path {folder}/unused;
    uwsgi_temp_path {folder}/unused;
    scgi_temp_path {folder}/unused;
    map "$request_method $http_authorization" $refused {{
        default 1;
        "~^(GET|HEAD) " 0;
        "PUT Bearer {token}" 0;
    }}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.key;
        location /ethosmith/ {{
            if ($refused) {{ return 403; }}
            alias {folder}/kept/;
            dav_methods PUT;
            create_full_put_path on;
            client_max_body_size {limit};
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A running server.

    Attributes:
        url: of the cache in it.
        kept: the folder where the cache lies.
        authority: the certificate that it is checked with.
        log: its access log.
    """

    url: str
    kept: Path
    authority: Path
    log: Path

    def requests(self) -> list[str]:
        """Return method and path of each request so far."""
        # It logs a request after it has answered, but before it looks at the next one.
        requests.get(f"{self.url}/{_LAST}", verify=str(self.authority), timeout=_STARTS_WITHIN_S)
        lines = self.log.read_text().splitlines()
        return [line.split('"')[1].rsplit(" ", 1)[0] for line in lines if _LAST not in line]


def make_certificates(folder: Path) -> Path:
    """Make a certificate authority and a certificate for 127.0.0.1; return the authority's."""
    openssl = needs.program("openssl")

    def call(*words: str) -> None:
        subprocess.run([openssl, *words], cwd=folder, check=True, capture_output=True)

    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    call("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test CA")
    call("req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
    call("x509", "-req", "-in", "server.csr", *signed, "-days", "2", "-out", "server.pem")
    return folder / "ca.pem"


@contextmanager
def nginx(folder: Path, limit: str = "1g") -> Iterator[Nginx]:
    """Run a server whose files are in ``folder``; it takes bodies of at most ``limit``."""
    program = needs.program("nginx")
    folder.mkdir(parents=True, exist_ok=True)
    authority = make_certificates(folder)
    (folder / "kept").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    user = "user root;" if os.geteuid() == 0 else ""
    text = _CONFIGURATION.format(folder=folder, port=port, token=TOKEN, limit=limit, user=user)
    (folder / "nginx.conf").write_text(text)
    process = subprocess.Popen([program, "-c", folder / "nginx.conf", "-p", folder])
    try:
        _wait_for(process, port)
        url = f"https://127.0.0.1:{port}/ethosmith"
        yield Nginx(url, folder / "kept", authority, folder / "access.log")
    finally:
        process.terminate()
        process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    end_s = time.monotonic() + _STARTS_WITHIN_S
    while True:
        assert process.poll() is None, "nginx has ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < end_s, "nginx does not answer"
            time.sleep(0.02)
