# SPDX-License-Identifier: Apache-2.0
"""The name of a new use case: the rule, and an example near to what was given."""

from __future__ import annotations

import re
import unicodedata

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.words import NAME_LIMITS

# Words with a meaning of their own on the command line or in YAML.
_TAKEN = frozenset({"all", "false", "null", "true"})
_RULE = "lower-case letters, digits, single '-' and '_', beginning with a letter"
_EXAMPLE = "door"


def check_new_name(name: str) -> None:
    """Check the name of a new use case.

    Raises:
        EthosmithError: with the rule and a name that follows it.
    """
    shown = f"'{name}'" if name.isprintable() else repr(name)
    if name in _TAKEN:
        raise EthosmithError(f"usecase={name}: {shown} is reserved; choose another name")
    if not NAME_LIMITS.allows(name):
        example = near_name(name, _EXAMPLE)
        raise EthosmithError(
            f"{shown} is not a valid use case name: {_RULE}; for example usecase={example}"
        )


def near_name(text: str, otherwise: str) -> str:
    """Return a valid name that resembles ``text``, or ``otherwise`` if none does."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", re.sub(r"^[^a-z]+", "", letters))
    name = "_".join(words)[:40].rstrip("_")
    return name if name and name not in _TAKEN else otherwise


def title_of(name: str) -> str:
    """Return a first title, which its author will replace."""
    return re.sub(r"[-_]", " ", name).capitalize()
