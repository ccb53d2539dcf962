# SPDX-License-Identifier: Apache-2.0
"""What is said: vocabulary, command sentences and word sequences, and who says it how."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

ROOMS = ("kitchen", "bedroom", "bathroom", "hallway", "garage", "garden", "office", "attic")
LIGHTS = ("light", "lamp")
DEVICES = (*LIGHTS, "fan", "heater", "oven", "camera", "radio")
PLAYERS = ("music", "radio", "alarm", "timer", "camera")
OPENINGS = ("door", "window", "curtain")
COLOURS = ("red", "green", "blue", "yellow", "white", "purple", "orange")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

# Each position of a command takes one word of its group.
COMMANDS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("turn", "switch"), ("on", "off"), ROOMS, DEVICES),
    (("turn", "switch"), ("on", "off"), DEVICES),
    (("open", "close"), ROOMS, OPENINGS),
    (("set", "make"), ROOMS, LIGHTS, COLOURS),
    (("raise", "lower", "dim"), ROOMS, LIGHTS),
    (("start", "stop", "play", "pause"), PLAYERS),
    (("volume",), ("up", "down")),
    (("set",), ("timer", "alarm"), DIGITS, ("minutes", "hours")),
    (("call",), DIGITS, DIGITS, DIGITS),
)

VOCABULARY = tuple(
    sorted({word for command in COMMANDS for group in command for word in group} | {"yes", "no"})
)

NOISES = ("none", "white", "pink", "hum")

# One command in this many is never trained on.
_HELD_OUT_PART = 4


@dataclass(frozen=True)
class VoiceSet:
    """Speakers of espeak-ng: each accent with each variant of its voice."""

    accents: tuple[str, ...]
    variants: tuple[str, ...]


TRAINING_VOICES = VoiceSet(
    ("en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-029", "en-gb-x-gbcwmd"),
    (
        *("m1", "m2", "m4", "m5", "m6", "m7", "f1", "f2", "f3", "f5"),
        *("Alex", "Andy", "Annie", "antonio", "belinda", "benjamin", "caleb", "Denis"),
        *("ed", "Gene", "Henrique", "Hugo", "linda", "Lee", "max", "Michael", "pablo"),
        *("rob", "steph", "victor"),
    ),
)
HELD_OUT_VOICES = VoiceSet(
    ("en-us", "en-gb", "en-gb-x-rp"), ("m3", "m8", "f4", "adam", "Alicia", "Mario")
)


@dataclass(frozen=True)
class Utterance:
    """One thing to synthesise.

    Attributes:
        text: lower-case words with single spaces.
        voice: espeak-ng's ``accent+variant``.
        speed_wpm: words per minute.
        pitch: 0 to 99, 50 is the voice's own.
        gap_cs: pause between words beyond the natural one, in hundredths of a second.
        level: peak of the speech, full scale is 1.
        noise: one of `NOISES`.
        snr_db: speech power over noise power.
        lead_ms: silence (or noise alone) before the speech.
        trail_ms: silence (or noise alone) behind it.
        seed: of the noise.
    """

    text: str
    voice: str
    speed_wpm: int
    pitch: int
    gap_cs: int
    level: float
    noise: str
    snr_db: float
    lead_ms: int
    trail_ms: int
    seed: int


def is_held_out(sentence: str) -> bool:
    """Say whether a command is kept for evaluation; the same on every machine."""
    return hashlib.sha256(sentence.encode()).digest()[0] % _HELD_OUT_PART == 0


def command(random: np.random.Generator, *, held_out: bool) -> str:
    """Return a random command: each kind is as likely, then each word of its groups."""
    while True:
        groups = COMMANDS[random.integers(len(COMMANDS))]
        sentence = " ".join(str(random.choice(group)) for group in groups)
        if is_held_out(sentence) == held_out or len(list(product(*groups))) < _HELD_OUT_PART:
            return sentence


def word_sequence(random: np.random.Generator) -> str:
    """Return two to four words of the vocabulary, in no order that a command would have."""
    return " ".join(random.choice(VOCABULARY, size=random.integers(2, 5)))


def utterance(random: np.random.Generator, text: str, voices: VoiceSet) -> Utterance:
    """Let a random voice say ``text`` at a random speed, pitch, level and noise."""
    return Utterance(
        text=text,
        voice=f"{random.choice(voices.accents)}+{random.choice(voices.variants)}",
        speed_wpm=int(random.integers(130, 186)),
        pitch=int(random.integers(30, 71)),
        gap_cs=int(random.integers(0, 4)),
        level=float(random.uniform(0.15, 0.9)),
        noise=str(random.choice(NOISES)),
        snr_db=float(random.uniform(15, 35)),
        lead_ms=int(random.integers(50, 300)),
        trail_ms=int(random.integers(100, 300)),
        seed=int(random.integers(1 << 31)),
    )


def training_utterances(count: int, seed: int) -> Iterator[Utterance]:
    """Yield ``count`` utterances: commands and free word sequences in turn."""
    random = np.random.default_rng(seed)
    for index in range(count):
        text = word_sequence(random) if index % 2 else command(random, held_out=False)
        yield utterance(random, text, TRAINING_VOICES)


def evaluation_utterances(count: int, seed: int) -> Iterator[Utterance]:
    """Yield ``count`` commands that were never trained on, by voices that were not either."""
    random = np.random.default_rng(seed + 1_000_003)
    for _ in range(count):
        yield utterance(random, command(random, held_out=True), HELD_OUT_VOICES)


def symbol_indices(text: str, alphabet: str) -> list[int]:
    """Return each character's place in ``alphabet``; ValueError for one that it lacks."""
    return [alphabet.index(character) for character in text]
