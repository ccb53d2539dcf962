# SPDX-License-Identifier: Apache-2.0
"""What executes a network on the device: the values of ``runtime=``, and what each needs."""

from __future__ import annotations

from dataclasses import dataclass

from ethosmith.core.errors import EthosmithError
from ethosmith.core.nearest import unknown_name


@dataclass(frozen=True)
class Runtime:
    """One value of ``runtime=``.

    Attributes:
        name: in the command line, in folders and in reports.
        help: what it is, in a few words.
        has_cpu_kernels: it executes what Vela leaves to the CPU, or a whole network there. It
            takes a .tflite then; without them, Vela's raw command stream and weights.
        links_image: the image is linked here; if not, it is taken as it comes, and the network
            and its inputs are put into the board's memory beside it.
        program: the library that holds main() of the image that is linked here.
        cpu_program: the same for the CPU alone.
        products: NPU products that it drives; none named: all.
        inference_function: symbol of the function that is one inference on the CPU, to count its
            instructions.
    """

    name: str
    help: str
    has_cpu_kernels: bool
    links_image: bool
    program: str = ""
    cpu_program: str = ""
    inference_function: str = ""
    products: tuple[str, ...] = ()


# tflite::MicroInterpreter::Invoke()
_INVOKE = "_ZN6tflite16MicroInterpreter6InvokeEv"
# Of firmware/runtime/inference.h.
_OWN_INVOKE = "inference_run"

DIRECT = Runtime(
    name="direct",
    help="Vela's command stream without an interpreter",
    has_cpu_kernels=False,
    links_image=True,
    program="runtime",
    inference_function=_OWN_INVOKE,
)
PREBUILT = Runtime(
    name="prebuilt",
    help="Arm's inference runner as it comes",
    has_cpu_kernels=True,
    links_image=False,
    inference_function=_INVOKE,
)
TFLM = Runtime(
    name="tflm",
    help="TensorFlow Lite Micro",
    has_cpu_kernels=True,
    links_image=True,
    program="tflm_runtime",
    cpu_program="tflm_runtime_cpu",
    inference_function=_OWN_INVOKE,
    products=("ethos-u55", "ethos-u65"),
)
RUNTIMES = (DIRECT, PREBUILT, TFLM)


def runtime_named(name: str) -> Runtime:
    """Return the runtime called ``name``.

    Raises:
        EthosmithError: there is none.
    """
    for runtime in RUNTIMES:
        if runtime.name == name:
            return runtime
    raise EthosmithError(unknown_name("value of runtime=", name, [r.name for r in RUNTIMES]))


def runtimes_for_the_cpu() -> str:
    """Name the runtimes that can execute networks or operators on the CPU, for messages."""
    return " or ".join(f"runtime={r.name}" for r in RUNTIMES if r.has_cpu_kernels)
