# SPDX-License-Identifier: Apache-2.0
"""Runs one job: fetches the command stream and executes it to its end or to a fault."""

from __future__ import annotations

from ethosmith.npu.config import AcceleratorConfig
from ethosmith.npu.faults import CommandFault
from ethosmith.npu.job import Job, JobResult
from ethosmith.npu.memory import Memory
from ethosmith.npu.trace import Trace


class Executor:
    """The NPU behind its registers."""

    def __init__(self, accelerator: AcceleratorConfig, memory: Memory, trace: Trace | None) -> None:
        self._accelerator = accelerator
        self._memory = memory
        self._trace = trace

    def reset(self) -> None:
        """Forget all state between jobs."""

    def run(self, job: Job) -> JobResult:
        """Execute ``job`` to its end or to the first fault."""
        return JobResult(
            fault=CommandFault(f"no command is known yet, job at {job.stream_address:#x}")
        )
