# SPDX-License-Identifier: Apache-2.0
"""Steps on a real Dask cluster: the bytes of this machine, or a line and the step runs here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import sha256_of
from ethosmith.graph.code_index import CodeIndex
from ethosmith.graph.packages import InstalledPackages
from ethosmith.graph.remote_cluster import Address
from ethosmith.graph.remote_order import Done, Order, order_of, store_at
from ethosmith.graph.remote_steps import RemoteSteps
from ethosmith.graph.remote_worker import run_order, unfit
from ethosmith.installation import PYTHON_PATH
from ethosmith.steps.collect_shard import CollectShard
from ethosmith.steps.generate_labels import GenerateLabels
from ethosmith.steps.quantise_network import QuantiseNetwork
from ethosmith.steps.run_board import RunBoard
from ethosmith.steps.step import Step
from tests.support.dask_cluster import scheduler
from tests.support.nginx import make_certificates

_CODE = CodeIndex().closure(GenerateLabels.__module__).modules


def labels(*names: str) -> GenerateLabels:
    return GenerateLabels(labels=names, source="usecase.yaml", output=Path("build/labels.c"))


def order(root: Path, step: Step | None = None) -> Order:
    return order_of(step or labels("a"), {}, _CODE, str(root / "store"), root)


def answer(one: Order) -> Done:
    return Done.parse(run_order(one.text))


@dataclass
class Project:
    """A project whose steps go to a cluster; ``notes`` is what its build shows."""

    root: Path
    steps: RemoteSteps
    notes: list[str]

    @classmethod
    def at(cls, root: Path, address: str) -> Project:
        root.mkdir(parents=True, exist_ok=True)
        notes: list[str] = []
        steps = RemoteSteps(Address.parse(address), str(root / "store"), root, notes.append)
        return cls(root, steps, notes)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_order_leads_nowhere_but_into_its_folder(root: Path) -> None:
    one = order(root)
    assert Order.parse(one.text) == one
    for path in ("../labels.c", "/etc/passwd", "build/../../x"):
        with pytest.raises(ValueError, match="leads out of"):
            Order.parse(replace(one, outputs=(path,)).text)
        assert "leads out of" in answer(replace(one, outputs=(path,))).refused


def test_files_of_other_places_get_one_in_the_folder(root: Path, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside.axf"
    outside.write_bytes(b"an image")
    step = RunBoard(axf=outside, npu="ethos-u55-128", result=Path("build/result.json"))
    one = order(root, step)
    assert [file.path for file in one.inputs] == [f".outside{outside.as_posix()}"]
    assert one.spec["axf"] == one.inputs[0].path
    assert one.inputs[0].sha256 == sha256_of(outside)


def test_a_worker_that_is_not_the_same_says_what_differs_and_computes_nothing(root: Path) -> None:
    one = order(root)
    assert unfit(one) == ""
    module = "ethosmith.steps.generate_labels"
    for other, expected in (
        (replace(one, environment={**one.environment, "Python": "3.9.1"}), "expected 3.9.1"),
        (
            replace(one, environment={**one.environment, "requirements.lock": "0" * 64}),
            "has requirements.lock ",
        ),
        (replace(one, code={**one.code, module: "0"}), f"another version of {module}"),
        (replace(one, packages={"numpy": "0.1"}), "expected 0.1"),
    ):
        assert expected in answer(other).refused
    assert not (root / "store").exists()
    packages = InstalledPackages().versions(["numpy"])
    assert unfit(replace(one, packages=packages)) == ""


def test_only_steps_that_round_need_the_same_processor(root: Path) -> None:
    network = root / "network.h5"
    network.write_bytes(b"a network")
    step = QuantiseNetwork(
        model=network, model_files=(network,), output=Path("build/network_int8.tflite")
    )
    code = CodeIndex().closure(QuantiseNetwork.__module__).modules
    one = replace(order(root, step), code=code)
    assert unfit(one) == ""
    other = replace(one, environment={**one.environment, "processor": "another one"})
    assert "expected another one" in answer(other).refused
    assert "processor" not in order(root).environment


def test_a_worker_names_the_simulator_and_the_input_that_it_lacks(root: Path) -> None:
    image = root / "image.axf"
    image.write_bytes(b"an image")
    step = RunBoard(
        axf=image, npu="ethos-u55-128", tools=("QEMU 0.1",), result=Path("build/result.json")
    )
    code = CodeIndex().closure(RunBoard.__module__).modules
    assert "expected QEMU 0.1" in answer(replace(order(root, step), code=code)).refused
    one = replace(order(root, step.replaced(tools=())), code=code)
    assert answer(one).refused == f"input 1 of 1, image.axf, is not in {root / 'store'}"


def test_only_declared_inputs_are_there(root: Path) -> None:
    """What a step finds here, and did not declare, it does not find on a worker."""
    (root / "set").mkdir()
    (root / "set/a.bin").write_bytes(b"undeclared")
    entry = {"name": "a", "expect": "yes", "file": "a.bin", "sha256": sha256_of(root / "set/a.bin")}
    (root / "listing.json").write_text(json.dumps([entry]))
    step = CollectShard(listing=Path("listing.json"), folder=Path("set"), output=Path("set.zip"))
    assert not step.traits.distributable
    one = order(root, step)
    store_at(one.store).keep(root / "listing.json")
    code = CodeIndex().closure(CollectShard.__module__).modules
    refused = answer(replace(one, code=code)).refused
    assert "set/a.bin: cannot be read: No such file or directory" in refused


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp://10.0.0.1:8786", "tls://"),
        ("tcp://127.0.0.1", "expected local:N"),
        ("local:0", "expected local:N"),
        ("http://host:1", "expected local:N"),
        ("tls://[::1", "expected local:N"),
    ],
)
def test_another_machine_is_reached_by_tls_only(text: str, expected: str) -> None:
    with pytest.raises(EthosmithError, match=expected):
        Address.parse(text)


def test_the_build_does_not_import_dask_unless_it_sends_a_step() -> None:
    code = (
        "import sys, ethosmith.graph.session, ethosmith.graph.remote_steps;"
        "sys.exit(any(name.partition('.')[0] in ('distributed', 'dask') for name in sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": PYTHON_PATH}
    assert (
        subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
    )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("cluster")
    before = Path.cwd()
    project = Project.at(folder, "local:2")
    os.chdir(folder)
    try:
        yield project
    finally:
        project.steps.close()
        os.chdir(before)


def test_a_step_writes_the_same_bytes_there_as_here(cluster: Project) -> None:
    step = labels("yes", "no")
    output = cluster.root / step.output
    done = cluster.steps.run(step, {}, _CODE)
    assert done is not None, cluster.notes
    there = output.read_bytes()
    output.unlink()
    step.run()
    assert output.read_bytes() == there
    assert cluster.notes == []


def test_a_worker_of_another_version_is_named_and_the_step_stays_here(cluster: Project) -> None:
    cluster.notes.clear()
    assert cluster.steps.run(labels("a"), {"numpy": "0.1"}, _CODE) is None
    assert cluster.steps.run(labels("b"), {"numpy": "0.1"}, _CODE) is None
    (note,) = cluster.notes
    assert "expected 0.1; such steps run here" in note


def test_a_result_that_is_not_what_its_hash_says_is_not_taken(
    cluster: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.notes.clear()
    step = labels("taken", "by hash")
    (cluster.root / step.output).unlink(missing_ok=True)
    asked = cluster.steps._ask

    def damaging(one: Order) -> Done | None:
        done = asked(one)
        assert done is not None
        (kept,) = done.outputs
        place = cluster.root / "store/content" / kept.sha256[:2] / kept.sha256
        place.write_bytes(place.read_bytes()[:-1] + b"?")
        return done

    monkeypatch.setattr(cluster.steps, "_ask", damaging)
    assert cluster.steps.run(step, {}, _CODE) is None
    assert not (cluster.root / step.output).exists()
    assert "other bytes than its name says" in cluster.notes[0]


def _workers(client: Any) -> list[int]:
    return sorted(client.run(os.getpid).values())


def test_a_worker_that_is_killed_loses_no_step(cluster: Project) -> None:
    cluster.notes.clear()
    assert cluster.steps.run(labels("warm"), {}, _CODE) is not None
    victims = _workers(cluster.steps._cluster._client)
    results: list[bool] = []

    def work() -> None:
        results.extend(
            cluster.steps.run(labels(f"n{number}"), {}, _CODE) is not None for number in range(4)
        )

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.2)
    os.kill(victims[0], signal.SIGKILL)
    thread.join(120)
    assert results == [True] * 4, cluster.notes


def test_a_scheduler_that_is_gone_is_noted_once(cluster: Project) -> None:
    """The last test of the cluster."""
    cluster.notes.clear()
    pid = cluster.steps._cluster._client.run_on_scheduler(os.getpid)
    os.kill(pid, signal.SIGKILL)
    began_s = time.monotonic()
    assert cluster.steps.run(labels("late"), {}, _CODE) is None
    assert time.monotonic() - began_s < 60
    assert cluster.steps.run(labels("later"), {}, _CODE) is None
    assert len([note for note in cluster.notes if "gone" in note]) == 1, cluster.notes


@pytest.mark.slow
def test_a_scheduler_with_tls_takes_those_with_its_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dask

    authority = make_certificates(tmp_path)
    names = {
        "CA_FILE": authority.name,
        "SCHEDULER__CERT": "server.pem",
        "SCHEDULER__KEY": "server.key",
    }
    for side in ("WORKER", "CLIENT"):
        names |= {f"{side}__CERT": "server.pem", f"{side}__KEY": "server.key"}
    tls = {f"DASK_DISTRIBUTED__COMM__TLS__{n}": str(tmp_path / v) for n, v in names.items()}
    with scheduler(tmp_path, "tls", **tls) as there, there.worker():
        assert there.address.startswith("tls://")
        monkeypatch.chdir(tmp_path)
        stranger = Project.at(tmp_path / "stranger", there.address)
        assert stranger.steps.run(labels("a"), {}, _CODE) is None
        assert "tls_ca_file is not set" in stranger.notes[0]
        for name, value in tls.items():
            monkeypatch.setenv(name, value)
        dask.config.refresh()
        friend = Project.at(tmp_path / "friend", there.address)
        monkeypatch.chdir(friend.root)
        assert friend.steps.run(labels("a"), {}, _CODE) is not None, friend.notes
        friend.steps.close()
