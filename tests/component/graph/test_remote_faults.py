# SPDX-License-Identifier: Apache-2.0
"""Workers and schedulers that die, freeze, differ or are full: no step is lost, none is wrong."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ethosmith.graph import remote_cluster
from ethosmith.graph.code_index import CodeIndex
from ethosmith.graph.http_server import TOKEN_VARIABLE
from ethosmith.graph.remote_cluster import Address
from ethosmith.graph.remote_order import Done
from ethosmith.graph.remote_steps import RemoteSteps
from tests.support.dask_cluster import Scheduler, scheduler
from tests.support.misbehaving_step import Misbehave
from tests.support.needs import program
from tests.support.nginx import TOKEN, nginx

pytestmark = pytest.mark.long

_CODE = CodeIndex().closure(Misbehave.__module__).modules
_OUTPUT = Path("build/zeros.bin")
_FULL_BYTES = 1 << 20
_needs_mounts = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root mounts file systems"
)


class Project:
    """A project in the working directory whose steps go to a cluster.

    Attributes:
        notes: what its build shows.
    """

    def __init__(self, address: str, store: str) -> None:
        self.notes: list[str] = []
        root = Path.cwd()
        place = store or str(root / "store")
        self._steps = RemoteSteps(Address.parse(address), place, root, self.notes.append)
        self.close = self._steps.close

    def run(
        self,
        behaviour: str = "",
        size_bytes: int = 1,
        signs: str = "",
        inputs: tuple[Path, ...] = (),
    ) -> Done | None:
        """Run the step there; None: it has to run here."""
        step = Misbehave(
            behaviour=behaviour,
            signs=signs,
            size_bytes=size_bytes,
            given=inputs,
            output=_OUTPUT,
        )
        return self._steps.run(step, {}, _CODE)


@contextlib.contextmanager
def project(address: str, root: Path, store: str = "") -> Iterator[Project]:
    before = Path.cwd()
    root.mkdir(exist_ok=True)
    (root / "build").mkdir(exist_ok=True)
    os.chdir(root)
    one = Project(address, store)
    try:
        yield one
    finally:
        one.close()
        os.chdir(before)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a tmpfs of half of `_FULL_BYTES` on ``folder``; it goes with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = [program("mount"), "-t", "tmpfs", "-o", "size=512k", "ethosmith-test", str(folder)]
    subprocess.run(mount, check=True)
    try:
        yield
    finally:
        subprocess.run([program("umount"), "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scheduler]:
    with scheduler(tmp_path_factory.mktemp("cluster")) as one:
        yield one


def _first(folder: Path, pattern: str) -> Path:
    end_s = time.monotonic() + 60
    while not (found := sorted(folder.glob(pattern))):
        assert time.monotonic() < end_s, f"no {pattern}"
        time.sleep(0.02)
    return found[0]


def test_a_worker_that_is_killed_in_a_step_has_it_done_by_another(tmp_path: Path) -> None:
    signs = tmp_path / "signs"
    signs.mkdir()
    with project("local:2", tmp_path / "here") as here:
        results: list[Done | None] = []
        thread = threading.Thread(target=lambda: results.append(here.run("wait", 7, str(signs))))
        thread.start()
        began = _first(signs, "*.began")
        os.kill(int(began.stem), signal.SIGKILL)
        began.unlink()
        (signs / "go").touch()
        thread.join(60)
        # It began once more, below another process.
        assert _first(signs, "*.began").stem != began.stem
        assert results
        assert results[0] is not None, here.notes
        assert (Path.cwd() / _OUTPUT).read_bytes() == bytes(7)


@pytest.mark.slow
def test_a_step_that_kills_its_workers_comes_home(tmp_path: Path) -> None:
    """As one that needs more memory than a worker has."""
    with project("local:2", tmp_path / "here") as here:
        assert here.run("kill") is None
        (note,) = here.notes
        assert "KilledWorker" in note
        # The workers have started again.
        assert here.run("", 9) is not None, here.notes


def test_a_worker_without_this_repository_is_named(there: Scheduler, tmp_path: Path) -> None:
    with there.worker(PYTHONPATH=""), project(there.address, tmp_path / "here") as here:
        assert here.run() is None
        assert "No module named 'ethosmith'; such steps run here" in here.notes[0]


@pytest.mark.parametrize("years", [-20, pytest.param(20, marks=pytest.mark.slow)])
def test_a_worker_with_another_time_makes_the_same(
    years: int, there: Scheduler, tmp_path: Path
) -> None:
    shift = tmp_path / "shift"
    shift.mkdir()
    (shift / "sitecustomize.py").write_text(
        f"import time\nnow = time.time\ntime.time = lambda: now() + {years} * 365 * 86400\n"
    )
    path = os.pathsep.join((str(shift), there.environment["PYTHONPATH"]))
    with there.worker(PYTHONPATH=path), project(there.address, tmp_path / "here") as here:
        assert here.run("", 11) is not None, here.notes
        assert (Path.cwd() / _OUTPUT).read_bytes() == bytes(11)
        assert here.notes == []


@_needs_mounts
def test_full_disks_are_named_and_leave_what_was_there(there: Scheduler, tmp_path: Path) -> None:
    tiny, root = tmp_path / "tiny", tmp_path / "here"
    worker = there.worker("--local-directory", str(tiny))
    with small_disk(tiny), worker, project(there.address, root) as here:
        assert here.run("", _FULL_BYTES) is None
        assert "No space left on device; such steps run here" in here.notes[0]
        assert here.run("", 13) is not None, here.notes
    # Here: the project's own disk, and the store that carries the files.
    for full, kept in (("build", []), ("store", ["zeros.bin"])):
        with there.worker(), small_disk(root / full), project(there.address, root) as here:
            assert here.run("", _FULL_BYTES) is None
            assert "No space left on device; such steps run here" in here.notes[0]
            assert [path.name for path in (root / "build").iterdir()] == kept


def test_worker_and_build_share_a_server_and_nothing_else(
    there: Scheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nginx(tmp_path / "nginx") as server:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.authority))
        monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
        for name, token in (("writer", TOKEN), ("reader", "")):
            settings = {"REQUESTS_CA_BUNDLE": str(server.authority), TOKEN_VARIABLE: token}
            began = len(server.requests())
            with (
                there.worker(**settings),
                project(there.address, tmp_path / name, server.url) as here,
            ):
                Path("given.bin").write_bytes(name.encode())
                done = here.run("", 17 + len(token), inputs=(Path("given.bin"),))
                assert not Path("store").exists()
                methods = [line.split(" ")[0] for line in server.requests()[began:]]
                if token:
                    assert done is not None, here.notes
                    assert (Path.cwd() / _OUTPUT).read_bytes() == bytes(17 + len(token))
                    # The input there, from there, the output there, from there.
                    assert methods == ["HEAD", "PUT", "GET", "HEAD", "PUT", "GET"]
                else:
                    assert done is None
                    assert "403" in here.notes[0]
                    assert not (Path.cwd() / _OUTPUT).exists()


def test_a_cluster_that_stays_silent_is_given_up(
    there: Scheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last test of the scheduler: no worker, then nobody at all."""
    monkeypatch.setattr(remote_cluster, "_NO_WORKER_FOR_S", 0.5)
    monkeypatch.setattr(remote_cluster, "_LOST_AFTER_S", 0.5)
    monkeypatch.setattr(remote_cluster, "_ASKS_EVERY_S", 0.5)
    monkeypatch.setattr(remote_cluster, "_ANSWERS_WITHIN_S", 1.0)
    with project(there.address, tmp_path / "without") as here:
        assert here.run() is None
        assert here.notes == ["note: steps: the cluster has no worker; all other steps run here"]
    with project(there.address, tmp_path / "frozen") as here:
        thread = threading.Thread(target=here.run)
        thread.start()
        time.sleep(0.3)
        there.process.send_signal(signal.SIGSTOP)
        try:
            thread.join(30)
            assert not thread.is_alive()
            assert len(here.notes) == 1
            assert here.run() is None
        finally:
            there.process.send_signal(signal.SIGCONT)
        assert len(here.notes) == 1
