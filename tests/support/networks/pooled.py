# SPDX-License-Identifier: Apache-2.0
"""A network whose pooling Vela leaves to the CPU, between convolutions for the NPU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.support.one_thread import tensorflow

_SHAPE = (1, 25, 25, 8)


def pooled_network() -> bytes:
    """Return an int8 .tflite; its window of 9 is above what Vela takes with SAME padding."""
    tf = tensorflow()

    random = np.random.default_rng(1)

    def weights(*shape: int) -> Any:
        values = random.normal(0, 1 / np.sqrt(np.prod(shape[:-1])), shape)
        return tf.constant(values.astype(np.float32))

    first, second = weights(3, 3, 8, 16), weights(3, 3, 16, 12)

    @tf.function(input_signature=[tf.TensorSpec(_SHAPE, tf.float32)])  # type: ignore[untyped-decorator]
    def network(x: Any) -> Any:
        x = tf.nn.relu(tf.nn.conv2d(x, first, 1, "SAME"))
        x = tf.nn.avg_pool2d(x, 9, 2, "SAME")
        return tf.nn.relu(tf.nn.conv2d(x, second, 1, "SAME"))

    def representative() -> Iterator[list[npt.NDArray[np.float32]]]:
        for _ in range(8):
            yield [random.standard_normal(_SHAPE).astype(np.float32)]

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [network.get_concrete_function()], tf.Module()
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())
