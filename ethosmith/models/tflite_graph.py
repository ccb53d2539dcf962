# SPDX-License-Identifier: Apache-2.0
"""The first subgraph of a .tflite as something that can be changed, and written again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.models.tflite_file import IDENTIFIER


def packed(model: Any) -> bytes:
    """Return LiteRT's ModelT as a .tflite."""
    import flatbuffers  # noqa: PLC0415 slow

    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


class TfliteGraph:
    """Finds and takes out what the first subgraph of a network consists of.

    Attributes:
        model: LiteRT's ModelT.
        graph: its first subgraph; inputs and outputs are lists.
        types: TFLite's numbers of the types.
    """

    def __init__(self, model: Any) -> None:
        from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 slow

        self.model = model
        self.graph = model.subgraphs[0]
        # What the reader returns cannot be changed.
        self.graph.inputs, self.graph.outputs = list(self.graph.inputs), list(self.graph.outputs)
        self.types = schema.TensorType
        names = vars(schema.BuiltinOperator).items()
        self._names: dict[int, str] = {value: name for name, value in names if name.isupper()}

    def scale(self, tensor: int) -> tuple[float, int]:
        """Return the one scale and zero point of a tensor; 0 and 0: it has none or several."""
        quantisation = self.graph.tensors[tensor].quantization
        if quantisation is None or quantisation.scale is None or len(quantisation.scale) != 1:
            return 0.0, 0
        return float(quantisation.scale[0]), int(quantisation.zeroPoint[0])

    def name(self, operator: Any) -> str:
        """Return TFLite's name of an operator; nothing for None and for one without a name."""
        if operator is None:
            return ""
        code = self.model.operatorCodes[operator.opcodeIndex]
        return self._names.get(max(code.builtinCode, code.deprecatedBuiltinCode), "")

    def type(self, tensor: int) -> int:
        """Return TFLite's number of a tensor's type."""
        return int(self.graph.tensors[tensor].type)

    def type_name(self, tensor: int) -> str:
        """Return the name of a tensor's type, in lower case."""
        kinds: dict[int, str] = {
            value: name for name, value in vars(self.types).items() if name.isupper()
        }
        return kinds.get(self.type(tensor), "?").lower()

    def is_constant(self, tensor: int) -> bool:
        """Whether the file holds a tensor's values."""
        data = self.model.buffers[self.graph.tensors[tensor].buffer].data
        return data is not None and len(data) > 0

    def users(self, tensor: int) -> list[Any]:
        """Return the operators that read a tensor."""
        return [one for one in self.graph.operators if tensor in list(one.inputs)]

    def only_user(self, tensor: int) -> Any:
        """Return the one operator that reads a tensor; None: several, or it is an output."""
        users = self.users(tensor)
        is_output = tensor in list(self.graph.outputs)
        return users[0] if len(users) == 1 and not is_output else None

    def made_by(self, tensor: int) -> Any:
        """Return the operator that writes a tensor; None: nothing does."""
        makers = [one for one in self.graph.operators if tensor in list(one.outputs)]
        return makers[0] if makers else None

    def give(self, tensor: Any, values: npt.NDArray[Any]) -> None:
        """Let the file hold a tensor's values, which are of its type already."""
        from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 slow

        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        tensor.buffer = len(self.model.buffers)
        self.model.buffers.append(buffer)

    def remove(self, operator: Any) -> None:
        """Take an operator out."""
        self.graph.operators = [one for one in self.graph.operators if one is not operator]

    def remove_unused(self, operator: Any) -> None:
        """Take an operator out if nothing reads what it writes."""
        tensor = operator.outputs[0]
        if not self.users(tensor) and tensor not in list(self.graph.outputs):
            self.remove(operator)

    def replace_in_signatures(self, kind: str, old: int, new: int) -> None:
        """Name another tensor in the signatures' ``inputs`` or ``outputs``."""
        for signature in self.model.signatureDefs or []:
            for entry in getattr(signature, kind) or []:
                if entry.tensorIndex == old and signature.subgraphIndex == 0:
                    entry.tensorIndex = new
