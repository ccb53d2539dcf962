# SPDX-License-Identifier: Apache-2.0
"""Look through a SavedModel before TensorFlow loads it: loading one runs its initializers.

An initializer may hold any operation of TensorFlow's, among them those that write files, open
connections or call Python. So all functions that the model's objects can call are checked
first, without being executed: only operations that compute, or that work on variables and tables
in memory, are let through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_MODEL_BYTES, parsing, read_bytes

GRAPH_FILE = "saved_model.pb"
# Beside the former, TensorFlow reads these in place of it.
_OTHER_GRAPH_FILES = ("saved_model.cpb", "saved_model.pbtxt")
# Operations with a state that is in memory alone. All others with a state are refused: files,
# connections, Python, printing (to a file, if so told), devices, queues, data sets.
_STATEFUL_IN_MEMORY = re.compile(
    r"Assert|Assign(Add|Sub|)VariableOp|Case|CheckNumerics(V2)?|DestroyResourceOp|DisableCopyOnRead"
    r"|Empty|GuaranteeConst|(Anonymous)?(Mutable)?(Dense)?HashTable(V2|OfTensors|OfTensorsV2)?|If"
    r"|InitializeTableV2|LookupTable(Export|Find|Import|Insert|Remove|Size)V2|Multinomial"
    r"|Random(Crop|Gamma|PoissonV2|Shuffle|StandardNormal|Uniform|UniformInt)|ReadVariableOp"
    r"|Resource(Gather|GatherNd|Scatter\w+)|ResourceStridedSliceAssign|StatefulPartitionedCall"
    r"|StatelessRandomGetAlg|TensorArray\w*|TruncatedNormal|VarHandleOp|VarIsInitializedOp"
    r"|VariableShape|While"
)
# In the names of an operation that reaches out, or of what it is given for that.
_REACHES_OUT = re.compile(
    r"file|(?<!_)path|url|address|shard_dir|descriptor_source|^token$|module|pyfunc"
)


def check_saved_model(folder: Path) -> None:
    """Check that loading a SavedModel executes nothing that leaves the process.

    Raises:
        EthosmithError: an operation is refused, or the model is damaged, too large, or of
            TensorFlow 1, which runs whatever a graph names as its initializer.
    """
    for name in _OTHER_GRAPH_FILES:
        if (folder / name).exists():
            raise EthosmithError(f"{folder}: holds {name}; save the model with TensorFlow 2")
    graph = _read(folder / GRAPH_FILE)
    functions = {function.signature.name: function for function in graph.graph_def.library.function}
    for name in _reachable(functions, graph.object_graph_def.concrete_functions):
        for node in functions[name].node_def:
            if node.op not in functions:
                _check_operation(folder, name, node.op)


def _read(path: Path) -> Any:
    """Return the one graph of a SavedModel."""
    from tensorflow.core.protobuf import saved_model_pb2  # noqa: PLC0415 takes seconds

    model = saved_model_pb2.SavedModel()
    data = read_bytes(path, limit_bytes=MAX_MODEL_BYTES)
    with parsing(path, "SavedModel"):
        model.ParseFromString(data)
    # As TensorFlow decides it.
    if len(model.meta_graphs) != 1 or not model.meta_graphs[0].HasField("object_graph_def"):
        raise EthosmithError(f"{path}: not a SavedModel of TensorFlow 2; save it again with it")
    return model.meta_graphs[0]


def _reachable(functions: Mapping[str, Any], roots: Iterable[str]) -> list[str]:
    """Return the functions that the objects can call, and those that they call."""
    found: dict[str, None] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in functions and name not in found:
            found[name] = None
            waiting += _called(functions[name])
    return sorted(found)


def _called(function: Any) -> Iterator[str]:
    for node in function.node_def:
        yield node.op
        for value in node.attr.values():
            yield value.func.name
            yield from (called.name for called in value.list.func)


def _check_operation(folder: Path, function: str, name: str) -> None:
    from tensorflow.python.framework import op_def_registry  # noqa: PLC0415

    definition = op_def_registry.get(name)
    if definition is None:
        problem = "is unknown to TensorFlow"
    elif _is_safe(name, definition):
        return
    else:
        problem = "may reach files, the network or Python"
    raise EthosmithError(
        f"{folder}: refused: the operation {name} (in {function[:80]}) {problem}, and loading"
        " the model could run it; save the network without it, best as .keras"
    )


def _is_safe(name: str, definition: Any) -> bool:
    if definition.is_stateful and not _STATEFUL_IN_MEMORY.fullmatch(name):
        return False
    arguments = (*definition.input_arg, *definition.output_arg, *definition.attr)
    texts = [name.lower(), *(argument.name.lower() for argument in arguments)]
    return not any(map(_REACHES_OUT.search, texts))
