# SPDX-License-Identifier: Apache-2.0
"""The Dask cluster behind ``steps=``: where it is, how it is reached, and whether it still answers.

Dask is imported when the first step is sent.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.http_server import is_loopback
from ethosmith.installation import PYTHON_PATH

_LOCAL = re.compile(r"local:([1-9][0-9]{0,2})")
_CONNECTS_WITHIN_S = 20.0
_CLOSES_WITHIN_S = 2.0
# How often a scheduler is asked whether it is there, by all steps together.
_ASKS_EVERY_S = 2.0
_ANSWERS_WITHIN_S = 5.0
# A scheduler that nobody has heard of for so long is gone; Dask tries to connect again meanwhile.
_LOST_AFTER_S = 15.0
# Workers may be starting, or starting again.
_NO_WORKER_FOR_S = 60.0
# Of a cluster of our own, if this process is killed.
_IDLE_TIMEOUT = "30 minutes"
# Of its workers without a scheduler: they outlive no build.
_ORPHANED_AFTER = "30 s"
# A worker that cannot import what it is sent ends; so it is sent a built-in function, and what that
# cannot import is an error of the order. The order itself is data.
_RUN_ORDER = "__import__('ethosmith.graph.remote_worker', fromlist=['']).run_order(text)"
# Looking at themselves costs a scheduler and a worker more than a step does.
_QUIET = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "10s",
}
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


class ClusterLost(Exception):  # noqa: N818 no error of a user: its steps run here
    """The cluster cannot be used any more; the text says why."""


class Cluster:
    """Runs orders on a Dask cluster. Threads may share it.

    Args:
        address: of ``steps=``.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._client: Any = None
        self._own: Any = None
        self._asked_s = 0.0
        self._trouble = self._lost = ""
        self._trouble_since_s = 0.0

    def connect(self) -> None:
        """Connect, and start workers of our own first; whatever Dask raises if that fails."""
        from distributed import Client

        # What goes wrong is reported by who runs the steps, in a line.
        logging.getLogger("distributed").setLevel(logging.CRITICAL + 1)
        # After Dask's own, so it is called before: a client without a scheduler would wait for one.
        atexit.register(self.close)
        if self._address.workers:
            self._own = _start_workers(self._address.workers)
            address, security = self._own.scheduler_address, None
        else:
            address, security = self._address.scheduler, _security(self._address.scheduler)
        self._client = Client(
            address, security=security, timeout=_CONNECTS_WITHIN_S, set_as_default=False
        )

    def run(self, text: str, key: str) -> str:
        """Return a worker's answer to an order.

        Args:
            text: the order.
            key: the same for the same order.

        Raises:
            ClusterLost: no scheduler or no worker is left.
            Exception: of Dask; the order could not be run, others may.
        """
        from distributed import TimeoutError as DaskTimeoutError

        try:
            future = self._client.submit(eval, _RUN_ORDER, {"text": text}, key=key, pure=False)
            while True:
                with suppress(DaskTimeoutError):
                    answer: str = future.result(timeout=_ASKS_EVERY_S)
                    return answer
                self._check()
        except ClusterLost:
            raise
        except Exception as error:
            if self._client.status != "running":
                raise ClusterLost(f"the scheduler is gone ({type(error).__name__})") from error
            raise

    def _check(self) -> None:
        """Raise `ClusterLost` if nothing has been able to run for long."""
        if self._lost:
            raise ClusterLost(self._lost)
        if not self._lock.acquire(blocking=False):
            return  # another step asks just now
        try:
            now_s = time.monotonic()
            if now_s - self._asked_s < _ASKS_EVERY_S:
                return
            found, limit_s = self._ask()
            self._asked_s = time.monotonic()
            if found != self._trouble:
                self._trouble, self._trouble_since_s = found, now_s
            if found and now_s - self._trouble_since_s > limit_s:
                self._lost = found
                raise ClusterLost(found)
        finally:
            self._lock.release()

    def _ask(self) -> tuple[str, float]:
        """Return what is wrong with the cluster, or nothing, and for how long it may be."""
        if self._client.status != "running":
            return "the scheduler is gone", _LOST_AFTER_S
        try:
            # A number of workers that does not grow with the cluster.
            found = self._client.sync(
                self._client.scheduler.identity, n_workers=1, callback_timeout=_ANSWERS_WITHIN_S
            )
        except Exception:  # noqa: BLE001 Dask raises what its parts raise
            return "the scheduler does not answer", _LOST_AFTER_S
        return ("", 0.0) if found["workers"] else ("the cluster has no worker", _NO_WORKER_FOR_S)

    def close(self) -> None:
        """Let the connection and workers of our own go."""
        for one in (self._client, self._own):
            if one is not None:
                with suppress(Exception):
                    one.close(timeout=_CLOSES_WITHIN_S)


def _start_workers(count: int) -> Any:
    from distributed.deploy.subprocess import SubprocessCluster

    with _worker_environment():
        return SubprocessCluster(
            host="127.0.0.1",
            n_workers=count,
            threads_per_worker=1,
            dashboard_address=None,
            scheduler_kwargs={"idle_timeout": _IDLE_TIMEOUT},
            worker_kwargs={
                "memory_limit": 0,
                "dashboard": False,
                "death_timeout": _ORPHANED_AFTER,
            },
        )


def check_installed() -> None:
    """Raise an `EthosmithError` if Dask's `distributed` is missing, without importing it."""
    from importlib.util import find_spec

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
        os.environ.update({**_QUIET, **{n: os.environ[n] for n in _QUIET if n in os.environ}})

    def __exit__(self, *_: object) -> None:
        os.environ.clear()
        os.environ.update(self._before)


def _security(address: str) -> Any:
    """Return the certificates of Dask's settings for ``tls://``; EthosmithError without them."""
    if not address.startswith("tls://"):
        return None
    from distributed.security import Security

    security = Security(require_encryption=True)
    for name in ("tls_ca_file", "tls_client_cert", "tls_client_key"):
        if not getattr(security, name):
            setting = name.removeprefix("tls_").upper()
            raise EthosmithError(
                f"steps={address}: {name} is not set (DASK_DISTRIBUTED__COMM__TLS__"
                f"{setting.replace('CLIENT_', 'CLIENT__')})"
            )
    return security
