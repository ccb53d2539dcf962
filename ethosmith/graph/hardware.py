# SPDX-License-Identifier: Apache-2.0
"""Real boards: ``flash``, ``verify_log=``, ``verify_board`` and ``monitor``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.build import Build, step_after
from ethosmith.graph.image_sources import MODEL_IMAGE
from ethosmith.graph.preflight import check_card
from ethosmith.graph.runtimes import DIRECT
from ethosmith.steps.compare_run import CompareRun

VERIFY_LOG, VERIFY_BOARD, MONITOR = "verify_log", "verify_board", "monitor"


def declare_flash(build: Build) -> None:
    """Declare ``flash``: copy the files of the one image to a board's card, and verify them.

    Raises:
        EthosmithError: not exactly one image with such files, or the card is another board's.
    """
    if "flash" not in build.session.targets:
        return
    card, files = build.session.values["card"], build.card_files
    if not card:
        raise EthosmithError("flash needs the mount point of the card: card=/media/V2M-MPS3")
    if len(files) != 1 or not files[0]:
        raise EthosmithError(
            f"flash takes one image for a board with a card, not {len(files)}: give usecase=NAME"
            " target=mps3"
        )
    check_card(build, Path(card))
    command = [
        *(sys.executable, "-m", "ethosmith.images.flash", "--card", card),
        *("--platform", str(build.platform.path), "--sectors", str(files[0][0].parent)),
        *("--accelerator", build.images[0].configuration.npu_name),
    ]
    build.engine.alias("flash", files[0])
    build.engine.after("flash", lambda: build.engine.run(command), f"FLASH     {card}")


def declare_hardware(build: Build) -> str | None:
    """Declare what is asked for of a real board; return the target of a plain build, if it is that.

    Raises:
        EthosmithError: not exactly one image, one that does not say who it is, or no port.
    """
    targets = build.session.targets
    if MONITOR in targets:
        port = _port(build, MONITOR)
        build.engine.alias(MONITOR)
        from ethosmith.steps.monitor_board import MonitorBoard

        step_after(build, MONITOR, MonitorBoard(port=port, baud=_baud(build)))
    if VERIFY_BOARD in targets:
        _declare_board(build)
    log = build.session.values[VERIFY_LOG]
    if not log:
        return None
    from ethosmith.steps.verify_board import VerifyBoard

    step = VerifyBoard(**_comparison(build, f"{VERIFY_LOG}="), log=Path(log).expanduser())
    if set(targets) - {MODEL_IMAGE}:
        raise EthosmithError(f"{VERIFY_LOG}= goes alone, or with the target {MODEL_IMAGE}")
    target = MODEL_IMAGE if targets else VERIFY_LOG
    build.engine.alias(target, step.inputs)
    step_after(build, target, step)
    return VERIFY_LOG


def _declare_board(build: Build) -> None:
    from ethosmith.steps.verify_board import VerifyBoard

    comparison = _comparison(build, VERIFY_BOARD)
    step = VerifyBoard(
        **comparison,
        port=_port(build, VERIFY_BOARD),
        baud=_baud(build),
        silence_s=build.session.time_limit_s,
        hide=() if build.session.verbose else ("tensor", "window"),
        log=comparison["axf"].with_name(f"{comparison['usecase']}_board.log"),
    )
    build.engine.alias(VERIFY_BOARD, step.inputs)
    step_after(build, VERIFY_BOARD, step)


def _port(build: Build, asked: str) -> str:
    port = build.session.values["port"]
    if not port:
        from ethosmith.verify.serial_port import named_ports

        raise EthosmithError(f"{asked} needs port=NAME of the board; found: {named_ports()}")
    return port


def _baud(build: Build) -> int:
    return build.platform.descriptor.uart.baud


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
    model = Path(compared.axf).with_name(f"{compared.usecase}_model.bin")
    return {
        "model": model if MODEL_IMAGE in build.session.targets else None,
        "usecase": compared.usecase,
        "axf": compared.axf,
        "expected": compared.expected,
        "expect": compared.expect,
        "expect_times": compared.expect_times,
    }
