# SPDX-License-Identifier: Apache-2.0
"""Compile a quantised program to an ExecuTorch program (.pte), and run its parts on the host.

The NPU's parts are delegates with Vela's output for one NPU; all else stays an operator that
ExecuTorch's portable kernels compute. Inputs and outputs that the program quantises first or
dequantises last are integers, as they are with runtime=direct.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.terminal import captured_output
from ethosmith.models.tensor_spec import NetworkSpec
from ethosmith.pytorch.partition import (
    DELEGATE,
    TOSA,
    Boundary,
    Left,
    boundary_of,
    edge_manager,
    is_operator,
    left_outside,
    partitioned,
)
from ethosmith.pytorch.places import first_line, quiet
from ethosmith.pytorch.vela_estimate import kept_estimates, whole_summary


@dataclass(frozen=True)
class Target:
    """What Vela compiles for.

    Attributes:
        accelerator_config: Vela's name of the NPU, such as ``ethos-u55-128``.
        system_config: Vela's name of the system's timing.
        memory_mode: Vela's name of where the model lies.
        flags: more of Vela's options.
    """

    accelerator_config: str
    system_config: str
    memory_mode: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compiled:
    """An ExecuTorch program.

    Attributes:
        pte: the file's contents.
        spec: its inputs and outputs.
        delegates: how many parts run on the NPU.
        left: operators that run on the CPU.
        summary: Vela's estimate of all parts on the NPU together, CSV.
    """

    pte: bytes
    spec: NetworkSpec
    delegates: int
    left: tuple[Left, ...]
    summary: str


def compiled_program(shown: Path, program: Any, target: Target) -> Compiled:
    """Return the quantised ``program`` as an ExecuTorch program.

    Args:
        shown: the network, for messages.
        program: an ExportedProgram of `quantised_program`.
        target: the NPU.

    Raises:
        EthosmithError: an operator cannot be lowered, or has no form that ExecuTorch runs.
    """
    quiet()
    from executorch.backends.arm.ethosu import (  # noqa: PLC0415 takes seconds
        EthosUCompileSpec,
        EthosUPartitioner,
    )
    from executorch.backends.arm.tosa import TosaSpecification  # noqa: PLC0415

    spec = EthosUCompileSpec(
        target.accelerator_config,
        system_config=target.system_config,
        memory_mode=target.memory_mode,
        extra_flags=list(target.flags),
    )
    # The same parts for every NPU: those that the host computes, and runtime=direct runs.
    spec.tosa_spec = TosaSpecification.create_from_string(TOSA)
    with captured_output() as said, _temporary_without_spaces(), kept_estimates() as estimates:
        try:
            edge, reasons = edge_manager(shown, program, EthosUPartitioner(spec))
        except SystemExit:
            lines = said().strip().splitlines()
            reason = lines[-1][:300] if lines else "no reason given"
            raise EthosmithError(f"{shown}: Vela refuses a part of it: {reason}") from None
    nodes = list(edge.exported_program().graph.nodes)
    calls = [node for node in nodes if node.op == "call_function"]
    left = left_outside([node for node in calls if _is_kernel(node)], reasons)
    boundary = boundary_of(edge.exported_program())
    pte = _serialised(shown, _with_integers_outside(edge, boundary))
    delegates = sum(is_operator(node, DELEGATE) for node in calls)
    return Compiled(pte, boundary.spec, delegates, tuple(left), whole_summary(shown, estimates))


@contextmanager
def _temporary_without_spaces() -> Iterator[None]:
    """Have temporary files elsewhere if their folder's path has a space.

    ExecuTorch 1.5 passes Vela's arguments as one text, and cuts it at spaces.
    """
    before = tempfile.tempdir
    place = "/tmp" if " " in tempfile.gettempdir() else None  # noqa: S108 a new folder in it
    with tempfile.TemporaryDirectory(prefix="executorch-", dir=place) as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before


def _is_kernel(node: Any) -> bool:
    return "." in str(node.target) and not is_operator(node, DELEGATE)


def _with_integers_outside(edge: Any, boundary: Boundary) -> Any:
    from executorch.exir.passes.quantize_io_pass import (  # noqa: PLC0415
        QuantizeInputs,
        QuantizeOutputs,
    )

    if boundary.integer_inputs:
        edge = edge.transform([QuantizeInputs(edge, list(boundary.integer_inputs))])
    if boundary.integer_outputs:
        edge = edge.transform([QuantizeOutputs(edge, list(boundary.integer_outputs))])
    return edge


def _serialised(shown: Path, edge: Any) -> bytes:
    import executorch.kernels.quantized  # noqa: PLC0415, F401 it registers what a .pte may name
    from executorch.exir import ExecutorchBackendConfig  # noqa: PLC0415

    try:
        made = edge.to_executorch(ExecutorchBackendConfig(extract_delegate_segments=False))
    except Exception as error:  # noqa: BLE001 passes raise what they like
        raise EthosmithError(
            f"{shown}: cannot be made an ExecuTorch program: {first_line(error)}"
        ) from None
    return bytes(made.buffer)


class HostProgram:
    """A partitioned program on this machine: TOSA's reference model, and PyTorch's operators."""

    def __init__(
        self, shown: Path, program: Any, reference: Callable[[bytes, list[Any]], list[Any]]
    ) -> None:
        """Partition the program.

        Args:
            shown: the network, for messages.
            program: an ExportedProgram of `quantised_program`.
            reference: computes a TOSA flatbuffer's outputs from its inputs, NumPy arrays; called
                for each part on the NPU in turn.
        """
        self._program, _ = partitioned(shown, program)
        self._boundary = boundary_of(self._program)
        self._reference = reference

    def run(self, given: list[Any]) -> list[Any]:
        """Return the outputs for NumPy arrays as inputs, both in the form of the boundary."""
        import torch  # noqa: PLC0415

        with torch.no_grad():
            values = self._values([torch.from_numpy(one) for one in given])
        (result,) = self._program.graph.find_nodes(op="output")
        kept = self._boundary.integer_outputs
        wanted = [
            node.args[0] if index in kept else node for index, node in enumerate(result.args[0])
        ]
        return [values[node].numpy() for node in wanted]

    def _values(self, given: list[Any]) -> dict[Any, Any]:
        """Return the value of every node."""
        import torch  # noqa: PLC0415

        named = self._named(given)
        values: dict[Any, Any] = {}
        for node in self._program.graph.nodes:
            if node.op == "placeholder":
                values[node] = named[node.name]
            elif node.op == "get_attr":
                values[node] = getattr(self._program.graph_module, node.target)
            elif node.op == "call_function":
                arguments = torch.fx.node.map_arg(node.args, values.__getitem__)
                keywords = torch.fx.node.map_arg(node.kwargs, values.__getitem__)
                values[node] = self._called(node, values, arguments, keywords)
        return values

    def _called(self, node: Any, values: dict[Any, Any], arguments: Any, keywords: Any) -> Any:
        import torch  # noqa: PLC0415

        if is_operator(node, DELEGATE):
            tosa = bytes(arguments[0].processed_bytes)
            arrays = [one.contiguous().numpy() for one in arguments[1:]]
            made = [torch.from_numpy(one.copy()) for one in self._reference(tosa, arrays)]
            # Vela's output has no signs and six dimensions.
            return [
                one.view(value.dtype).reshape(value.shape)
                for one, value in zip(made, node.meta["val"], strict=True)
            ]
        source = node.all_input_nodes[0] if node.all_input_nodes else None
        if source is not None and self._is_integer_already(source):
            return values[source]
        return node.target(*arguments, **keywords)

    def _is_integer_already(self, source: Any) -> bool:
        """Say whether the node behind ``source`` would quantise what is given as integers."""
        inputs = self._program.graph_signature.user_inputs
        return source.op == "placeholder" and any(
            source.name == inputs[index] for index in self._boundary.integer_inputs
        )

    def _named(self, given: list[Any]) -> Mapping[str, Any]:
        signature, program = self._program.graph_signature, self._program
        held = {**program.state_dict, **program.constants}
        named: dict[str, Any] = {}
        for mapping in (
            signature.inputs_to_parameters,
            signature.inputs_to_buffers,
            signature.inputs_to_lifted_tensor_constants,
        ):
            named |= {name: held[target] for name, target in mapping.items()}
        return {**named, **dict(zip(signature.user_inputs, given, strict=True))}
