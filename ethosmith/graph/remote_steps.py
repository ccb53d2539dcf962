# SPDX-License-Identifier: Apache-2.0
"""Steps on a Dask cluster: ``steps=local:2``, ``steps=tcp://…`` on this machine, or ``tls://…``.

SCons keeps the graph, Dask keeps the workers, and the build cache carries the files. Whatever
goes wrong on the way is reported in a line, and the step runs here: no build fails because of the
cluster. Dask is imported when the first step is sent.
"""

from __future__ import annotations

import atexit
import hashlib
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.cache_record import DamagedEntry, NotKept
from ethosmith.graph.http_server import ServerFailure, is_loopback
from ethosmith.graph.remote_order import Done, Order, Store, order_of, store_at
from ethosmith.graph.remote_worker import run_order
from ethosmith.installation import PYTHON_PATH
from ethosmith.steps.step import Step

_LOCAL = re.compile(r"local:([1-9][0-9]{0,2})")
_CONNECTS_WITHIN_S = 20.0
_ASKS_EVERY_S = 2.0
# A scheduler that nobody has heard of for so long is gone; Dask tries to connect again meanwhile.
_LOST_AFTER_S = 15.0
# Of a cluster of our own, if this process is killed.
_IDLE_TIMEOUT = "30 minutes"
# Of its workers without a scheduler: they outlive no build.
_ORPHANED_AFTER = "30 s"
_SECRETS = re.compile(r"ETHOSMITH_BUILD_CACHE_(KEY|TOKEN)")


