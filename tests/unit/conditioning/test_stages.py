# SPDX-License-Identifier: Apache-2.0
"""A stage that there is not, or that cannot train, is refused; nothing is left unmade silently."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.steps.condition_keras import ConditionKeras
from ethosmith.steps.condition_pytorch import ConditionPytorch

_KERAS = {"model": "net.keras"}
_PYTORCH = {"model": "net.py", "model_files": ["net.py"]}


@pytest.mark.parametrize(
    ("step", "given"), [(ConditionKeras, _KERAS), (ConditionPytorch, _PYTORCH)]
)
@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ("prun", "unknown stage 'prun' (allowed: prune, cluster, quantisation_aware)"),
        ("quantisation_aware", "stage quantisation_aware trains: give it a script"),
    ],
)
def test_a_stage_that_makes_nothing_is_refused(
    stage: str, message: str, step: Any, given: dict[str, Any], tmp_path: Path
) -> None:
    one = step.of_spec({**given, "stage": stage, "output": str(tmp_path / "made")})
    with pytest.raises(EthosmithError, match=re.escape(message)):
        one.run()
    assert not (tmp_path / "made").exists()
