# SPDX-License-Identifier: Apache-2.0
"""Small git repositories laid out like the real ones, with sources of our own that compile."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.needs import program

_CMSIS_NN = """\
cmake_minimum_required(VERSION 3.15.6)
project(CMSISNN)
add_library(cmsis-nn STATIC)
target_compile_options(cmsis-nn PRIVATE -Ofast)
target_include_directories(cmsis-nn PUBLIC "Include" "${CMSIS_PATH}/CMSIS/Core/Include")
add_subdirectory(Source)
"""
_CMSIS_NN_SOURCE = """\
file(GLOB SRC "*/*_s8.c")
target_sources(cmsis-nn PRIVATE ${SRC})
"""
_DRIVER = """\
cmake_minimum_required(VERSION 3.15.6)
project(ethosu_core_driver)
add_compile_options(-Werror)
set(CMSIS_PATH "../cmsis" CACHE PATH "")
set(ETHOSU_TARGET_NPU_CONFIG "ethos-u55-128" CACHE STRING "")
include_directories(include src ${CMSIS_PATH}/CMSIS/Core/Include)
add_library(ethosu_core_driver STATIC)
target_sources(ethosu_core_driver PRIVATE src/ethosu_driver.c)
target_compile_definitions(ethosu_core_driver PRIVATE "NPU=\\"${ETHOSU_TARGET_NPU_CONFIG}\\"")
"""
_SOFTMAX = """\
#include "arm_nnfunctions.h"
#ifdef ARM_GCC_12_2_ICE
int softmax_is_portable(void) { return 1; }
#else
int softmax_is_portable(void) { return 0; }
#endif
"""
_KERNEL = """\
#include "tensorflow/lite/core/c/common.h"
namespace tflite {{ const char *{name}_kernel() {{ return "{kind}"; }} }}
"""
_HEADER = """\
#ifndef {name}_H_
#define {name}_H_
constexpr const char *{name}_FILE = __FILE__;
#endif
"""
_MICRO = "tensorflow/lite/micro"

FILES: Mapping[str, Mapping[str, str]] = {
    "tflm": {
        "LICENSE": "Apache-2.0\n",
        "tensorflow/lite/array.cc": "#error left out\n",
        "tensorflow/lite/core/c/common.cc": '#include "tensorflow/lite/core/c/common.h"\n'
        '#include "flatbuffers/flatbuffers.h"\n#include "fixedpoint/fixedpoint.h"\n'
        '#include "ruy/profiler/instrumentation.h"\nint tflite_layout() { return LAYOUT; }\n',
        "tensorflow/lite/core/c/common.h": "#ifdef TF_LITE_STATIC_MEMORY\n"
        "#define LAYOUT 1\n#endif\ninline int warns(int unused) { return 0; }\n",
        "tensorflow/lite/core/c/common_test.cc": "#error left out\n",
        "tensorflow/lite/kernels/internal/common.cc": "int internal_common;\n",
        "tensorflow/lite/kernels/internal/common.h": _HEADER.format(name="INTERNAL_COMMON"),
        "tensorflow/lite/kernels/kernel_util.h": _HEADER.format(name="KERNEL_UTIL"),
        f"{_MICRO}/kernels/kernel_util.h": _HEADER.format(name="MICRO_KERNEL_UTIL"),
        "tensorflow/lite/schema/schema_generated.h": _HEADER.format(name="SCHEMA"),
        f"{_MICRO}/micro_interpreter.cc": '#include "tensorflow/lite/core/c/common.h"\n',
        f"{_MICRO}/micro_time.cc": "#error left out\n",
        f"{_MICRO}/debug_log.cc": "#error left out\n",
        f"{_MICRO}/micro_interpreter_test.cc": "#error left out\n",
        f"{_MICRO}/arena_allocator/arena.cc": "int arena;\n",
        f"{_MICRO}/memory_planner/planner.cc": "int planner;\n",
        f"{_MICRO}/tflite_bridge/bridge.cc": "int bridge;\n",
        f"{_MICRO}/examples/hello.cc": "#error left out\n",
        f"{_MICRO}/kernels/add.cc": _KERNEL.format(name="add", kind="reference"),
        f"{_MICRO}/kernels/pack.cc": _KERNEL.format(name="pack", kind="reference"),
        f"{_MICRO}/kernels/ethosu.cc": _KERNEL.format(name="ethosu", kind="reference"),
        f"{_MICRO}/kernels/add_test.cc": "#error left out\n",
        f"{_MICRO}/kernels/conv_test_common.cc": "#error left out\n",
        f"{_MICRO}/kernels/cmsis_nn/add.cc": '#include "Include/arm_nnfunctions.h"\n'
        + _KERNEL.format(name="add", kind="cmsis_nn"),
        f"{_MICRO}/kernels/ethos_u/ethosu.cc": "#include <ethosu_driver.h>\n"
        + _KERNEL.format(name="ethosu", kind="ethos_u"),
        f"{_MICRO}/kernels/xtensa/add.cc": "#error left out\n",
    },
    "cmsis_nn": {
        "CMakeLists.txt": _CMSIS_NN,
        "Include/arm_nnfunctions.h": '#include "cmsis_compiler.h"\nint arm_add_s8(int, int);\n',
        "Source/CMakeLists.txt": _CMSIS_NN_SOURCE,
        "Source/BasicMathFunctions/arm_add_s8.c": '#include "arm_nnfunctions.h"\n'
        "int arm_add_s8(int a, int b) { return a + b; }\n",
        "Source/SoftmaxFunctions/arm_softmax_s8.c": _SOFTMAX,
    },
    "cmsis": {
        "CMSIS/Core/Include/cmsis_compiler.h": "#define __ASM __asm\n",
    },
    "ethosu_driver": {
        "CMakeLists.txt": _DRIVER,
        "include/ethosu_driver.h": "struct ethosu_driver;\n",
        "src/ethosu_driver.c": '#include "ethosu_driver.h"\n#include "cmsis_compiler.h"\n'
        "const char *ethosu_config(int unused) { return NPU; }\n",
    },
    "flatbuffers": {"include/flatbuffers/flatbuffers.h": "// Nothing.\n"},
    "gemmlowp": {"fixedpoint/fixedpoint.h": "// Nothing.\n"},
    "ruy": {"ruy/profiler/instrumentation.h": "// Nothing.\n"},
}
NAMES = tuple(FILES)


def write_tree(folder: Path, files: Mapping[str, str]) -> None:
    """Write ``files`` below ``folder``."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def write_all(folder: Path) -> dict[str, Path]:
    """Write each repository's files into a folder of its own."""
    for name, files in FILES.items():
        write_tree(folder / name, files)
    return {name: folder / name for name in FILES}


def git(folder: Path, *words: str) -> str:
    """Run git in ``folder``, as a person whom no configuration knows."""
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    quiet = ["-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *identity, *quiet, *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit_all(folder: Path, message: str = "All") -> str:
    """Make ``folder`` a repository if it is none, commit what is new, return the commit."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
    git(folder, "add", "-A")
    if git(folder, "status", "--porcelain"):
        git(folder, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def archive_members(archive: Path) -> list[str]:
    """Return the names of an archive's members."""
    command = [program("arm-none-eabi-ar"), "t", str(archive)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
