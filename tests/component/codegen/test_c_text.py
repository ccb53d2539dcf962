# SPDX-License-Identifier: Apache-2.0
"""What is written as C is what a C compiler reads."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethosmith.lib.c_text import float_literal, string
from ethosmith.steps.generate_labels import labels_source
from ethosmith.steps.generate_parameters import parameters_header
from tests.support.project_copy import ROOT

_HEADERS = ROOT / "firmware" / "runtime"
_NASTY = (
    'a "quoted" word',
    "back\\slash \\n \\x41",
    "trigraph ??/ ??=",
    "$(touch x) `touch y` ${Z} %s",
    "line\nline\ttab\r\0nul",
    "é日本\U0001f600",
    "/* comment */ // and */",
    "\x7f\x01" + "7",  # an octal escape, and a digit behind it
)


def run_c(folder: Path, source: str, *flags: str) -> bytes:
    compiler = shutil.which("cc")
    assert compiler is not None
    (folder / "main.c").write_text(source, "utf-8")
    program = folder / "main"
    command = [compiler, "-std=c11", "-Wall", "-Werror", *flags, "-o", str(program), "main.c"]
    subprocess.run(command, check=True, cwd=folder)
    return subprocess.run([program], check=True, capture_output=True).stdout


def test_a_compiler_reads_back_every_string(tmp_path: Path) -> None:
    texts = ",".join(f"{{{string(text)}, sizeof {string(text)} - 1}}" for text in _NASTY)
    source = (
        "#include <stdio.h>\nstatic const struct {const char *t; unsigned n;} all[] = {"
        f"{texts}}};\nint main(void) {{ for (unsigned i = 0; i < {len(_NASTY)}; i++)"
        " fwrite(all[i].t, 1, all[i].n, stdout); return 0; }\n"
    )
    assert run_c(tmp_path, source, "-trigraphs") == "".join(_NASTY).encode("utf-8")


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_literal_is_the_same_single_precision_value(value: float) -> None:
    literal = float_literal(value)
    assert literal.endswith("f")
    assert "." in literal or "e" in literal
    assert struct.pack("<f", float(literal[:-1])) == struct.pack("<f", value)


def test_parameters_become_macros_of_their_own_type(tmp_path: Path) -> None:
    header = parameters_header(
        {
            "low": -128,
            "gain": 0.1,
            "offset": -2.5,
            "pcan": True,
            "word": 'say "x"',
            "big": 2**32 - 1,
            "least": -(2**31),
        },
        "usecases/x/usecase.yaml",
    )
    (tmp_path / "parameters.h").write_text(header)
    source = (
        '#include <stdio.h>\n#include "parameters.h"\nint main(void) {'
        ' printf("%d %.9g %.9g %d %s %u ", 0-LOW, GAIN, 1-OFFSET, PCAN, WORD, BIG);'
        ' printf("%d", LEAST); return 0; }\n'
    )
    assert run_c(tmp_path, source) == b'128 0.100000001 3.5 1 say "x" 4294967295 -2147483648'


@pytest.mark.parametrize("labels", [(), ("yes",), ("it's", 'é "x"', "??/")])
def test_labels_compile_against_the_firmware_s_header(
    labels: tuple[str, ...], tmp_path: Path
) -> None:
    source = labels_source(labels, "x.yaml") + (
        "#include <stdio.h>\nint main(void) {"
        ' for (unsigned i = 0; i < label_count; i++) printf("%s|", labels[i]); return 0; }\n'
    )
    assert run_c(tmp_path, source, f"-I{_HEADERS}") == "".join(f"{x}|" for x in labels).encode()
