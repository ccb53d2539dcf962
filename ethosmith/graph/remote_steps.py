# SPDX-License-Identifier: Apache-2.0
"""Steps on a Dask cluster: ``steps=local:2``, ``steps=tcp://…`` on this machine, or ``tls://…``.

SCons keeps the graph, Dask keeps the workers, and the build cache carries the files. Whatever
goes wrong on the way is reported in a line, and the step runs here: no build fails because of the
cluster.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from ethosmith.graph.cache_entry import DamagedEntry, NotKept
from ethosmith.graph.http_server import ServerFailure
from ethosmith.graph.remote_cluster import Address, Cluster, ClusterLost
from ethosmith.graph.remote_order import Done, Order, Store, order_of, store_at
from ethosmith.steps.step import Step


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
        self._place, self._root, self._note = store, root, note
        self._store: Store = store_at(store)
        self._lock = threading.Lock()
        self._cluster = Cluster(address)
        self._is_connected = self._is_off = False
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
        if not self._connected():
            return None
        text = order.text
        key = f"{order.step}-{hashlib.sha256(text.encode()).hexdigest()}"
        try:
            return Done.parse(self._cluster.run(text, key))
        except ClusterLost as lost:
            self._give_up(str(lost))
        except Exception as error:  # noqa: BLE001 Dask raises what its parts raise
            self._say_once(f"{order.step}: {type(error).__name__}: {_first_line(error)}")
        return None

    def _connected(self) -> bool:
        with self._lock:
            if not self._is_connected and not self._is_off:
                try:
                    self._cluster.connect()
                    self._is_connected = True
                except Exception as error:  # noqa: BLE001 as above
                    self._is_off = True
                    reason = f"{type(error).__name__}: {_first_line(error)}"
                    self._note(f"note: steps: no cluster: {reason}; all steps run here")
            return self._is_connected

    def _give_up(self, reason: str) -> None:
        with self._lock:
            first, self._is_off = not self._is_off, True
        if first:
            self._note(f"note: steps: {reason}; all other steps run here")

    def close(self) -> None:
        """Let the connection and workers of our own go."""
        self._cluster.close()


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "")[:160]
