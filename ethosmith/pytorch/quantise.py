# SPDX-License-Identifier: Apache-2.0
"""Quantise an exported network, as PyTorch's PT2E flow and Arm's quantizer do it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.pytorch.places import first_line, keep_places_only, place_of_error, quiet
from ethosmith.pytorch.separate import separate
from ethosmith.pytorch.source import input_shapes

# The quantizer asks for one, to know what its NPU can do: the same for every U55 and U65.
_TARGET = "ethos-u55-128"
# The least scale of a tensor with int16 activations. The quantizer's own, 2^-12, would leave a
# tensor between -1 and 1 no more than 13 of the 16 bits.
_MIN_SCALE_INT16 = 2.0**-24


def quantised_program(
    shown: Path, program: Any, batches: Iterable[list[Any]], activations: str = "int8"
) -> Any:
    """Return ``program`` with quantise and dequantise operators around each integer operator.

    Args:
        shown: the network, for messages.
        program: a float ExportedProgram.
        batches: for each calibration sample one float32 array for each input.
        activations: ``int8``, or ``int16`` with weights of int8.

    Raises:
        EthosmithError: an operator has no such form, or the samples do not fit.
    """
    quiet()
    import torch  # noqa: PLC0415
    from executorch.backends.arm.ethosu import EthosUCompileSpec  # noqa: PLC0415
    from executorch.backends.arm.quantizer import EthosUQuantizer  # noqa: PLC0415
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e  # noqa: PLC0415

    quantizer = EthosUQuantizer(EthosUCompileSpec(_TARGET))
    quantizer.set_global(_config(activations))
    zeros = tuple(torch.zeros(shape) for shape in input_shapes(program))
    try:
        module = program.module(check_guards=False)
        separate(module)
        prepared = prepare_pt2e(module, quantizer)
        with torch.no_grad():
            for batch in batches:
                # A copy: NumPy's arrays of files cannot be written to.
                prepared(*(torch.tensor(one) for one in batch))
            converted = convert_pt2e(prepared)
            quantised = torch.export.export(converted, zeros)
    except EthosmithError:
        raise
    except Exception as error:  # noqa: BLE001 passes and quantizer raise what they like
        place = place_of_error(error)
        at = f" at {place}" if place else ""
        raise EthosmithError(
            f"{shown}: cannot be quantised to {activations}{at}: {first_line(error)}"
        ) from None
    keep_places_only(quantised.graph.nodes)
    return quantised


def _config(activations: str) -> Any:
    from executorch.backends.arm.quantizer import (  # noqa: PLC0415
        get_symmetric_a16w8_quantization_config,
        get_symmetric_quantization_config,
    )

    if activations == "int16":
        return get_symmetric_a16w8_quantization_config(epsilon=_MIN_SCALE_INT16)
    return get_symmetric_quantization_config()
