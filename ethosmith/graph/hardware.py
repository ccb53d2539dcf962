# SPDX-License-Identifier: Apache-2.0
"""Real boards: compare what one printed, or prints now, with the host: ``verify_log=``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.build import Build, step_after
from ethosmith.graph.runtimes import DIRECT
from ethosmith.steps.compare_run import CompareRun
from ethosmith.steps.verify_log import VerifyLog

VERIFY_LOG = "verify_log"


def declare_hardware(build: Build) -> str | None:
    """Declare ``verify_log=``, if it is given; return the target of a plain build, if it is that.

    Raises:
        EthosmithError: not exactly one image, or one that does not say who it is.
    """
    log = build.session.values[VERIFY_LOG]
    if not log:
        return None
    step = VerifyLog(**_comparison(build, f"{VERIFY_LOG}="), log=Path(log).expanduser())
    build.engine.alias(VERIFY_LOG, [step.axf, step.expected])
    step_after(build, VERIFY_LOG, step)
    return VERIFY_LOG


def _comparison(build: Build, asked: str) -> dict[str, Any]:
    """Return what the one image is compared with, as fields of a step."""
    if len(build.images) != 1:
        raise EthosmithError(
            f"{asked} takes one image, not {len(build.images)}: give usecase=NAME, and one npu=,"
            " memory_mode= and runtime="
        )
    compared = build.made[Path(build.images[0].verified)].step
    if not isinstance(compared, CompareRun) or compared.axf is None:
        raise EthosmithError(
            f"{asked} needs an image that is linked here: take runtime={DIRECT.name}, not prebuilt"
        )
    return {
        "usecase": compared.usecase,
        "axf": compared.axf,
        "expected": compared.expected,
        "expect": compared.expect,
        "expect_times": compared.expect_times,
    }
