# SPDX-License-Identifier: Apache-2.0
"""Whether a repository's files still are what this build was written for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_bytes

_MAX_FILE_BYTES = 4 << 20

# Texts that stand in a file, by its path; white space may differ.
Contract = Mapping[str, Sequence[str]]


def check_contract(name: str, origin: str, folder: Path, contract: Contract) -> None:
    """Check what the firmware and libraries/*.yaml count on, before anything is compiled.

    Args:
        name: the repository's.
        origin: its commit or the user's folder, for messages.
        folder: where its files are.
        contract: of repositories/NAME.yaml.

    Raises:
        EthosmithError: a file is not there, or does not hold a text.
    """
    for path, texts in contract.items():
        missing = _missing(folder / path, texts)
        if missing is None:
            raise EthosmithError(f"{name} at {origin}: has no {path}; {_advice(name)}")
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise EthosmithError(
                f"{name} at {origin}: {path} does not hold '{missing[0]}'{more}; {_advice(name)}"
            )


def broken_terms(folder: Path, contract: Contract) -> Iterator[str]:
    """Yield everything in which the files in ``folder`` are not as ``contract`` has them."""
    for path, texts in contract.items():
        missing = _missing(folder / path, texts)
        if missing is None:
            yield f"has no {path}"
        else:
            yield from (f"{path} does not hold '{text}'" for text in missing)


def _missing(file: Path, texts: Sequence[str]) -> list[str] | None:
    """Return which texts do not stand in a file; None: there is no such file."""
    if not file.is_file():
        return None
    held = _normal(read_bytes(file, limit_bytes=_MAX_FILE_BYTES).decode("utf-8", "replace"))
    return [text for text in texts if _normal(text) not in held]


def _advice(name: str) -> str:
    return (
        f"this build needs what 'contract' in repositories/{name}.yaml lists: take the commit"
        " that is pinned there"
    )


def _normal(text: str) -> str:
    return " ".join(text.split())
