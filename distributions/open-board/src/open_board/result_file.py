# SPDX-License-Identifier: Apache-2.0
"""Write a run's result as JSON for the build graph: the same run, the same bytes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from open_board import files
from open_board.fvp import NAME as FVP
from open_board.job import BoardJob, BoardResult


def result_data(job: BoardJob, result: BoardResult) -> dict[str, Any]:
    """Return what the file holds; host times are left out, for they differ from run to run."""
    return {
        "call_instructions": result.call_instructions,
        "accelerator": job.accelerator.name,
        "exit_code": result.exit_code,
        "fast": job.fast and result.simulator == FVP,
        "npu": asdict(result.npu) if result.npu is not None else None,
        "outcome": result.outcome.value,
        "passed": result.passed,
        "reason": result.reason,
        "simulator": {"name": result.simulator, "version": result.version},
        "uart": result.text,
    }


def write_result(path: Path, job: BoardJob, result: BoardResult) -> None:
    """Write the result to ``path``, whole or not at all."""
    data = result_data(job, result)
    files.write_text(path, json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
