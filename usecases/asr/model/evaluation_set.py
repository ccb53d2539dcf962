# SPDX-License-Identifier: Apache-2.0
"""Let espeak-ng say commands that were never trained on, by voices that were not either."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from corpus import evaluation_utterances
from speech import spoken

from ethosmith.accuracy.generator import Item, Request, run_generator


def commands(request: Request) -> Iterator[Item]:
    """Yield spoken commands, each with its text."""
    utterances = evaluation_utterances(request.count, request.seed)
    for index, utterance in enumerate(utterances):
        pcm = spoken(utterance).astype("<i2").tobytes()
        yield Item(f"{index:04}-{utterance.text.replace(' ', '_')}", utterance.text, pcm)


if __name__ == "__main__":
    sys.exit(run_generator(commands))
