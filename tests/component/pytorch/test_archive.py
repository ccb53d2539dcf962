# SPDX-License-Identifier: Apache-2.0
"""A hostile or damaged .pt2 ends in one line, before PyTorch sees it."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.pytorch.archive import checked_archive

Members = dict[str, Any]


def _spec(kind: str | None = None, *children: Any) -> dict[str, Any]:
    return {"type": kind, "context": None, "children_spec": list(children)}


def _node(target: str = "torch.ops.aten.relu.default") -> dict[str, Any]:
    given = {"name": "self", "arg": {"as_tensor": {"name": "x"}}, "kind": 1}
    metadata = {"stack_trace": 'File "net.py", line 3', "from_node": "[]"}
    return {"target": target, "inputs": [given], "outputs": [], "metadata": metadata}


def _members() -> Members:
    """Return what torch.export.save writes, as far as its reader acts on it."""
    meta = {"dtype": 7, "sizes": [{"as_int": 4}], "strides": [{"as_int": 1}]}
    payload = {"path_name": "weight_0", "is_param": True, "use_pickle": False, "tensor_meta": meta}
    spec = json.dumps([1, _spec("builtins.tuple", _spec())])
    model = {
        "graph_module": {
            "graph": {"nodes": [_node()], "tensor_values": {}, "custom_obj_values": {}},
            "module_call_graph": [{"signature": {"in_spec": spec, "out_spec": spec}}],
        },
        "range_constraints": {},
        "guards_code": [],
    }
    return {
        "models/model.json": model,
        "data/weights/model_weights_config.json": {"config": {"w": payload}},
        "data/weights/weight_0": bytes(16),
        "data/constants/model_constants_config.json": {"config": {}},
        "data/sample_inputs/model.pt": pickle.dumps(print),
        "archive_format": b"pt2",
        "byteorder": b"little",
    }


def _written(path: Path, members: Members) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            content = data if isinstance(data, bytes) else json.dumps(data)
            archive.writestr(f"net/{name}", content)
    return path


def _graph(members: Members) -> dict[str, Any]:
    graph: dict[str, Any] = members["models/model.json"]["graph_module"]["graph"]
    return graph


def _with_argument(argument: dict[str, Any]) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        _graph(members)["nodes"][0]["inputs"][0]["arg"] = argument

    return change


def _with_target(target: str) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        _graph(members)["nodes"].append(_node(target))

    return change


def _pickled_weight(members: Members) -> None:
    members["data/weights/model_weights_config.json"]["config"]["w"]["use_pickle"] = True


def _custom_constant(members: Members) -> None:
    payload = {"path_name": "custom_obj_0", "use_pickle": False, "tensor_meta": {}}
    members["data/constants/model_constants_config.json"]["config"]["c"] = payload


def _own_container(members: Members) -> None:
    call = members["models/model.json"]["graph_module"]["module_call_graph"][0]
    call["signature"]["in_spec"] = json.dumps([1, _spec("collections.namedtuple")])


def _ranges(members: Members) -> None:
    members["models/model.json"]["range_constraints"] = {"s0": {"min_val": 1, "max_val": 2}}


def _no_model(members: Members) -> None:
    del members["models/model.json"]


HOSTILE: dict[str, tuple[Callable[[Members], None], str]] = {
    "pickled weight": (_pickled_weight, "'w' is pickled, and nothing is unpickled"),
    "custom constant": (_custom_constant, "'c' is not a tensor"),
    "hub": (_with_target("torch.hub.load"), "operator 'torch.hub.load' is not one of ATen's"),
    "math": (_with_target("math.sqrt"), "operator 'math.sqrt' is not one of ATen's"),
    "file": (_with_target("torch.ops.aten.from_file.default"), "is not one of ATen's"),
    "method": (_with_target("_operator.methodcaller"), "is not one of ATen's"),
    "extension": (_with_target("#x.y"), "operator '#x.y' is not one of ATen's"),
    "symbol": (_with_argument({"as_expr": {"expr_str": "print(1)"}}), "shape that is not fixed"),
    "graph": (_with_argument({"as_graph": {}}), "control-flow operator"),
    "operator": (_with_argument({"as_operator": "torch.hub.load"}), "passes an operator"),
    "object": (_with_argument({"as_custom_obj": {}}), "object that is not a tensor"),
    "ranges": (_ranges, "shape that is not fixed"),
    "container": (_own_container, "come in a collections.namedtuple"),
    "no model": (_no_model, "holds no models/model.json"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_would_run_code_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    change, expected = HOSTILE[name]
    members = _members()
    change(members)
    path = _written(tmp_path / "net.pt2", members)
    with pytest.raises(EthosmithError) as raised:
        checked_archive(path)
    assert str(raised.value).startswith(f"{path}: not a usable .pt2 of torch.export: ")
    assert expected in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_pytorch_reads_has_no_pickle_and_no_guards(tmp_path: Path) -> None:
    members = _members()
    members["models/model.json"]["guards_code"] = ["__import__('os').system('true')"]
    members["data/aotinductor/model/x.so"] = b"\x7fELF"
    path = _written(tmp_path / "net.pt2", members)
    with zipfile.ZipFile(checked_archive(path)) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
        model = json.loads(archive.read("model/models/model.json"))
        assert archive.read("model/data/sample_inputs/model.pt") == b""
    assert names == members.keys() - {"data/aotinductor/model/x.so"}
    assert model["guards_code"] == []
    node = model["graph_module"]["graph"]["nodes"][0]
    assert node["metadata"] == {"stack_trace": 'File "net.py", line 3'}


def test_every_cut_of_an_archive_ends_in_one_line(tmp_path: Path) -> None:
    whole = _written(tmp_path / "whole.pt2", _members()).read_bytes()
    path = tmp_path / "cut.pt2"
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        with pytest.raises(EthosmithError, match=r"\.pt2: not a usable \.pt2"):
            checked_archive(path)


def test_an_archive_that_unpacks_to_more_than_a_model_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ethosmith.pytorch.archive.MAX_MODEL_BYTES", 4096)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/models/model.json", bytes(1 << 20))
    path = tmp_path / "bomb.pt2"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(EthosmithError, match="unpacks to more than"):
        checked_archive(path)
