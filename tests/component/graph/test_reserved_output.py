# SPDX-License-Identifier: Apache-2.0
"""With format=json, what the build and its processes say does not mix with the answer."""

from __future__ import annotations

import subprocess
import sys

from tests.support.project_copy import ROOT

_NOISY = """
import subprocess, sys
from ethosmith.core.terminal import reserved_output
answer = reserved_output()
print("printed")
subprocess.run(["echo", "said by a child"], check=True)
answer.write("{}")
"""


def test_nothing_but_the_answer_is_on_standard_output() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _NOISY], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "{}"
    assert sorted(done.stderr.splitlines()) == ["printed", "said by a child"]
