# SPDX-License-Identifier: Apache-2.0
"""What a worker does with an order: prove that it is fit for it, run the step, hand its files back.

It runs in a Dask worker, which is told the name of `run_order` and one text. The step runs in a
process of its own and in a folder that holds its declared inputs and nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.cache_entry import DamagedEntry, NotKept
from ethosmith.graph.code_index import CodeIndex
from ethosmith.graph.environment import process_environment
from ethosmith.graph.http_server import ServerFailure
from ethosmith.graph.packages import InstalledPackages
from ethosmith.graph.remote_order import Done, Order, environment, missing, store_at
from ethosmith.steps.command_line import step_class

_MAX_SHOWN = 1 << 20


def run_order(text: str) -> str:
    """Run the step of an order; return a `Done` as text, whatever happens."""
    try:
        order = Order.parse(text)
        refused = unfit(order)
        done = Done(refused=refused) if refused else _run(order)
    except (EthosmithError, DamagedEntry, ServerFailure, ValueError, TypeError) as error:
        done = Done(refused=str(error))
    except OSError as error:
        done = Done(refused=f"{error.filename or 'its folder'}: {error.strerror or error}")
    return done.text


def unfit(order: Order) -> str:
    """Return what this machine lacks or has otherwise, or nothing."""
    for name, expected in order.environment.items():
        found = environment().get(name, "none")
        if found != expected:
            return f"has {name} {found[:20]}, expected {expected[:20]}"
    cls = step_class(order.step)
    for module, expected in order.code.items():
        if _code(cls.__module__).get(module) != expected:
            return f"has another version of {module}"
    for name, expected in order.packages.items():
        found = _packages(tuple(order.packages)).get(name, "none")
        if found != expected:
            return f"has {name} {found}, expected {expected}"
    return cls.of_spec(order.spec).lacking()


@cache
def _code(module: str) -> dict[str, str]:
    return CodeIndex().closure(module).modules


@cache
def _packages(names: tuple[str, ...]) -> dict[str, str]:
    return InstalledPackages().versions(names)


def _scratch() -> str | None:
    """Return the worker's own folder, which Dask clears after a worker that was killed."""
    from distributed import get_worker

    try:
        return str(get_worker().local_directory)
    except ValueError:
        return None  # no worker called


def _run(order: Order) -> Done:
    store = store_at(order.store)
    with tempfile.TemporaryDirectory(prefix="ethosmith-step-", dir=_scratch()) as place:
        folder = Path(place)
        for one in order.inputs:
            try:
                store.bring(one.kept, folder / one.path)
            except NotKept:
                return Done(refused=missing(order.inputs, order.store, one))
        for output in order.outputs:
            (folder / output).parent.mkdir(parents=True, exist_ok=True)
        process = subprocess.run(
            [sys.executable, "-m", "ethosmith", "step", order.step, "-"],
            cwd=folder,
            env=process_environment(),
            input=json.dumps(order.spec).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        shown = process.stdout[:_MAX_SHOWN].decode("utf-8", "replace")
        if process.returncode:
            last = (shown.strip().splitlines() or [f"exit code {process.returncode}"])[-1]
            return Done(refused=f"failed: {last}", shown=shown)
        return Done(tuple(store.keep(folder / output) for output in order.outputs), "", shown)
