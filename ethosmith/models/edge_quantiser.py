# SPDX-License-Identifier: Apache-2.0
"""Quantise a float .tflite to int8 with AI Edge Quantizer.

It calibrates the network over representative data, by the smallest and the largest value of each
tensor, as TensorFlow's converter does with Keras networks. Then what it leaves in float although
TFLite has int8 kernels for it is brought to int8: the quantiser puts DEQUANTIZE before and QUANTIZE
behind such an operator. What it measured stands in the QUANTIZE: the operator takes its range, or,
where its int8 kernel only moves values, keeps that of its input, so that the QUANTIZE goes from
int8 to int8. Float inputs and outputs that remain are for `ethosmith.models.tflite_rewrite`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.core.errors import EthosmithError
from ethosmith.models.float_tflite import SIGNATURE, FloatNetwork
from ethosmith.models.int8_check import verify_tflite
from ethosmith.models.keras_model import GivenInput, first_sentence
from ethosmith.models.tflite_file import DAMAGED, parse_model
from ethosmith.models.tflite_graph import TfliteGraph, packed

Array = npt.NDArray[Any]
Batches = Callable[[], Iterable[list[Array] | dict[str, Array]]]
# Activations: the output has a range of its own.
_ACTIVATIONS = frozenset({"ABS", "LEAKY_RELU", "PRELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1"})
# Their outputs are values of their first input.
_MOVES = frozenset(
    {
        "BATCH_TO_SPACE_ND",
        "DEPTH_TO_SPACE",
        "EXPAND_DIMS",
        "REDUCE_MAX",
        "REVERSE_V2",
        "SPACE_TO_BATCH_ND",
        "SQUEEZE",
        "TILE",
    }
)
_INT8_MAX = 127


def int8_of(content: bytes, shown: str, representative: Callable[..., Batches]) -> bytes:
    """Return the network with int8 weights and activations, its inputs and outputs still float.

    Args:
        content: of the .tflite; see `float_kind`.
        shown: its name in errors.
        representative: given the inputs, returns the data set's generator.

    Raises:
        EthosmithError: weights that are no numbers, or what the quantiser cannot do.
    """
    model = verify_tflite(content, shown)
    try:
        network = FloatNetwork(model, shown)
        prepared = network.in_float32()
    except DAMAGED as error:
        raise EthosmithError(f"{shown}: not a usable TFLite model: damaged ({error})") from None
    data = representative(network.inputs)
    try:
        with np.errstate(invalid="raise"):
            quantised = _quantised(prepared, _by_name(data, network.inputs), shown)
    except EthosmithError:
        raise
    except FloatingPointError:
        raise EthosmithError(
            f"{shown}: cannot be quantised to int8: a bias is too large for the values that the"
            " representative data leads to; give data like that which the network was trained on"
        ) from None
    except Exception as error:  # noqa: BLE001 the quantiser and LiteRT raise whatever they raise
        reason = first_sentence(str(error), error)
        raise EthosmithError(f"{shown}: cannot be quantised to int8: {reason}") from None
    return in_int8(quantised, shown)


def _quantised(content: bytes, data: list[Mapping[str, Array]], shown: str) -> bytes:
    from ai_edge_quantizer.calibrator import Calibrator  # noqa: PLC0415 slow
    from ai_edge_quantizer.quantizer import Quantizer  # noqa: PLC0415
    from ai_edge_quantizer.recipe import static_wi8_ai8  # noqa: PLC0415
    from ai_edge_quantizer.recipe_manager import RecipeManager  # noqa: PLC0415
    from ai_edge_quantizer.utils.qsv_utils import min_max_update  # noqa: PLC0415

    recipe = static_wi8_ai8()
    manager = RecipeManager()
    manager.load_quantization_recipe(recipe)
    calibrator = Calibrator(content, num_threads=1, qsv_update_func=min_max_update)
    calibrator.calibrate({SIGNATURE: data}, manager)
    quantiser = Quantizer(bytearray(content), recipe)
    result = quantiser.quantize(
        _with_ranges(calibrator.get_model_qsvs(), shown),
        enable_progress_bar=False,
        enable_progress_report=False,
    )
    return bytes(result.quantized_model)


def _with_ranges(found: dict[str, Any], shown: str) -> dict[str, Any]:
    """Give tensors that were zero throughout the range 0 to 1: any range holds a zero exactly.

    With the quantiser's own, 1e-9, the biases behind such a tensor do not fit into 32 bits.
    """
    for name, limits in found.items():
        values = [np.asarray(limits[end]) for end in ("min", "max") if end in limits]
        if not all(np.isfinite(one).all() for one in values):
            raise EthosmithError(
                f"{shown}: '{name}' is NaN or infinite on the representative data; run the float"
                " network on it and look for values that overflow"
            )
        if values and not any(one.any() for one in values):
            limits["max"] = np.ones_like(values[-1])
    return found


def _by_name(batches: Batches, inputs: list[GivenInput]) -> list[Mapping[str, Array]]:
    return [
        one if isinstance(one, dict) else {inputs[0].name: np.asarray(one[0])} for one in batches()
    ]


def in_int8(content: bytes, shown: str) -> bytes:
    """Return the quantiser's network with these operators in int8, and all constants inside.

    Args:
        content: of the .tflite that the quantiser has returned.
        shown: the network's name in errors.
    """
    model = parse_model(content, shown)
    _Quantised(model).bring_to_int8()
    return packed(model)


class _Quantised(TfliteGraph):
    """What the quantiser has returned."""

    def bring_to_int8(self) -> None:
        """Change every operator that can be."""
        for operator in list(self.graph.operators):
            name = self.name(operator)
            source = operator.inputs[0] if len(operator.inputs) else -1
            if name not in _ACTIVATIONS | _MOVES or source < 0:
                continue
            before = self.made_by(source)
            if self.name(before) != "DEQUANTIZE" or self.type(before.inputs[0]) != self.types.INT8:
                continue
            given = before.inputs[0]
            is_move = name in _MOVES
            if self._keep_range(operator, given) if is_move else self._take_range(operator):
                operator.inputs = [given, *operator.inputs[1:]]
                self.remove_unused(before)

    def _take_range(self, operator: Any) -> bool:
        """Let an activation write what the QUANTIZE behind it writes."""
        made = operator.outputs[0]
        users = self.users(made)
        if made in self.graph.outputs or {self.name(user) for user in users} != {"QUANTIZE"}:
            return False
        result = users[0].outputs[0]
        if {self._form(user.outputs[0]) for user in users} != {self._form(result)}:
            return False
        if len(operator.inputs) > 1 and not self._quantise_constant(operator.inputs[1]):
            return False
        operator.outputs = [result]
        for user in users:
            self._redirect(user.outputs[0], result)
            self.remove(user)
        return True

    def _keep_range(self, operator: Any, source: int) -> bool:
        """Give what an operator writes the form of what it reads; requantise behind it."""
        made = operator.outputs[0]
        if len(operator.outputs) != 1 or {self.name(one) for one in self.users(made)} != {
            "QUANTIZE"
        }:
            return False
        tensor, given = self.graph.tensors[made], self.graph.tensors[source]
        tensor.type, tensor.quantization = given.type, given.quantization
        return True

    def _form(self, tensor: int) -> tuple[int, float, int]:
        return self.type(tensor), *self.scale(tensor)

    def _redirect(self, old: int, new: int) -> None:
        if old == new:
            return
        for operator in self.users(old):
            operator.inputs = [new if one == old else one for one in operator.inputs]
        self.graph.outputs = [new if one == old else one for one in self.graph.outputs]
        self.replace_in_signatures("outputs", old, new)

    def _quantise_constant(self, index: int) -> bool:
        """Make a float constant an int8 one around zero; what uses it else keeps the float one."""
        from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 slow

        tensor = self.graph.tensors[index]
        data = self.model.buffers[tensor.buffer].data
        if self.type(index) != self.types.FLOAT32 or data is None or len(self.users(index)) != 1:
            return False
        values = np.frombuffer(bytes(data), "<f4")
        scale = max(float(np.abs(values).max(initial=0)), 2.0**-20) / _INT8_MAX
        quantisation = schema.QuantizationParametersT()
        quantisation.scale, quantisation.zeroPoint = np.array([scale], "f4"), np.zeros(1, "i8")
        self.give(tensor, np.round(values / scale).astype("i1"))
        tensor.type, tensor.quantization = self.types.INT8, quantisation
        return True
