# SPDX-License-Identifier: Apache-2.0
"""Call Vela in this process: what it says of a refusal, and what it leaves to the CPU."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ethosmith.core.bounded_run import bounded_time
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import MAX_MODEL_BYTES, read_bytes
from ethosmith.core.program import NO_MEMORY
from ethosmith.core.terminal import captured_output
from ethosmith.core.vela_config import CONFIG_FILE

_MAX_REASON = 400
# Of computing: on some damaged networks it does not end.
_LIMIT_S = 1800.0
# What Vela prints per operator that fails a constraint of `tflite_supported_operators`.
_WARNING = re.compile(
    r"^Warning \(supported operators\) operator: (?P<kind>\S+), ofm: '(?P<ofm>[^']*)'\n"
    r"Reason: (?P<reason>[^\n]*)",
    re.MULTILINE,
)
_NPU_CUSTOM_CODE = b"ethos-u"
_CUSTOM = "CUSTOM"
_CONVERSIONS = frozenset({"QUANTIZE", "DEQUANTIZE"})
# Arm's runner and our interpreter create no resource variables, and the NPU has none.
_NOWHERE = frozenset({"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"})


def vela_arguments(
    accelerator_config: str,
    system_config: str,
    memory_mode: str,
    optimise: str,
    arena_cache_size_bytes: int | None,
) -> list[str]:
    """Return what decides how Vela compiles; the figures by layer are always asked for."""
    arguments = [
        *("--config", CONFIG_FILE),
        *("--accelerator-config", accelerator_config),
        *("--system-config", system_config),
        *("--memory-mode", memory_mode),
        *("--optimise", optimise),
        "--verbose-performance",
    ]
    if arena_cache_size_bytes is not None:
        arguments += ["--arena-cache-size", str(arena_cache_size_bytes)]
    return arguments


def call_vela(network: Path, arguments: Sequence[str]) -> str:
    """Compile ``network``, put Vela's files beside it, and return what it printed.

    Raises:
        EthosmithError: Vela refuses the network or an argument.
    """
    from ethosu.vela import vela  # noqa: PLC0415 slow

    failure = None
    with bounded_time(_LIMIT_S), captured_output() as said:
        try:
            code = vela.main([str(network), "--output-dir", str(network.parent), *arguments])
        except SystemExit as stop:
            code = stop.code
        except MemoryError:
            failure = NO_MEMORY
            code = 1
        except Exception as error:  # noqa: BLE001 Vela raises many kinds; all mean "refused"
            failure = f"{error}"
            code = 1
        text = str(said())
    if code:
        raise EthosmithError(f"Vela refuses {network.name}: {_reason(failure, text)}")
    return text


def vela_crashed(network: Path, signal_name: str) -> str:
    """Say what is wrong with ``network`` when Vela ended by a signal."""
    ended = signal_name == signal.SIGPROF.name
    what = f"does not end within {_LIMIT_S:g} s of computing" if ended else "crashes"
    return f"{network}: Vela {what} on it; is the file damaged?"


def _reason(failure: str | None, text: str) -> str:
    lines = [line.strip() for line in (failure or text).splitlines() if line.strip()]
    errors = [line for line in lines if "rror" in line]
    return (errors or lines or ["no reason given"])[-1][:_MAX_REASON]


class OperatorsLeftError(EthosmithError):
    """The whole network was to be on the NPU, and Vela leaves operators to the CPU."""


@dataclass(frozen=True)
class CpuOperator:
    """An operator outside the NPU: its TFLite name, its OFM's name, Vela's reason."""

    kind: str
    ofm: str
    reason: str


def cpu_operators(compiled: Path, vela_said: str) -> list[CpuOperator]:
    """Return the operators of Vela's ``compiled`` .tflite that the CPU would run.

    The compiled network itself says which they are: Vela warns also about operators
    that it folds away afterwards. Its warnings give the reasons, matched by kind and OFM; where
    Vela has renamed the OFM, by kind alone.
    """
    warnings = [(m["kind"], m["ofm"], m["reason"]) for m in _WARNING.finditer(vela_said)]
    by_name = {(kind, ofm): reason for kind, ofm, reason in warnings}
    by_kind: dict[str, list[str]] = {}
    for kind, _, reason in warnings:
        by_kind.setdefault(kind, []).append(reason)
    return [
        CpuOperator(shown, ofm, by_name.get((kind, ofm)) or _any_of(by_kind.get(kind, [])))
        for shown, ofm in _operators(compiled)
        for kind in (shown.partition(" ")[0],)  # of a custom operator without its own name
    ]


def _any_of(reasons: list[str]) -> str:
    return " or ".join(dict.fromkeys(reasons)) or "no reason given"


def _operators(compiled: Path) -> list[tuple[str, str]]:
    from ethosu.vela.tflite.BuiltinOperator import BuiltinOperator  # noqa: PLC0415 slow
    from ethosu.vela.tflite.Model import Model  # noqa: PLC0415

    names = {value: key for key, value in vars(BuiltinOperator).items() if key.isupper()}
    model = Model.GetRootAsModel(read_bytes(compiled, limit_bytes=MAX_MODEL_BYTES), 0)
    graph = model.Subgraphs(0)
    found: list[tuple[str, str]] = []
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        code = model.OperatorCodes(operator.OpcodeIndex())
        if code.CustomCode() == _NPU_CUSTOM_CODE:
            continue
        value = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        name = graph.Tensors(operator.Outputs(0)).Name() if operator.OutputsLength() else b""
        kind = names.get(value, str(value))
        if kind == _CUSTOM:
            kind = f"{kind} {(code.CustomCode() or b'').decode('utf-8', 'replace')}".rstrip()
        found.append((kind, (name or b"").decode("utf-8", "replace")))
    return found


def nowhere_message(network: str, operators: list[CpuOperator]) -> str | None:
    """Say that no runtime executes some of the operators, and what to do; None: one does."""
    kinds = sorted({operator.kind for operator in operators} & _NOWHERE)
    if not kinds:
        return None
    return (
        f"{network}: no runtime here executes {', '.join(kinds)}: none of them creates resource"
        " variables; export the streaming network with its states as inputs and outputs, or use"
        " layers whose state Vela keeps (LSTM)"
    )


def fallback_table(network: str, operators: list[CpuOperator]) -> str:
    """Say which operators would fall back to the CPU, as a table, and what to do.

    Conversions between int8 and float are there for the operators between them: they are counted,
    unless there is nothing else.
    """
    causes = [one for one in operators if one.kind not in _CONVERSIONS] or operators
    rows = [("operator", "at (its output)", "reason")]
    rows += [(o.kind, _short(o.ofm), o.reason) for o in causes]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [f"  {a:<{widths[0]}}  {b:<{widths[1]}}  {c}".rstrip() for a, b, c in rows]
    if len(causes) < len(operators):
        count = len(operators) - len(causes)
        lines.append(f"  and {count} conversions between int8 and float around them")
    return "\n".join(
        [
            f"{network}: {len(operators)} operators cannot run on the NPU, and runtime=direct has"
            " no CPU kernels; change the network there, or let the CPU run them, with"
            " runtime=tflm, or usecase=inference_runner runtime=prebuilt:",
            *lines,
        ]
    )


def _short(name: str) -> str:
    """Return the last of the names that a converter has joined with semicolons."""
    return name.rstrip(";").rpartition(";")[2]
