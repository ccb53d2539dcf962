"""Ethosmith: from a Keras file to an Arm Cortex-M55 with an Ethos-U NPU."""

import sys
from pathlib import Path

__version__ = "0.1.0"

# In the repository, the distributions in it are used as they are, whatever is installed.
_DISTRIBUTIONS = Path(__file__).resolve().parent.parent / "distributions"
DISTRIBUTION_PATHS = tuple(
    str(path)
    for path in (_DISTRIBUTIONS / "ethosu-model/src", _DISTRIBUTIONS / "open-board/src")
    if path.is_dir()
)
sys.path[:0] = [path for path in DISTRIBUTION_PATHS if path not in sys.path]
