# SPDX-License-Identifier: Apache-2.0
"""Make the network: synthesise speech, train, measure, write the weights and the samples.

`scons train usecase=asr` runs this; README.md beside it says what came out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from corpus import (
    NOISES,
    VOCABULARY,
    Utterance,
    evaluation_utterances,
    symbol_indices,
    training_utterances,
)
from evaluation import Network, float_network, int8_network, transcribed
from features import FeatureProgram, Frames, joined
from network import (
    RECEPTIVE_FIELD_FRAMES,
    STRIDE_FRAMES,
    WINDOW_FRAMES,
    logits_network,
    window_network,
)
from speech import spoken, synthesiser, write_wav
from training import Example, Stage, train, use_one_thread

from ethosmith.accuracy.evaluation_set import Accepted, items_of_folder
from ethosmith.accuracy.metrics import word_error_rate
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_text, writing_beside
from ethosmith.core.program import run_step
from ethosmith.descriptors.load import load
from ethosmith.descriptors.usecase import UseCase
from ethosmith.lib.sample_formats import SampleForm

_HERE = Path(__file__).resolve().parent
_DROPOUT = 0.1
# Each recording is heard so often in each epoch.
_REPEATS = 10
_STAGES = (
    Stage(utterances=4000, epochs=24, peak_rate=2e-3, warped=False),
    Stage(utterances=6000, epochs=9, peak_rate=1e-3, warped=True),
)
_LONGEST_SAMPLE_BYTES = 100_000


@dataclass(frozen=True)
class Clip:
    """An utterance and its features, windows x frames x 1 x channels."""

    utterance: Utterance
    windows: Frames


@dataclass(frozen=True)
class Recipe:
    """All that the result depends on, beside the code."""

    seed: int
    evaluation_utterances: int
    samples: int
    stages: tuple[Stage, ...]


def make(
    usecase: UseCase,
    program: FeatureProgram,
    recipe: Recipe,
    folder: Path,
    recorded: Path | None = None,
) -> dict[str, Any]:
    """Train and write the network, the samples and results.json; return the results.

    Args:
        usecase: the descriptor; its parameters rule features and symbols.
        program: computes features.
        recipe: amounts and seed.
        folder: gets model/ and samples/.
        recorded: a folder of labelled recordings to train on, too.
    """
    alphabet = str(usecase.parameters["alphabet"])
    most = max(stage.utterances for stage in recipe.stages)
    evaluation = _clips(evaluation_utterances(recipe.evaluation_utterances, recipe.seed), program)
    training = _clips(training_utterances(most, recipe.seed), program)
    recordings = _recordings(recorded, usecase, program) if recorded else []
    # First of all, since a stage takes the first ones: real voices are few and count for more.
    examples = [
        *recordings * _REPEATS,
        *(
            Example(joined(clip.windows), symbol_indices(clip.utterance.text, alphabet))
            for clip in training
        ),
    ]
    use_one_thread()
    started = time.process_time()
    network, losses = _trained(usecase, examples, recipe)
    model = folder / f"model/{usecase.model.name}.keras"
    with writing_beside(model) as beside:
        network.save(beside)
    float_texts = _texts(float_network(network), evaluation, alphabet)
    samples = _samples(evaluation, float_texts, recipe.samples)
    _write_samples(samples, folder / "samples")
    return {
        "recipe": asdict(recipe),
        "vocabulary": list(VOCABULARY),
        "parameters": int(network.count_params()),
        **({"recordings": len(recordings)} if recordings else {}),
        "loss": losses[-1],
        "training_cpu_s": round(time.process_time() - started),
        "float": _measured(float_texts, evaluation),
        "samples": [clip.utterance.text for clip in samples],
        "int8": _measured(_int8_texts(model, samples, evaluation, alphabet), evaluation),
    }


def _recordings(folder: Path, usecase: UseCase, program: FeatureProgram) -> list[Example]:
    """Return what people have said, from a folder as ``accuracy evaluation=`` takes it.

    Raises:
        EthosmithError: no such folder, not a sound, or a text that the alphabet cannot write.
    """
    alphabet = str(usecase.parameters["alphabet"])
    accepted = Accepted((".wav", ".flac"), (), SampleForm.of(usecase.sample_form))
    found = []
    for item in items_of_folder(folder, accepted):
        try:
            symbols = symbol_indices(item.expect, alphabet)
        except ValueError:
            raise EthosmithError(
                f"{folder}: '{item.expect}' has a character that the network does not write:"
                f" it writes '{alphabet}'"
            ) from None
        windows = program.windows(np.frombuffer(item.data, "<i2"))
        found.append(Example(joined(windows), symbols))
    return found


def _clips(utterances: Iterable[Utterance], program: FeatureProgram) -> list[Clip]:
    return [Clip(item, program.windows(spoken(item))) for item in utterances]


def _trained(
    usecase: UseCase, examples: Sequence[Example], recipe: Recipe
) -> tuple[Any, list[float]]:
    """Return the network of one window with trained weights, and the losses.

    Each stage begins with fresh seeds and a fresh optimiser.
    """
    from keras.utils import set_random_seed  # noqa: PLC0415 takes seconds

    channels = int(usecase.parameters["channels"])
    symbols = len(str(usecase.parameters["alphabet"])) + 1
    network = window_network(channels, symbols)
    losses: list[float] = []
    for index, stage in enumerate(recipe.stages):
        set_random_seed(recipe.seed)
        learning = logits_network(None, channels, symbols, dropout=_DROPOUT)
        if index > 0:
            learning.set_weights(network.get_weights())
        losses += train(learning, examples, stage, recipe.seed + index)
        network.set_weights(learning.get_weights())
    return network, losses


def _texts(network: Network, clips: Sequence[Clip], alphabet: str) -> list[str]:
    return [transcribed(network, clip.windows, alphabet) for clip in clips]


def _measured(texts: Sequence[str], clips: Sequence[Clip]) -> dict[str, float]:
    wanted = [clip.utterance.text for clip in clips]
    right = sum(said == want for said, want in zip(texts, wanted, strict=True))
    return {
        "word_error_rate": round(word_error_rate(texts, wanted), 4),
        "sentences_right": round(right / len(wanted), 4),
    }


def _samples(clips: Sequence[Clip], texts: Sequence[str], count: int) -> list[Clip]:
    """Return clips of different voices, texts and noises, those that the network gets right first.

    Wrong ones follow only where there are not enough of the others.
    """
    pairs = list(zip(clips, texts, strict=True))
    wrong_last = sorted(pairs, key=lambda pair: pair[1] != pair[0].utterance.text)
    chosen: list[Clip] = []
    for clip, _ in wrong_last:
        item = clip.utterance
        noises = [other.utterance.noise for other in chosen]
        rarest = min(map(noises.count, NOISES))
        if (
            len(chosen) < count
            and all(other.utterance.voice != item.voice for other in chosen)
            and all(other.utterance.text != item.text for other in chosen)
            and noises.count(item.noise) == rarest
        ):
            chosen.append(clip)
    return chosen


def _write_samples(clips: Sequence[Clip], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.wav"):
        old.unlink()
    for clip in clips:
        pcm = spoken(clip.utterance)
        if 2 * pcm.size > _LONGEST_SAMPLE_BYTES:
            raise EthosmithError(f"the sample '{clip.utterance.text}' is longer than 3 s")
        write_wav(folder / f"{clip.utterance.text.replace(' ', '_')}.wav", pcm)


def _int8_texts(
    model: Path, samples: Sequence[Clip], clips: Sequence[Clip], alphabet: str
) -> list[str]:
    """Quantise with the samples, as the build does it, in a process as the build's."""
    with tempfile.TemporaryDirectory() as temporary:
        files = []
        for index, clip in enumerate(samples):
            files.append(Path(temporary) / f"{index}.f32")
            files[-1].write_bytes(clip.windows.astype("<f4").tobytes())
        output = Path(temporary) / "int8.tflite"
        _quantise(model, files, output)
        return _texts(int8_network(output), clips, alphabet)


