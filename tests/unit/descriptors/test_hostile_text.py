# SPDX-License-Identifier: Apache-2.0
"""Text that a terminal would obey is refused, and secrets in addresses are masked."""

from __future__ import annotations

import pytest

from ethosmith.descriptors.origin import masked_text, masked_url
from ethosmith.descriptors.words import LABEL_LIMITS

_OBEYED = (
    "\x00",
    "\x1b",
    "\x7f",
    "\x9b",
    "\u061c",
    "\u200f",
    "\u2028",
    "\u202e",
    "\u2066",
    "\ufeff",
)


@pytest.mark.parametrize("char", _OBEYED, ids=lambda char: f"{ord(char):04x}")
def test_a_label_has_no_control_characters(char: str) -> None:
    assert not LABEL_LIMITS.allows(f"o{char}n")


@pytest.mark.parametrize("label", ["ja", "größer", "はい", "نعم", "👩\u200d🔬", "a b"])
def test_labels_of_any_script_are_taken(label: str) -> None:
    assert LABEL_LIMITS.allows(label)


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    assert masked_url("https://me:token@example.org:8/a/b.git?key=secret#part") == (
        "https://example.org:8/a/b.git"
    )
    assert masked_url("https://token@example.org/a") == "https://example.org/a"
    assert masked_url("file:///srv/a.git") == "file:///srv/a.git"


def test_the_addresses_in_a_text_are_shown_without_secrets() -> None:
    text = 'step {"git": "https://me:token@example.org/a.git?key=s", "n": "a@b"} http://['
    assert masked_text(text) == (
        'step {"git": "https://example.org/a.git", "n": "a@b"} (an address that cannot be read)'
    )
