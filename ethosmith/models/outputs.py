# SPDX-License-Identifier: Apache-2.0
"""Name the files that compiling a network writes; imported by the graph, so it must stay light."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class VelaOutputs:
    """The files of one compilation, in the folder they are written to."""

    tflite: Path
    raw: Path
    summary: Path
    per_layer: Path
    operators: Path

    @classmethod
    def of(cls, name: str, folder: str | Path) -> VelaOutputs:
        """Name the outputs of the network ``name``."""
        folder = Path(folder)
        return cls(
            tflite=folder / f"{name}_vela.tflite",
            raw=folder / f"{name}_vela.npz",
            summary=folder / f"{name}_summary.csv",
            per_layer=folder / f"{name}_per-layer.csv",
            operators=folder / f"{name}_operators.json",
        )

    def by_name(self) -> dict[str, str]:
        """Return the paths by the names of the fields."""
        return {name: str(path) for name, path in asdict(self).items()}
