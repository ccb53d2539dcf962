# SPDX-License-Identifier: Apache-2.0
"""Small TFLite networks, made by TensorFlow once per session."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# A process of its own: TensorFlow would slow the other tests of this one down.
_MAKE = """
import sys
from pathlib import Path
import numpy as np, tensorflow as tf
folder = Path(sys.argv[1])
tf.keras.utils.set_random_seed(1)
inputs = tf.keras.Input((8, 8, 2), name="picture")
layer = tf.keras.layers.Conv2D(4, 3, activation="relu")(inputs)
layer = tf.keras.layers.Flatten()(layer)
model = tf.keras.Model(inputs, tf.keras.layers.Dense(3, activation="softmax")(layer))
model.save(folder / "small.keras")
model.save(folder / "small.h5")
(folder / "float.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())

converter = tf.lite.TFLiteConverter.from_keras_model(model)
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: ([np.full((1, 8, 8, 2), v, "f4")] for v in (0.0, 1.0))
(folder / "float_io.tflite").write_bytes(converter.convert())

class Reversed(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec((1, 8, 4), tf.float32)])
    def __call__(self, x):
        return tf.reverse(x * 2.0, axis=[1]) + 1.0
module = Reversed()
converter = tf.lite.TFLiteConverter.from_concrete_functions(
    [module.__call__.get_concrete_function()], module)
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: ([np.full((1, 8, 4), v, "f4")] for v in (0.0, 1.0))
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = converter.inference_output_type = tf.int8
(folder / "reversed_int8.tflite").write_bytes(converter.convert())
"""


def make_networks(folder: Path) -> None:
    """Write small.keras and .h5, and a float, a half quantised and an int8 .tflite."""
    done = subprocess.run(
        [sys.executable, "-c", _MAKE, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
