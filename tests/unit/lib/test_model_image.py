# SPDX-License-Identifier: Apache-2.0
"""The block that a model's hash is of: one bit of it, wherever it is, makes another hash."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace

from ethosmith.core.accelerators import parse_accelerator
from ethosmith.lib.model_image import HEADER_BYTES, MAGIC, model_hash, model_image
from ethosmith.lib.model_source import ModelIdentity
from ethosmith.models.compiled import Area, CompiledNetwork, PlacedTensor, Variable
from ethosmith.models.tensor_spec import TensorSpec

_SPEC = TensorSpec(name="in", dtype="int8", shape=(1, 4), scale=0.5, zero_point=-3)
_NETWORK = CompiledNetwork(
    command_stream=b"COP1" + bytes(range(28)),
    weights=b"weights",
    weights_region=2,
    scratch=Area(1, 640),
    scratch_fast=Area(3, 0),
    inputs=(PlacedTensor(_SPEC, 1, 16, 4),),
    outputs=(PlacedTensor(replace(_SPEC, name="out"), 1, 32, 4),),
    variables=(Variable(1, 48, 8, 2, -7),),
)
_IDENTITY = ModelIdentity("net", parse_accelerator("ethos-u55-128"), "Shared_Sram")


def test_everything_that_the_device_runs_is_in_the_block() -> None:
    image = model_image(_NETWORK, _IDENTITY)
    magic, version, size = struct.unpack_from("<8s2I", image)
    words = struct.unpack_from("<20I", image, 48)
    assert (magic, version, size) == (MAGIC, 1, len(image))
    names = [image[offset:].partition(b"\0")[0] for offset in words[:3]]
    assert names == [b"net", b"ethos-u55-128", b"Shared_Sram"]
    macs, reset, stream, stream_bytes, weights, weights_bytes, *places = words[3:14]
    assert (macs, reset, *places) == (128, 0, 2, 640, 1, 0, 3)
    assert image[stream : stream + stream_bytes] == _NETWORK.command_stream
    assert image[weights : weights + weights_bytes] == b"weights"
    assert stream % 16 == weights % 16 == 0
    inputs, input_count, outputs, output_count, variables, variable_count = words[14:20]
    assert (input_count, output_count, variable_count) == (1, 1, 1)
    name, *fields = struct.unpack_from("<12Ifi", image, inputs)
    assert image[name:].startswith(b"in\0")
    assert fields == [0, 2, 1, 4, 0, 0, 0, 0, 4, 1, 16, 0.5, -3]
    assert struct.unpack_from("<12I", image, outputs)[-1] == 32
    assert struct.unpack_from("<4Ii", image, variables) == (1, 48, 8, 2, -7)
    # The hash is of the whole block, its own place left out.
    sealed = image[:16] + bytes(32) + image[48:]
    assert model_hash(image) == hashlib.sha256(sealed).hexdigest()
    assert HEADER_BYTES == 128


def test_a_change_of_anything_is_another_hash() -> None:
    changed = [
        model_image(replace(_NETWORK, weights=b"weightz"), _IDENTITY),
        model_image(replace(_NETWORK, scratch=Area(1, 656)), _IDENTITY),
        model_image(replace(_NETWORK, variables=()), _IDENTITY),
        model_image(_NETWORK, replace(_IDENTITY, memory_mode="Sram_Only")),
        model_image(_NETWORK, replace(_IDENTITY, reset_state="never")),
        model_image(_NETWORK, replace(_IDENTITY, accelerator=parse_accelerator("ethos-u55-64"))),
    ]
    hashes = {model_hash(image) for image in (model_image(_NETWORK, _IDENTITY), *changed)}
    assert len(hashes) == len(changed) + 1
