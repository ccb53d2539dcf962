# SPDX-License-Identifier: Apache-2.0
"""C++ names are shown as the toolchain's demangler gives them, less the parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.images.symbols import plain_name
from tests.support.small_image import run


@pytest.mark.parametrize(
    "symbol",
    [
        "_ZN3app6Window3runEPKsPKc",
        "_ZNK3app6Window4sizeEv",
        "_ZL5state",
        "_ZN3app6WindowC2Ev",
        "_ZN3app6WindowD1Ev",
        "_Z3addii",
        "_ZN9ethosmithL5stateE",
    ],
)
def test_plain_name_equals_the_demanglers(symbol: str, tmp_path: Path) -> None:
    demangled = run("arm-none-eabi-c++filt", symbol, cwd=tmp_path).strip()
    assert demangled != symbol
    assert plain_name(symbol) == demangled.partition("(")[0]


@pytest.mark.parametrize(
    "symbol",
    ["main", "_Z", "_ZN", "_Zx", "_Z9a", "_ZplRK1AS1_", "_ZN3fooIiE3barEv", "_Z3fooIiEvT_"],
)
def test_other_names_stay_as_they_are(symbol: str) -> None:
    assert plain_name(symbol) == symbol


def test_anonymous_namespace_is_named() -> None:
    assert plain_name("_ZN3app12_GLOBAL__N_15stateE") == "app::(anonymous)::state"