def _quantise(model: Path, files: Sequence[Path], output: Path) -> None:
    command = [sys.executable, "-m", "ethosmith", "step", "quantise-network"]
    command += ["--model", str(model), "--model-files", str(model), "--output", str(output)]
    command += ["--representative", *map(str, files)]
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise EthosmithError(f"{model}: cannot be quantised; see above")


def _check(usecase: UseCase) -> None:
    """Raise EthosmithError if the descriptor does not describe the network."""
    wanted = {
        "receptive_field_frames": RECEPTIVE_FIELD_FRAMES,
        "stride_frames": STRIDE_FRAMES,
    }
    for name, value in wanted.items():
        if usecase.parameters.get(name) != value:
            raise EthosmithError(f"usecase.yaml: the network's {name} is {value}")


def _stages(given: argparse.Namespace) -> tuple[Stage, ...]:
    return tuple(
        replace(
            stage,
            utterances=min(stage.utterances, given.utterances),
            epochs=min(stage.epochs, given.epochs),
        )
        for stage in _STAGES
    )


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="train.py", description=__doc__)
    parser.add_argument("--program", type=Path, required=True, help="the use case's host program")
    parser.add_argument(
        "--folder", type=Path, default=_HERE.parent, help="gets model/, samples/; default: ours"
    )
    parser.add_argument("--utterances", type=int, default=6000, help="to train on, at most")
    parser.add_argument("--evaluation", type=int, default=200, help="utterances to measure with")
    parser.add_argument("--samples", type=int, default=5, help="to bake into the image")
    parser.add_argument("--epochs", type=int, default=24, help="of each stage, at most")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--recorded", type=Path, help="folder of recordings to train on too: TEXT/NAME.wav"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Command line of the training."""
    given = _parse(argv)
    synthesiser()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    usecase = load(UseCase, _HERE.parent / "usecase.yaml")
    _check(usecase)
    program = FeatureProgram(given.program, (WINDOW_FRAMES, 1, int(usecase.parameters["channels"])))
    recipe = Recipe(given.seed, given.evaluation, given.samples, _stages(given))
    results = make(usecase, program, recipe, given.folder, given.recorded)
    write_text(given.folder / "model" / "results.json", json.dumps(results, indent=2) + "\n")
    sys.stdout.write(
        f"word error rate: float {results['float']['word_error_rate']:.1%},"
        f" int8 {results['int8']['word_error_rate']:.1%}\n"
    )


if __name__ == "__main__":
    sys.exit(run_step(main))
