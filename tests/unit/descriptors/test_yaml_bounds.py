# SPDX-License-Identifier: Apache-2.0
"""A descriptor that is too large in any way is one line with its place, soon."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.yaml_source import MAX_NODES, read_yaml

_BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
)

CASES = {
    "a hexadecimal number": ("count: 0x" + "f" * 3500, "1:8: a number of 3,502 characters"),
    "an octal number": ("count: 0o" + "7" * 3500, "1:8: a number of 3,502 characters"),
    "a decimal number": ("x: 1\ncount: " + "9" * 5000, "2:8: a number of 5,000 characters"),
    "a fraction": ("count: 0." + "1" * 5000, "1:8: a number of 5,002 characters"),
    "keys": (
        "".join(f"k{n}: 1\n" for n in range(90_000)),
        f"{MAX_NODES // 2}:{len(f'k{MAX_NODES // 2 - 1}') + 3}: more than {MAX_NODES:,} keys",
    ),
    "a list": ("a: [" + "1," * 90_000 + "]", "more than 20,000 keys and values"),
    "aliases": (_BOMB, "1:4: anchors and aliases are not allowed"),
    "lists in lists": ("a: " + "[" * 90_000, "nested more than 32 deep"),
    "mappings in mappings": ("{a: " * 90_000, "nested more than 32 deep"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_too_large_is_one_line(case: str, tmp_path: Path) -> None:
    text, expected = CASES[case]
    path = tmp_path / "usecase.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(EthosmithError) as caught:
        read_yaml(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:")
    assert expected in message
    assert len(message) < len(str(path)) + 120
