# SPDX-License-Identifier: Apache-2.0
"""What executes a network on the device: the values of ``runtime=``, and what each needs."""

from __future__ import annotations

from typing import NamedTuple

from ethosmith.core.errors import EthosmithError, unknown_name

TFLITE, PYTORCH = "tflite", "pytorch"
# Of an ExecuTorch program.


class Runtime(NamedTuple):
    """One value of ``runtime=``.

    Attributes:
        name: in the command line, in folders and in reports.
        help: what it is, in a few words.
        has_cpu_kernels: it executes what Vela leaves to the CPU, or a whole .tflite there. It
            takes a .tflite or .pte then; without them, Vela's raw command stream and weights.
        links_image: the image is linked here; if not, it is taken as it comes, and the network
            and its inputs are put into the board's memory beside it.
        takes: the kinds of networks that it executes, as `TFLITE` and `PYTORCH`.
        program: the library that holds main() of the image that is linked here.
        cpu_program: the same for the CPU alone.
        products: NPU products that it drives; none named: all.
        runs_on_host: where no image of it can run, this machine runs the network's parts for the
            NPU in the NPU model, and its other operators itself.
        inference_function: symbol of the function that is one inference on the CPU, to count its
            instructions.
    """

    name: str
    help: str
    has_cpu_kernels: bool
    links_image: bool
    takes: tuple[str, ...] = (TFLITE,)
    program: str = ""
    cpu_program: str = ""
    inference_function: str = ""
    products: tuple[str, ...] = ()
    runs_on_host: bool = False


# tflite::MicroInterpreter::Invoke()
_INVOKE = "_ZN6tflite16MicroInterpreter6InvokeEv"
# executorch::runtime::Method::execute()
_EXECUTE = "_ZN10executorch7runtime6Method7executeEv"
# Of firmware/runtime/inference.h.
_OWN_INVOKE = "inference_run"

DIRECT = Runtime(
    name="direct",
    help="Vela's command stream without an interpreter",
    has_cpu_kernels=False,
    links_image=True,
    takes=(TFLITE, PYTORCH),
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
EXECUTORCH = Runtime(
    name="executorch",
    help="Arm's ExecuTorch runner as it comes",
    has_cpu_kernels=True,
    links_image=False,
    takes=(PYTORCH,),
    inference_function=_EXECUTE,
    runs_on_host=True,
)
RUNTIMES = (DIRECT, PREBUILT, TFLM, EXECUTORCH)


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
    """Name the runtimes that can execute a .tflite on the CPU alone, for messages."""
    on_cpu = [r for r in RUNTIMES if r.has_cpu_kernels and TFLITE in r.takes]
    return " or ".join(f"runtime={r.name}" for r in on_cpu)
