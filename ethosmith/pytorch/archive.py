# SPDX-License-Identifier: Apache-2.0
"""Read a .pt2 archive that anybody may have made, so that loading it runs nothing of its own.

PyTorch's reader unpickles some members of the archive, evaluates symbolic expressions and guards
as Python, and looks up the targets of a graph below the module ``torch``. So only plain tensors,
fixed shapes and ATen operators pass; everything else ends in one line. What is kept is written
into a new archive, in memory, and that is what PyTorch reads.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes

PT2_SUFFIX = ".pt2"
MAX_MODEL_BYTES = 1 << 30
_MAX_MEMBERS = 100_000
_MAX_DEPTH = 100
_MODEL = "models/model.json"
_WEIGHTS = "data/weights/model_weights_config.json"
_CONSTANTS = "data/constants/model_constants_config.json"
_SAMPLE_INPUTS = "data/sample_inputs/model.pt"
_PLAIN_MEMBERS = {"archive_format", "archive_version", "byteorder", ".data/version"}
_DATA = re.compile(r"data/(weights/weight|constants/tensor)_\d+")
# aten::from_file maps a file of this machine.
_OPERATOR = re.compile(
    r"torch\.ops\.(aten\.(?!from_file\b)|quantized_decomposed\.)\w+\.\w+|_operator\.getitem"
)
_CONTAINERS = {None, "builtins.tuple", "builtins.list", "builtins.dict"}
# What an exporter notes for people; only the lines of the user's source are of use here.
_DROPPED_METADATA = ("from_node",)
# What Arm's quantizer notes of an operator, among the notes of others under the same key.
_CUSTOM, _ANNOTATION = "custom", "_arm_annotation_info"
# Objects that are not plain tensors, and values that are not fixed.
_REFUSED_KEYS = {
    "as_expr": "has a shape that is not fixed; export it with a batch of 1 and no dynamic_shapes",
    "as_custom_obj": "holds an object that is not a tensor",
    "as_graph": "has a control-flow operator with a graph of its own",
    "as_operator": "passes an operator to another",
    "custom_obj": "holds an object that is not a tensor",
}


def checked_archive(path: Path) -> io.BytesIO:
    """Return the archive at ``path`` as PyTorch may read it.

    Raises:
        EthosmithError: it is damaged, of another kind, or holds more than tensors, fixed shapes
            and ATen operators.
    """
    content = read_bytes(path, limit_bytes=MAX_MODEL_BYTES)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = _members(archive)
            return _rewritten(members)
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        NotImplementedError,
        EOFError,
        RecursionError,
    ) as error:
        said = str(error) if isinstance(error, ValueError) else "it is damaged, or not one"
        raise EthosmithError(f"{path}: not a usable .pt2 of torch.export: {said[:300]}") from None


def schema_version(archive: io.BytesIO) -> int:
    """Return the version of the format that an archive of `checked_archive` has.

    Raises:
        KeyError, TypeError, ValueError: it says none.
    """
    with zipfile.ZipFile(archive) as members:
        return int(json.loads(members.read(f"model/{_MODEL}"))["schema_version"]["major"])


def _members(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """Return the members by their name below the archive's one folder."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > _MAX_MEMBERS or sum(info.file_size for info in infos) > MAX_MODEL_BYTES:
        raise ValueError(f"it unpacks to more than {MAX_MODEL_BYTES >> 20} MiB")
    found: dict[str, bytes] = {}
    for info in infos:
        _, _, name = info.filename.partition("/")
        if name in found:
            raise ValueError(f"it holds {name} twice")
        found[name] = archive.read(info)
    if _MODEL not in found:
        raise ValueError("it holds no models/model.json; save it with torch.export.save")
    return found


def _rewritten(members: dict[str, bytes]) -> io.BytesIO:
    model = json.loads(members[_MODEL])
    _check(model)
    model["guards_code"] = []
    kept = {name: data for name, data in members.items() if name in _PLAIN_MEMBERS}
    kept |= {name: data for name, data in members.items() if _DATA.fullmatch(name)}
    for name in (_WEIGHTS, _CONSTANTS):
        kept[name] = _checked_payloads(members[name])
    kept[_MODEL] = json.dumps(model).encode()
    # Of no use here, and a pickle: PyTorch takes an empty one for none.
    kept[_SAMPLE_INPUTS] = b""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in kept.items():
            archive.writestr(zipfile.ZipInfo(f"model/{name}"), data)
    buffer.seek(0)
    return buffer


def _checked_payloads(config: bytes) -> bytes:
    for name, payload in json.loads(config)["config"].items():
        if payload["use_pickle"] or payload["tensor_meta"] is None:
            raise ValueError(f"its '{name[:60]}' is pickled, and nothing is unpickled from a .pt2")
        if not re.fullmatch(r"(weight|tensor)_\d+", payload["path_name"]):
            raise ValueError(f"its '{name[:60]}' is not a tensor")
    return config


def _check(model: dict[str, Any]) -> None:
    if model["range_constraints"]:
        raise ValueError(_REFUSED_KEYS["as_expr"])
    for node in _mappings(model, 0):
        for key, message in _REFUSED_KEYS.items():
            if key in node:
                raise ValueError(f"it {message}")
        if "target" in node:
            if not isinstance(node["target"], str) or not _OPERATOR.fullmatch(node["target"]):
                raise ValueError(f"its operator '{str(node['target'])[:80]}' is not one of ATen's")
            metadata = node.get("metadata", {})
            for name in _DROPPED_METADATA:
                metadata.pop(name, None)
            _keep_annotation(metadata)
        for name in ("in_spec", "out_spec"):
            if name in node:
                _check_containers(node[name])


def _keep_annotation(metadata: dict[str, Any]) -> None:
    """Leave of an operator's own notes whether the quantizer gave it an int8 form."""
    notes = json.loads(metadata.pop(_CUSTOM, "{}"))
    annotation = notes.get(_ANNOTATION)
    if isinstance(annotation, dict) and isinstance(annotation.get("quantized"), bool):
        kept = {_ANNOTATION: {"quantized": annotation["quantized"]}}
        metadata[_CUSTOM] = json.dumps(kept)


def _check_containers(spec: Any) -> None:
    """Inputs and outputs come in tuples, lists and dictionaries: other types run their own code."""
    for node in _mappings(json.loads(spec), 0) if spec else ():
        if "type" in node and node["type"] not in _CONTAINERS:
            raise ValueError(f"its inputs or outputs come in a {str(node['type'])[:60]}")


def _mappings(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth > _MAX_DEPTH:
        raise ValueError("it is nested too deeply")
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _mappings(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _mappings(inner, depth + 1)


def archived(program: Any) -> bytes:
    """Return ``program`` as a .pt2, the same bytes for the same program."""
    import torch  # noqa: PLC0415 takes seconds

    # Of no use later, and their pickle differs between machines.
    program._example_inputs = None
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    return buffer.getvalue()
