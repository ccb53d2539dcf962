# SPDX-License-Identifier: Apache-2.0
"""Show C++ names as they stand in the source, without a demangler at hand.

Follows the Itanium C++ ABI, section 5.1, for plain and nested names; a template or an
operator keeps its mangled name, which is exact if not pretty. Parameters are left out.
"""

from __future__ import annotations

import re

_ENCODED = re.compile(r"_Z(?P<nested>N)?[KVL]*(?P<rest>.*)", re.DOTALL)
_LENGTH = re.compile(r"L?(\d+)")
_TAIL = re.compile(r"(?P<kind>[CD])[0-5]")
_ANONYMOUS = "_GLOBAL__N_1"


def plain_name(symbol: str) -> str:
    """Return ``app::Window::run`` for ``_ZN3app6Window3runEPKs``, other names as they are."""
    match = _ENCODED.fullmatch(symbol)
    if not match:
        return symbol
    parts, rest = _parts(match["rest"], nested=bool(match["nested"]))
    complete = rest.startswith("E") if match["nested"] else not rest.startswith("I")
    return "::".join(parts) if parts and complete else symbol


def _parts(text: str, *, nested: bool) -> tuple[list[str], str]:
    """Return the leading names, of which a plain symbol has one, and what follows them."""
    parts: list[str] = []
    while match := _LENGTH.match(text):
        end = match.end() + int(match[1])
        part = text[match.end() : end]
        if len(part) < int(match[1]):
            return [], text
        parts.append("(anonymous)" if part == _ANONYMOUS else part)
        text = text[end:]
        if not nested:
            break
    tail = _TAIL.match(text)
    if nested and parts and tail:
        parts.append(f"~{parts[-1]}" if tail["kind"] == "D" else parts[-1])
        text = text[tail.end() :]
    return parts, text
