# SPDX-License-Identifier: Apache-2.0
"""Steps that a process of their environment forks end as they would in one of their own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ethosmith.environment.locked import PYTORCH, LockedEnvironment
from ethosmith.steps.fork_server import VARIABLE, ForkServers, run_in_server
from ethosmith.steps.quantise_network import QuantiseNetwork
from tests.support.project_copy import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no server elsewhere")

_STEP = """
import os, signal, sys
from ethosmith.core.errors import EthosmithError
from ethosmith.steps.step import Output, Step, step

@step(verb="TEST", environment="pytorch", packages=("numpy",))
class ForkedStep(Step):
    model: str
    output: Output

    def run(self):
        if self.model == "wrong":
            raise EthosmithError("no such network")
        if self.model == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.model == "server":
            os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
        print(self.model, "numpy" in sys.modules, os.environ["OF_THE_STEP"])
        self.output.write_text(f"{os.getppid()} {os.getcwd()}")
"""


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ForkServers]:
    (tmp_path / "forked_step.py").write_text(_STEP, "utf-8")
    # The environment of this process stands for PyTorch's.
    monkeypatch.setattr(LockedEnvironment, "is_made", True)
    monkeypatch.setattr(LockedEnvironment, "python", lambda *_, **__: Path(sys.executable))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    monkeypatch.chdir(tmp_path)
    made = ForkServers()
    monkeypatch.setenv(VARIABLE, made.variables(PYTORCH, os.environ)[VARIABLE])
    yield made
    made.close()


def _run(model: str, folder: Path) -> int | None:
    spec = {"model": model, "output": str(folder / "output")}
    variables = {**os.environ, "OF_THE_STEP": "own", "ETHOSMITH_STEP_IN_CHILD": "forked_step"}
    return run_in_server("forked_step", spec, variables)


def test_a_forked_step_has_the_packages_and_is_otherwise_a_process_of_its_own(
    servers: ForkServers, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert _run("sound", tmp_path) == 0
    assert capfd.readouterr() == ("sound True own\n", "")
    server, folder = (tmp_path / "output").read_text("utf-8").split(maxsplit=1)
    assert (int(server), folder) == (servers.processes[0].pid, str(tmp_path))
    assert _run("wrong", tmp_path) == 1
    assert capfd.readouterr() == ("", "error: no such network\n")
    assert _run("crash", tmp_path) == -signal.SIGSEGV
    # The server goes on, and ends by itself when the build does.
    assert _run("again", tmp_path) == 0
    servers.close()
    assert servers.processes[0].wait(timeout=20) == 0


@pytest.mark.long
def test_tensorflow_s_server_quantises_as_a_process_of_its_own(
    networks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, model = ForkServers(), networks / "small.keras"
    spec: dict[str, Any] = {"model": str(model), "model_files": [str(model)]}
    spec["random"] = {"seed": 1, "count": 4, "low": -1.0, "high": 1.0}
    step = QuantiseNetwork.of_spec({**spec, "output": str(tmp_path / "alone")})
    step.run()
    monkeypatch.setenv(VARIABLE, made.variables(step.server, os.environ)[VARIABLE])
    try:
        given = {**spec, "output": str(tmp_path / "forked")}
        assert run_in_server("quantise-network", given, os.environ) == 0
    finally:
        made.end()
    assert None not in [process.returncode for process in made.processes]
    assert (tmp_path / "forked").read_bytes() == (tmp_path / "alone").read_bytes()


def test_a_network_that_needs_no_tensorflow_has_no_server() -> None:
    spec = {"model": "net.tflite", "model_files": ["net.tflite"], "output": "int8.tflite"}
    assert QuantiseNetwork.of_spec(spec).server == ""


@pytest.mark.usefixtures("servers")
def test_a_server_that_is_gone_runs_nothing(tmp_path: Path) -> None:
    assert _run("server", tmp_path) is None
    assert _run("sound", tmp_path) is None
    assert not (tmp_path / "output").exists()
