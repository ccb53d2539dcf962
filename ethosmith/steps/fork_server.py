# SPDX-License-Identifier: Apache-2.0
"""One process that imports large packages once, and forks for each step.

TensorFlow, PyTorch and ExecuTorch take longer to import than most steps take with them. The build
starts a server with the first step that can use it; it ends with the build. A step runs in a fork
of its own, as it would in a process of its own, and starts one where there is no server. The
server goes on importing, while steps run, what others are known to need. Linux only: elsewhere the
libraries of a system do not work in a fork.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any

from ethosmith.core.program import EXIT_ERROR
from ethosmith.core.terminal import protect_streams
from ethosmith.steps.step import TENSORFLOW

# How a step's process finds the server: the descriptor of a socket to it.
VARIABLE = "ETHOSMITH_STEP_SERVER"
# What a server imports for a step that computes with a package: the most common first. A name more
# costs time, one less costs time in each step; neither changes a result.
MODULES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    TENSORFLOW: {"numpy": ("numpy",), "tensorflow": ("tensorflow",)},
    "pytorch": {  # PyTorch's environment
        "numpy": ("numpy",),
        "torch": ("torch", "torch._dynamo", "torch.export"),
        "torchao": ("torchao.quantization.pt2e.quantize_pt2e",),
        "executorch": (
            "torch._inductor.lowering",
            "executorch.exir",
            "executorch.backends.arm.ethosu",
            "executorch.backends.arm.quantizer",
            "executorch.backends.arm.tosa.partitioner",
        ),
        "tosa-tools": ("tosa_reference_model",),
    },
}
_MAX_DESCRIPTORS = 200
_STATUS = struct.Struct("<i")
# Of new objects before the first generation is looked through: imports leave hundreds of thousands.
_GC_THRESHOLD = 100_000
_POLL_S = 0.5

Run = Callable[[str, Mapping[str, Any]], int]


class ForkServers:
    """The servers of one build, by name, as the build holds them.

    Attributes:
        processes: those that were started.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: dict[str, socket.socket] = {}
        self.processes: list[subprocess.Popen[bytes]] = []

    def variables(self, name: str, variables: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of a step, which tell it of its server.

        The first call starts that server, if its environment is made.

        Args:
            name: of the server, see `Step.server`; empty: the step has none.
            variables: what steps get otherwise.

        Raises:
            EthosmithError: others than the user can change the environment.
        """
        if not name or sys.platform != "linux":
            return dict(variables)
        with self._lock:
            python = None if name in self._sockets else _interpreter(name)
            if python is not None:
                self._sockets[name] = self._start(name, python, variables)
            server = self._sockets.get(name)
        return {**variables, **({VARIABLE: str(server.fileno())} if server else {})}

    def _start(self, name: str, python: Path, variables: Mapping[str, str]) -> socket.socket:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            # No descriptor of ours: it ends when nobody holds the other end any more.
            process = subprocess.Popen(
                [str(python), "-m", "ethosmith", "step", "--serve", name, str(its.fileno())],
                env={**variables, **_variables_of(name)},
                pass_fds=(its.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self.processes.append(process)
        ours.set_inheritable(True)
        return ours

    def close(self) -> None:
        """Let them end, each behind the steps that it runs."""
        while self._sockets:
            self._sockets.popitem()[1].close()

    def end(self) -> None:
        """End them, and return when they have ended; no step runs any more."""
        self.close()
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()


def _interpreter(name: str) -> Path | None:
    """Return the Python that a server runs in; None if its environment is not made."""
    if name == TENSORFLOW:
        return Path(sys.executable)
    from ethosmith.environment.locked import LockedEnvironment

    environment = LockedEnvironment(name)
    return environment.python(offline=True) if environment.is_made else None


def _variables_of(name: str) -> Mapping[str, str]:
    """Return what the imports of a server read of its environment; its children have their own."""
    if name != TENSORFLOW:
        return {}
    from ethosmith.models.keras_file import VARIABLES

    return VARIABLES


@cache
def servers_of_this_process() -> ForkServers:
    """Return the servers of the build that this process is; they end with it."""
    servers = ForkServers()
    atexit.register(servers.end)
    return servers


def run_in_server(name: str, spec: Mapping[str, Any], variables: Mapping[str, str]) -> int | None:
    """Run a step in the server that this process was told of.

    Args:
        name: the step's.
        spec: of `Step.spec`.
        variables: its environment.

    Returns:
        Its exit code, or minus the signal that ended it; None: no server ran it.
    """
    told = os.environ.get(VARIABLE, "")
    if not told.isdecimal():
        return None
    own = {key: value for key, value in variables.items() if key != VARIABLE}
    request = {"name": name, "spec": spec, "folder": str(Path.cwd()), "variables": own}
    with ExitStack() as held:
        try:
            server = held.enter_context(socket.socket(fileno=os.dup(int(told))))
            ours, its = socket.socketpair()
            held.enter_context(ours)
            file = held.enter_context(tempfile.TemporaryFile())
            file.write(json.dumps(request).encode())
            file.flush()
            # Also the build's lock, should this process be killed.
            given = [file.fileno(), its.fileno(), 1, 2, *_inherited()][:_MAX_DESCRIPTORS]
            with its:
                socket.send_fds(server, [b"\0"], given)
            said = ours.recv(_STATUS.size)
        except OSError:
            return None
    # Nothing, if the server is gone.
    return _STATUS.unpack(said)[0] if len(said) == _STATUS.size else None


def _inherited() -> Iterator[int]:
    """Yield the descriptors that a program which is started here would get."""
    for path in Path("/proc/self/fd").iterdir():
        number = int(path.name)
        with suppress(OSError):
            if number > 2 and os.get_inheritable(number):
                yield number


def serve(name: str, descriptor: int, packages_of: Callable[[str], Iterable[str]], run: Run) -> int:
    """Fork for each request on a socket, until nobody holds its other end.

    Args:
        name: of the server.
        descriptor: the socket.
        packages_of: returns the packages that the step of a name computes with.
        run: runs a step, by its name and spec, and returns its exit code.
    """
    gc.disable()
    return _Server(MODULES[name], socket.socket(fileno=descriptor), packages_of, run).serve()


class _Server:
    def __init__(
        self,
        modules: Mapping[str, tuple[str, ...]],
        listening: socket.socket,
        packages_of: Callable[[str], Iterable[str]],
        run: Run,
    ) -> None:
        self._modules, self._socket = modules, listening
        self._packages_of, self._run = packages_of, run
        self._waiting = [name for names in modules.values() for name in names]
        self._children: dict[int, socket.socket] = {}

    def serve(self) -> int:
        """Import and fork; return the exit code."""
        while True:
            self._report_ended(os.WNOHANG)
            self._socket.settimeout(0 if self._waiting else _POLL_S)
            try:
                said, given, _, _ = socket.recv_fds(self._socket, 1, _MAX_DESCRIPTORS)
            except (BlockingIOError, TimeoutError):
                self._import(self._waiting[:1])
                continue
            except ConnectionError:
                said = b""
            if not said:
                break
            self._fork(*given)
        while self._children:
            self._report_ended(0)
        return 0

    def _import(self, names: Iterable[str]) -> None:
        for name in list(names):
            self._waiting.remove(name)
            # The step that needs it says what is wrong with it.
            with suppress(Exception):
                importlib.import_module(name)

    def _fork(self, file: int, answer: int, *streams: int) -> None:
        """Run the step that ``file`` asks for in a child; ``streams`` are output, and others."""
        request = json.loads(os.pread(file, os.fstat(file).st_size, 0))
        packages = self._packages_of(request["name"])
        needed = [name for package in packages for name in self._modules.get(package, ())]
        self._import([name for name in self._waiting if name in needed])
        gc.freeze()
        child = os.fork()
        if child:
            for one in (file, *streams):
                os.close(one)
            self._children[child] = socket.socket(fileno=answer)
            return
        code = EXIT_ERROR
        try:
            self._become_its_process(request, *streams[:2])
            code = self._run(request["name"], request["spec"])
            sys.stdout.flush()
        except BaseException:  # noqa: BLE001 a defect of ours; nothing must go on behind this
            traceback.print_exc()
        finally:
            with suppress(OSError):
                os.write(answer, _STATUS.pack(code))
            os._exit(code)

    def _become_its_process(self, request: Mapping[str, Any], output: int, messages: int) -> None:
        """Be as a process that was started for the step."""
        self._socket.close()
        for answer in self._children.values():
            answer.close()
        os.dup2(output, 1)
        os.dup2(messages, 2)
        # As they were made at the start, of what they now lead to; messages leave line by line.
        for name, number, buffering in (("stdout", 1, -1), ("stderr", 2, 1)):
            before = getattr(sys, name)
            kept = {"encoding": before.encoding, "errors": before.errors, "closefd": False}
            stream = open(number, "w", buffering, **kept)  # noqa: PTH123, SIM115 open to the end
            setattr(sys, name, stream)
        protect_streams()
        os.environ.clear()
        os.environ.update(request["variables"])
        os.chdir(request["folder"])
        tempfile.tempdir = None
        gc.set_threshold(_GC_THRESHOLD)
        gc.enable()

    def _report_ended(self, options: int) -> None:
        """Tell of children that a signal ended; others tell themselves."""
        with suppress(ChildProcessError):
            while self._children:
                child, status = os.waitpid(-1, options)
                if not child:
                    return
                code, answer = os.waitstatus_to_exitcode(status), self._children.pop(child, None)
                with answer or nullcontext(), suppress(OSError):
                    if answer and code < 0:
                        answer.send(_STATUS.pack(code))
