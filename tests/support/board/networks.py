# SPDX-License-Identifier: Apache-2.0
"""Arm's firmware, a network with CPU operators between NPU operators, and its oracle."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ethosmith.descriptors.load import load
from ethosmith.descriptors.origin import Package
from ethosmith.obtain.obtainer import Obtainer
from ethosmith.obtain.source import PackageSource
from tests.support.one_thread import tensorflow
from tests.support.project_copy import ROOT

SEED = 7
INPUT_SHAPE = (1, 16, 16, 8)

# Which Vela settings fit the memory modes that Arm built its two firmwares for.
VELA_SETTINGS = {
    "ethos-u55": ("Ethos_U55_High_End_Embedded", "Shared_Sram"),
    "ethos-u65": ("Ethos_U65_High_End", "Dedicated_Sram"),
}


_RUNNER = "inference_runner-sse-{}-26.03.0-tflm-ethos-{}-Default-noTA/mlek_inference_runner.axf"
_PRODUCTS = {"ethos-u55": "U55", "ethos-u65": "U65"}

# Where the runner takes its network and input, and leaves its output.
NETWORK_ADDRESS, INPUT_ADDRESS, OUTPUT_ADDRESS = 0x90000000, 0x92000000, 0x93000000


def arms_runner(product: str, folder: Path, subsystem: str = "300") -> Path:
    """Return Arm's prebuilt inference runner for ``ethos-u55`` or ``ethos-u65``."""
    package = load(Package, ROOT / "packages" / "mlia-ethos-u.yaml")
    source = PackageSource(**package.source(_RUNNER.format(subsystem, _PRODUCTS[product])))
    runner = folder / f"{product}-{subsystem}.axf"
    Obtainer().to_file(source, ROOT, runner)
    return runner


def mixed_network() -> bytes:
    """Return an int8 .tflite: NPU, GATHER, NPU, L2_NORMALIZATION, NPU.

    Vela leaves GATHER and L2_NORMALIZATION to the CPU.
    """
    tf = tensorflow()

    random = np.random.default_rng(SEED)

    def weights(*shape: int) -> Any:
        values = random.normal(0, 1 / np.sqrt(np.prod(shape[:-1])), shape)
        return tf.constant(values.astype(np.float32))

    first, depthwise, pointwise, dense = (
        weights(*shape) for shape in ((3, 3, 8, 16), (3, 3, 8, 1), (1, 1, 8, 12), (192, 10))
    )

    @tf.function(input_signature=[tf.TensorSpec(INPUT_SHAPE, tf.float32)])  # type: ignore[untyped-decorator]
    def network(x: Any) -> Any:
        x = tf.nn.relu(tf.nn.conv2d(x, first, 1, "SAME"))
        x = tf.gather(x, [3, 1, 2, 0, 15, 4, 7, 6], axis=3)
        x = tf.nn.depthwise_conv2d(x, depthwise, (1, 2, 2, 1), "SAME")
        x = tf.nn.relu6(tf.nn.conv2d(x, pointwise, 1, "SAME"))
        x = tf.math.l2_normalize(x, axis=-1)
        x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        return tf.reshape(x, (1, 192)) @ dense

    def representative() -> Iterator[list[npt.NDArray[np.float32]]]:
        for _ in range(8):
            yield [random.standard_normal(INPUT_SHAPE).astype(np.float32)]

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [network.get_concrete_function()], tf.Module()
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def compile_with_vela(network: Path, accelerator: str, folder: Path) -> Path:
    """Return the network compiled for ``accelerator``."""
    from ethosu.vela import vela

    system_config, memory_mode = VELA_SETTINGS[accelerator.rpartition("-")[0]]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        vela.main(
            [
                *(str(network), "--output-dir", str(folder), "--config", "Arm/vela.ini"),
                *("--accelerator-config", accelerator),
                *("--system-config", system_config, "--memory-mode", memory_mode),
            ]
        )
    return folder / f"{network.stem}_vela.tflite"


def reference_output(network: bytes, data: npt.NDArray[np.int8]) -> bytes:
    """Return what LiteRT's reference kernels compute."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=network, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], data)
    interpreter.invoke()
    return bytes(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).tobytes())