@dataclass(frozen=True)
class Address:
    """Where steps go: a number of workers of our own, or a scheduler.

    Attributes:
        workers: of our own; 0: there is a scheduler.
        scheduler: its address.
    """

    workers: int = 0
    scheduler: str = ""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Return what ``steps=`` means.

        Raises:
            EthosmithError: it is none of the forms, or an unencrypted way to another machine.
        """
        local = _LOCAL.fullmatch(text)
        if local:
            return cls(workers=int(local[1]))
        try:
            parts = urlsplit(text)
            scheme, host, port, path = parts.scheme, parts.hostname, parts.port, parts.path
        except ValueError:
            scheme, host, port, path = "", None, None, ""
        if scheme not in {"tcp", "tls"} or not host or not port or path:
            raise EthosmithError(
                f"steps={text}: expected local:N, tls://HOST:PORT or, on this machine,"
                " tcp://HOST:PORT"
            )
        if scheme == "tcp" and not is_loopback(host):
            raise EthosmithError(
                f"steps={text}: whoever reads or changes this connection runs programs here; give"
                " tls:// and certificates (docs/scale.md)"
            )
        return cls(scheduler=text)


class RemoteSteps:
    """Runs steps on a cluster. Threads may share it.

    Args:
        address: of ``steps=``.
        store: the folder or address of the store.
        root: the project's folder.
        note: shows a line.
    """

    def __init__(
        self, address: Address, store: str, root: Path, note: Callable[[str], None]
    ) -> None:
        self._address, self._place, self._root, self._note = address, store, root, note
        self._store: Store = store_at(store)
        self._lock = threading.Lock()
        self._client: Any = None
        self._cluster: Any = None
        self._is_off = False
        self._noted: set[str] = set()

    def run(self, step: Step, packages: Mapping[str, str], code: Mapping[str, str]) -> Done | None:
        """Run a step on a worker, and write its outputs here.

        Args:
            step: a distributable one.
            packages: of its facts.
            code: of its facts.

        Returns:
            What the worker answered; None: the step has to run here, and a line said why.
        """
        if self._is_off or step.staying():
            return None
        try:
            order = order_of(step, packages, code, self._place, self._root)
            for path in dict.fromkeys(step.inputs):
                self._store.keep(path)
            done = self._ask(order)
            if done is None:
                return None
            if done.refused:
                self._say_once(f"{step.name()}: the worker {done.refused}")
                return None
            self._take(step, done)
        except (DamagedEntry, NotKept, ServerFailure, OSError, ValueError, KeyError) as error:
            self._say_once(f"{step.name()}: {error or 'an output is not in the store'}")
            return None
        return done

    def _take(self, step: Step, done: Done) -> None:
        """Write the outputs, whose hashes are checked; ValueError if they are not all there."""
        if len(done.outputs) != len(step.outputs):
            raise ValueError(f"{len(done.outputs)} outputs came, expected {len(step.outputs)}")
        for kept, path in zip(done.outputs, step.outputs, strict=True):
            self._store.bring(kept, self._root / path)

    def _say_once(self, reason: str) -> None:
        with self._lock:
            known = reason in self._noted
            self._noted.add(reason)
        if not known:
            self._note(f"note: steps: {reason}; such steps run here")

    def _ask(self, order: Order) -> Done | None:
        """Send an order and wait for its end; None: the cluster cannot be used any more."""
        client = self._connected()
        if client is None:
            return None
        text = order.text
        key = f"{order.step}-{hashlib.sha256(text.encode()).hexdigest()}"
        try:
            future = client.submit(run_order, text, key=key, pure=False)
            answer = self._wait(client, future)
            return Done.parse(answer) if answer is not None else None
        except Exception as error:  # noqa: BLE001 Dask raises what its parts raise
            if client.status != "running":
                self._give_up(f"the scheduler is gone ({type(error).__name__})")
            else:
                self._say_once(f"{order.step}: {type(error).__name__}: {_first_line(error)}")
            return None

    def _wait(self, client: Any, future: Any) -> str | None:
        from distributed import TimeoutError as DaskTimeoutError  # noqa: PLC0415

        lost_s: float | None = None
        while True:
            with suppress(DaskTimeoutError):
                answer: str = future.result(timeout=_ASKS_EVERY_S)
                return answer
            if client.status == "running" and client.scheduler_info().get("workers") is not None:
                lost_s = None
                continue
            lost_s = lost_s or time.monotonic()
            if time.monotonic() - lost_s > _LOST_AFTER_S:
                self._give_up("the scheduler is gone")
                return None

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None and not self._is_off:
                try:
                    self._client = self._connect()
                except Exception as error:  # noqa: BLE001 as above
                    self._is_off = True
                    reason = f"{type(error).__name__}: {_first_line(error)}"
                    self._note(f"note: steps: no cluster: {reason}; all steps run here")
            return self._client

    def _connect(self) -> Any:
        from distributed import Client  # noqa: PLC0415
        from distributed.deploy.subprocess import SubprocessCluster  # noqa: PLC0415

        # What goes wrong is noted here, in a line.
        logging.getLogger("distributed").setLevel(logging.CRITICAL + 1)
        # After Dask's own, so it is called before: a client without a scheduler would wait for one.
        atexit.register(self.close)
        if self._address.workers:
            with _worker_environment():
                self._cluster = SubprocessCluster(
                    host="127.0.0.1",
                    n_workers=self._address.workers,
                    threads_per_worker=1,
                    dashboard_address=None,
                    scheduler_kwargs={"idle_timeout": _IDLE_TIMEOUT},
                    worker_kwargs={
                        "memory_limit": 0,
                        "dashboard": False,
                        "death_timeout": _ORPHANED_AFTER,
                    },
                )
            address, security = self._cluster.scheduler_address, None
        else:
            address, security = self._address.scheduler, _security(self._address.scheduler)
        return Client(address, security=security, timeout=_CONNECTS_WITHIN_S, set_as_default=False)

    def _give_up(self, reason: str) -> None:
        with self._lock:
            first, self._is_off = not self._is_off, True
        if first:
            self._note(f"note: steps: {reason}; all other steps run here")

    def close(self) -> None:
        """Let the connection and workers of our own go."""
        for one in (self._client, self._cluster):
            if one is not None:
                with suppress(Exception):
                    one.close(timeout=_ASKS_EVERY_S)


def check_installed() -> None:
    """Raise an `EthosmithError` if Dask's `distributed` is missing, without importing it."""
    from importlib.util import find_spec  # noqa: PLC0415

    if find_spec("distributed") is None:
        raise EthosmithError(
            "steps= needs the Python package 'distributed': install it with: pip install"
            " distributed"
        )


class _worker_environment:  # noqa: N801 used as a function is
    """Lets processes find this `ethosmith`, and none of the build cache's secrets."""

    def __enter__(self) -> None:
        self._before = dict(os.environ)
        for name in self._before:
            if _SECRETS.fullmatch(name):
                del os.environ[name]
        os.environ["PYTHONPATH"] = PYTHON_PATH

    def __exit__(self, *_: object) -> None:
        os.environ.clear()
        os.environ.update(self._before)


def _security(address: str) -> Any:
    """Return the certificates of Dask's settings for ``tls://``; EthosmithError without them."""
    if not address.startswith("tls://"):
        return None
    from distributed.security import Security  # noqa: PLC0415

    security = Security(require_encryption=True)
    for name in ("tls_ca_file", "tls_client_cert", "tls_client_key"):
        if not getattr(security, name):
            setting = name.removeprefix("tls_").upper()
            raise EthosmithError(
                f"steps={address}: {name} is not set (DASK_DISTRIBUTED__COMM__TLS__"
                f"{setting.replace('CLIENT_', 'CLIENT__')})"
            )
    return security


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "")[:160]
