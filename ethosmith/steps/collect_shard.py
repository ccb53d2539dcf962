# SPDX-License-Identifier: Apache-2.0
"""Collect one shard of an evaluation set of files: labelled samples as the device takes them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ethosmith.steps.step import Input, Output, Step, step


@step(verb="ITEMS", packages=("numpy", "pillow", "soundfile", "soxr"))
class CollectShard(Step):
    """Collect one shard of an evaluation set of files.

    Attributes:
        listing: names, labels, files and their hashes, JSON.
        folder: where the files are; each must have its hash.
        form: what the use case takes; ``UseCase.sample_form``.
        output: the shard: labelled samples as the device takes them.
    """

    listing: Input
    folder: Path
    form: Mapping[str, Any] | None = None
    output: Output

    def run(self) -> None:
        """Read, check and convert the files, and write the shard."""
        from ethosmith.accuracy.set_file import write_set
        from ethosmith.accuracy.shards import items_of_listing, read_listing
        from ethosmith.lib.sample_formats import SampleForm

        converted: list[str] = []
        entries = read_listing(self.listing)
        form = SampleForm.of(self.form or {})
        write_set(self.output, list(items_of_listing(self.folder, entries, form, converted)))
        for text, count in sorted(Counter(converted).items()):
            sys.stdout.write(f"CONVERT   {self.folder}: {count} of {len(entries)} files: {text}\n")
