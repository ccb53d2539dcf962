# SPDX-License-Identifier: Apache-2.0
"""Quantise an exported network to int8, as PyTorch's PT2E flow and Arm's quantizer do it."""

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


def quantised_program(shown: Path, program: Any, batches: Iterable[list[Any]]) -> Any:
    """Return ``program`` with quantise and dequantise operators around each int8 operator.

    Args:
        shown: the network, for messages.
        program: a float ExportedProgram.
        batches: for each calibration sample one float32 array for each input.

    Raises:
        EthosmithError: an operator has no int8 form, or the samples do not fit.
    """
    quiet()
    import torch  # noqa: PLC0415
    from executorch.backends.arm.ethosu import EthosUCompileSpec  # noqa: PLC0415
    from executorch.backends.arm.quantizer import (  # noqa: PLC0415
        EthosUQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e  # noqa: PLC0415

    quantizer = EthosUQuantizer(EthosUCompileSpec(_TARGET))
    quantizer.set_global(get_symmetric_quantization_config())
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
            f"{shown}: cannot be quantised to int8{at}: {first_line(error)}"
        ) from None
    keep_places_only(quantised.graph.nodes)
    return quantised
