# SPDX-License-Identifier: Apache-2.0
"""Train the network with CTC on one thread: seeded, with voices warped and parts masked."""

from __future__ import annotations

import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from features import Frames

_FREQUENCY_MASK_CHANNELS = 7
_TIME_MASK_FRAMES = 12
# A vocal tract of another length moves what is spoken along the channels.
_MAX_STRETCH = 0.05
_MAX_SHIFT_CHANNELS = 0.7
_CLIP_NORM = 5.0

Real = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Example:
    """Frames of one utterance, and its text as symbols."""

    frames: Frames
    symbols: Sequence[int]


@dataclass(frozen=True)
class Stage:
    """One pass of training: the rate rises over one epoch and falls as a cosine.

    Attributes:
        utterances: the first so many of the corpus.
        epochs: times that each of them is heard.
        peak_rate: highest learning rate.
        warped: voices change from epoch to epoch. CTC finds its first alignments much later on
            voices that do, so the first stage leaves them as they are.
        batch: utterances of a step.
    """

    utterances: int
    epochs: int
    peak_rate: float
    warped: bool
    batch: int = 16

    def rate(self, step: int, steps_per_epoch: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        done = step / (self.epochs * steps_per_epoch)
        warm = min(1.0, (step + 1) / steps_per_epoch)
        return self.peak_rate * warm * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def use_one_thread() -> None:
    """Make TensorFlow's sums repeatable. Call it before anything else of TensorFlow."""
    import tensorflow as tf  # noqa: PLC0415 takes seconds

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def train(network: Any, examples: Sequence[Example], stage: Stage, seed: int) -> list[float]:
    """Fit ``network`` (logits, dropout inside) and return the mean loss of each epoch."""
    random = np.random.default_rng(seed)
    examples = examples[: stage.utterances]
    rate, step = _step_function(network)
    batches_per_epoch = len(list(_batches(examples, stage.batch, random)))
    losses = []
    done = 0
    for epoch in range(stage.epochs):
        started, epoch_losses = time.process_time(), []
        for batch in _batches(examples, stage.batch, random):
            rate.assign(stage.rate(done, batches_per_epoch))
            epoch_losses.append(float(step(*_tensors(batch, stage, random))))
            done += 1
        losses.append(float(np.mean(epoch_losses)))
        _say(f"epoch {epoch + 1} of {stage.epochs}: loss {losses[-1]:.3f}", started)
    return losses


def _batches(
    examples: Sequence[Example], size: int, random: np.random.Generator
) -> Iterator[list[Example]]:
    """Yield batches of utterances of one length, everything in random order."""
    by_length: dict[int, list[Example]] = defaultdict(list)
    for index in random.permutation(len(examples)):
        by_length[len(examples[index].frames)].append(examples[index])
    batches = [
        group[at : at + size] for group in by_length.values() for at in range(0, len(group), size)
    ]
    for index in random.permutation(len(batches)):
        yield batches[index]


def _tensors(
    batch: Sequence[Example], stage: Stage, random: np.random.Generator
) -> tuple[Any, Any]:
    import tensorflow as tf  # noqa: PLC0415

    frames = np.stack([_changed(item.frames, stage, random) for item in batch])
    places = [(row, at) for row, item in enumerate(batch) for at in range(len(item.symbols))]
    values = [symbol for item in batch for symbol in item.symbols]
    longest = max(len(item.symbols) for item in batch)
    labels = tf.SparseTensor(places, np.array(values, np.int32), (len(batch), longest))
    return tf.constant(frames), labels


def _changed(frames: Frames, stage: Stage, random: np.random.Generator) -> Real:
    real = frames.astype(np.float32)
    return _masked(_warped(real, random) if stage.warped else real, random)


def _warped(frames: Real, random: np.random.Generator) -> Real:
    """Stretch and shift the channels at random, as if another voice spoke."""
    channels = frames.shape[-1]
    stretch = random.uniform(1 - _MAX_STRETCH, 1 + _MAX_STRETCH)
    shift = random.uniform(-_MAX_SHIFT_CHANNELS, _MAX_SHIFT_CHANNELS)
    places = np.clip(np.arange(channels) * stretch + shift, 0, channels - 1).astype(np.float32)
    below = np.minimum(places.astype(int), channels - 2)
    part = places - below
    return np.asarray(frames[:, :, below] * (1 - part) + frames[:, :, below + 1] * part)


def _masked(frames: Real, random: np.random.Generator) -> Real:
    """Blank a random band of channels and a random stretch of time."""
    width, height = random.integers(_FREQUENCY_MASK_CHANNELS), random.integers(_TIME_MASK_FRAMES)
    channel = random.integers(frames.shape[-1] - width)
    at = random.integers(frames.shape[0] - height)
    frames[:, :, channel : channel + width] = 0
    frames[at : at + height] = 0
    return frames


def _step_function(network: Any) -> tuple[Any, Callable[[Any, Any], Any]]:
    """Return the variable of the learning rate, and the function that does one step."""
    import tensorflow as tf  # noqa: PLC0415

    optimiser = tf.keras.optimizers.Adam(1e-3, global_clipnorm=_CLIP_NORM)
    optimiser.build(network.trainable_variables)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(frames: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = tf.squeeze(network(frames, training=True), 2)
            loss = tf.reduce_mean(_ctc_loss(labels, logits))
        gradients = tape.gradient(loss, network.trainable_variables)
        optimiser.apply(gradients, network.trainable_variables)
        return loss

    return optimiser.learning_rate, step


def _ctc_loss(labels: Any, logits: Any) -> Any:
    """Return the loss of each utterance; every step counts, the silence at the end too."""
    import tensorflow as tf  # noqa: PLC0415

    steps = tf.fill([tf.shape(logits)[0]], tf.shape(logits)[1])
    return tf.nn.ctc_loss(
        labels, logits, None, steps, logits_time_major=False, blank_index=logits.shape[-1] - 1
    )


def _say(text: str, started: float) -> None:
    sys.stdout.write(f"{text} ({time.process_time() - started:.0f} s of CPU time)\n")
    sys.stdout.flush()
