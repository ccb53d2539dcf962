# SPDX-License-Identifier: Apache-2.0
"""Copy an image's files to the MPS3 board's card, and read them back.

The binaries go to SOFTWARE/, images.txt to the folder of the FPGA image that
platform.yaml's ``card`` names (Arm 100765, MPS3: MB/BOARD/APPLICATION_NOTE).
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.program import run_step
from ethosmith.descriptors.board import Card
from ethosmith.descriptors.platform import load_platform

_BINARIES = "SOFTWARE"
_LIST = "images.txt"


def flash(card: Card, sectors: Path, root: Path) -> list[Path]:
    """Copy what ``sectors`` holds to the card at ``root``; return the files written there.

    Raises:
        EthosmithError: ``root`` is no card of this board, is full or cannot be written,
            or reads back other bytes.
    """
    list_folder = root / "MB" / card.board / card.application_note
    for folder in (root / _BINARIES, list_folder):
        if not folder.is_dir():
            raise EthosmithError(
                f"{root}: not this board's card, it has no folder"
                f" {folder.relative_to(root).as_posix()}/; name the place it is mounted at"
            )
    binaries = sorted(path for path in sectors.glob("*.bin") if path.stat().st_size)
    copies = [(path, root / _BINARIES / path.name) for path in binaries]
    # The list goes last: a card that was pulled out too early boots what it booted before.
    copies.append((sectors / _LIST, list_folder / _LIST))
    for source, target in copies:
        _copy(source, target)
    return [target for _, target in copies]


def _copy(source: Path, target: Path) -> None:
    try:
        with source.open("rb") as given, target.open("wb") as written:
            shutil.copyfileobj(given, written)
            written.flush()
            os.fsync(written.fileno())
        same = target.read_bytes() == source.read_bytes()
    except OSError as error:
        raise EthosmithError(f"{target}: cannot be written: {error.strerror}") from None
    if not same:
        raise EthosmithError(
            f"{target}: read-back does not match what was written; is the card damaged?"
        )


def main(argv: Sequence[str]) -> None:
    """Copy the files of ``--sectors`` to ``--card``."""
    options = argparse.ArgumentParser(prog="python -m ethosmith.images.flash", description=__doc__)
    options.add_argument("--platform", type=Path, required=True, help="the platform.yaml")
    options.add_argument("--sectors", type=Path, required=True, help="the folder of the files")
    options.add_argument("--card", type=Path, required=True, help="where the card is mounted")
    args = options.parse_args(argv)
    platform = load_platform(args.platform)
    if platform.card is None:
        raise EthosmithError(f"platform {platform.name} has no card; use target=mps3")
    for path in flash(platform.card, args.sectors, args.card):
        sys.stdout.write(f"written and read back: {path}\n")


if __name__ == "__main__":
    raise SystemExit(run_step(main))
