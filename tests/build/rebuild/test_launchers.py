# SPDX-License-Identifier: Apache-2.0
"""What starts the compilers changes no byte, and what one checkout compiled serves another."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import NewCopy
from tests.support.needs import program
from tests.support.project_copy import ProjectCopy

_KWS = "usecase=kws"
# C with generated headers and without, C++, for the device and for the host.
_LIBRARIES = (
    "build/fvp/ethos-u55-128-shared_sram/lib/libhal.a",
    "build/fvp/lib/libnpu.a",
    "build/host/lib/libsupport.a",
)
_CXX = "build/fvp/ethos-u55-128-shared_sram/obj/kws/kws.cc.o"
_TARGETS = (*_LIBRARIES, _CXX)


@contextlib.contextmanager
def server(*command: str, port: int, log: Path) -> Iterator[None]:
    """Run a server on the loopback interface until the block ends."""
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        deadline = time.monotonic() + 10
        while not accepts(port):
            assert process.poll() is None, f"{command[0]} ended"
            assert time.monotonic() < deadline, f"{command[0]} does not answer"
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def with_ccache(root: Path, folder: Path, **variables: str) -> ProjectCopy:
    """Return a fresh checkout whose ccache keeps to ``folder``."""
    own = {"CCACHE_DIR": str(folder), "CCACHE_CONFIGPATH": os.devnull}
    return replace(ProjectCopy.fresh(root), environment={**own, **variables})


@pytest.fixture(autouse=True)
def ccache_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CCACHE_DISABLE")


def direct_hits(project: ProjectCopy) -> tuple[int, int]:
    """Return how many compiles ccache served, and of how many."""
    said = subprocess.run(
        [program("ccache"), "--show-stats"],
        env=project.process_environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.search(r"Hits: +(\d+) +/ +(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def assert_same(project: ProjectCopy, built: ProjectCopy) -> None:
    for target in _TARGETS:
        assert project.read_bytes(target) == built.read_bytes(target), target


@pytest.mark.long
def test_a_second_checkout_gets_its_objects_from_ccache_and_they_are_the_same(
    built: ProjectCopy, tmp_path: Path
) -> None:
    program("ccache")
    first = with_ccache(tmp_path / "first", tmp_path / "store")
    first.build(*_TARGETS, _KWS)
    assert_same(first, built)
    assert direct_hits(first)[0] == 0
    second = with_ccache(tmp_path / "second one", tmp_path / "store")
    second.build(*_TARGETS, _KWS, "launcher=ccache")
    assert_same(second, built)
    hits, calls = direct_hits(second)
    assert 2 * hits == calls > 20


@pytest.mark.slow
def test_checkouts_on_two_machines_share_by_a_redis_server(
    built: ProjectCopy, tmp_path: Path
) -> None:
    program("ccache")
    port = free_port()
    arguments = (
        "--dir",
        str(tmp_path),
        "--bind",
        "127.0.0.1",
        "--port",
        str(port),
        "--save",
        "",
        "--appendonly",
        "no",
    )
    remote = {"CCACHE_REMOTE_STORAGE": f"redis://127.0.0.1:{port}"}
    with server(program("redis-server"), *arguments, port=port, log=tmp_path / "redis.log"):
        with_ccache(tmp_path / "first", tmp_path / "store1", **remote).build(_LIBRARIES[1], _KWS)
        second = with_ccache(tmp_path / "second", tmp_path / "store2", **remote)
        second.build(_LIBRARIES[1], _KWS)
    assert second.read_bytes(_LIBRARIES[1]) == built.read_bytes(_LIBRARIES[1])
    hits, calls = direct_hits(second)
    assert hits == calls > 3


def without_debug_information(path: Path, folder: Path) -> bytes:
    stripped = folder / "stripped"
    for_device = "build/fvp" in str(path)
    strip = program("arm-none-eabi-strip" if for_device else "strip")
    options = ("--strip-debug", "--enable-deterministic-archives", "-o", stripped)
    subprocess.run([strip, *options, path], check=True)
    return stripped.read_bytes()


@pytest.mark.slow
def test_another_machine_compiles_by_distcc_the_same_code(
    built: ProjectCopy, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "distccd.log"
    daemon = [
        program("distccd"),
        "--daemon",
        "--no-detach",
        "--no-fork",
        "--allow",
        "127.0.0.1",
        "--port",
    ]
    daemon += [str(port), "--listen", "127.0.0.1", "--log-stderr", "--jobs", "2"]
    # Its compilers are not in the distribution's list of those that it may run.
    daemon += ["--enable-tcp-insecure", "--log-level", "info"]
    hosts = {
        "DISTCC_HOSTS": f"127.0.0.1:{port}",
        "DISTCC_FALLBACK": "0",
        "DISTCC_DIR": str(tmp_path / "distcc"),
    }
    (tmp_path / "distcc").mkdir()
    with server(*daemon, port=port, log=log):
        project = replace(ProjectCopy.fresh(tmp_path / "project"), environment=hosts)
        project.build(_LIBRARIES[1], _CXX, _KWS, "launcher=distcc")
    for target in (_LIBRARIES[1], _CXX):
        # The compiler over there sees no macros, and says other lines for what they stand for.
        made = without_debug_information(project.root / target, tmp_path)
        assert made == without_debug_information(built.root / target, tmp_path), target
    assert log.read_text().count("COMPILE_OK") > 4


def test_a_launcher_that_comes_or_goes_makes_nothing_anew(copy_of_built: NewCopy) -> None:
    program("ccache")  # none of the others used it
    project = copy_of_built()
    assert project.build(*_TARGETS, _KWS, "launcher=ccache").steps == set()
