# SPDX-License-Identifier: Apache-2.0
"""The table: what is changed in a built project, and exactly which steps run because of it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.project_copy import ProjectCopy

_PLACES = {
    "IMAGE": "build/fvp/ethos-u55-128-shared_sram",
    "USECASE": "build/usecases/kws",
    "SHARED": "build/fvp/lib",
}
DESCRIPTOR = "usecases/kws/usecase.yaml"
PLATFORM = "platforms/fvp/platform.yaml"

# From the image on: what is made of it, and what it says.
AFTER_LINK = """
    PAGE IMAGE/kws.htm
    SIZE IMAGE/kws_size.json
    SECTORS IMAGE/sectors/kws
    RUN IMAGE/kws.axf
    VERIFY IMAGE/kws_verified.json
"""
FEATURES = "\n".join(
    f"FEATURES USECASE/features/{name}.f32"
    for name in ("yes", "no", "down", "go", "stop", "several")
)
AFTER_QUANTISE = f"""
    QUANTISE USECASE/ds_cnn_int8.tflite
    VELA ds_cnn ethos-u55-128 Shared_Sram
    GENERATE IMAGE/generated/kws/model.c
    CC IMAGE/obj/kws/model.c.o
    FIT IMAGE/kws_fit.json
    LINK IMAGE/kws.axf
    EXPECT USECASE/expected.json
    {AFTER_LINK}
"""


def steps(text: str) -> set[str]:
    """Return the lines of ``text`` with the names of places written out."""
    for name, path in _PLACES.items():
        text = text.replace(name, path)
    return {line.strip() for line in textwrap.dedent(text).splitlines() if line.strip()}


@dataclass(frozen=True)
class Change:
    """An edit of the project and the steps that it may and must cause."""

    name: str
    edit: Callable[[ProjectCopy], None]
    causes: str
    is_slow: bool = False


def _replace(path: str, old: str, new: str) -> Callable[[ProjectCopy], None]:
    return lambda project: project.replace(path, old, new)


def _append(path: str, text: str) -> Callable[[ProjectCopy], None]:
    return lambda project: project.append(path, text)


def _yes_for_no(project: ProjectCopy) -> None:
    """Let the sample ``no`` be the recording of ``yes``."""
    head, tail = project.read(DESCRIPTOR).split("tests/data/no_data.py")
    tail = tail.replace("expect: no", "expect: yes", 1).replace("{label: no,", "{label: yes,")
    project.write(DESCRIPTOR, f"{head}tests/data/yes_data.py{tail}")


def _remarks(project: ProjectCopy) -> None:
    """Change what code says, not what it does."""
    project.append("ethosmith/steps/generate_labels.py", "# A remark.\n")
    project.replace("ethosmith/core/errors.py", '"""The one', '"""The only')


# It does nothing, but Ethosmith cannot know that.
_NEW_CODE = "\n_UNUSED = 1\n"

CHANGES = (
    Change("nothing", lambda project: None, ""),  # noqa: ARG005
    Change("a descriptor's title", _replace(DESCRIPTOR, "title: Key", "title: A key"), ""),
    Change("a descriptor's comment", _append(DESCRIPTOR, "# A remark.\n"), "", is_slow=True),
    Change(
        "a sample",
        _yes_for_no,
        f"""
        OBTAIN yes_data.py
        SAMPLE USECASE/samples/no.bin
        MIX USECASE/samples/several.bin
        GENERATE USECASE/generated/samples.c
        CC USECASE/host/samples.c.o
        LINK USECASE/host/kws_host
        {FEATURES}
        CC IMAGE/obj/kws/samples.c.o
        {AFTER_QUANTISE}
        """,
        is_slow=True,
    ),
    Change(
        # The features are computed again, come out the same, and so nothing is quantised.
        "a label",
        _replace(DESCRIPTOR, "on, off,", "on, OFF,"),
        f"""
        GENERATE USECASE/generated/labels.c
        CC USECASE/host/labels.c.o
        LINK USECASE/host/kws_host
        {FEATURES}
        EXPECT USECASE/expected.json
        CC IMAGE/obj/kws/labels.c.o
        FIT IMAGE/kws_fit.json
        LINK IMAGE/kws.axf
        {AFTER_LINK}
        """,
        is_slow=True,
    ),
    Change(
        "a quantisation key",
        _replace(
            DESCRIPTOR,
            "representative: samples",
            "representative: {seed: 1, count: 4, high: 255.0}",
        ),
        AFTER_QUANTISE,
        is_slow=True,
    ),
    Change(
        "a Vela key",
        _append(DESCRIPTOR, "\nvela:\n  optimise: Size\n"),
        f"""
        VELA ds_cnn ethos-u55-128 Shared_Sram
        GENERATE IMAGE/generated/kws/model.c
        CC IMAGE/obj/kws/model.c.o
        FIT IMAGE/kws_fit.json
        LINK IMAGE/kws.axf
        {AFTER_LINK}
        """,
        is_slow=True,
    ),
    Change(
        "the code of one generator",
        _append("ethosmith/steps/generate_labels.py", _NEW_CODE),
        "GENERATE USECASE/generated/labels.c",
    ),
    Change(
        "remarks in a generator and in what every step imports",
        _remarks,
        "",
    ),
    Change(
        "code that several generators share",
        _append("ethosmith/lib/c_text.py", _NEW_CODE),
        """
        GENERATE USECASE/generated/labels.c
        GENERATE USECASE/generated/samples.c
        GENERATE USECASE/generated/application_parameters.h
        GENERATE IMAGE/generated/kws/model.c
        GENERATE IMAGE/generated/build_options.c
        VERIFY IMAGE/kws_verified.json
        """,
        is_slow=True,
    ),
    Change(
        "the code of the board",
        _append("distributions/open-board/src/open_board/qemu.py", _NEW_CODE),
        "RUN IMAGE/kws.axf",
    ),
    Change(
        "the code that calls Vela",
        _append("ethosmith/steps/compile_with_vela.py", _NEW_CODE),
        "VELA ds_cnn ethos-u55-128 Shared_Sram",
        is_slow=True,
    ),
    Change(
        "the template of the linker script",
        _append("ethosmith/steps/generate_linker_script.ld.j2", "/* A remark. */\n"),
        """
        GENERATE IMAGE/generated/memory.ld
        LINK IMAGE/kws.axf
        """,
    ),
    Change(
        "a remark in a header",
        _append("firmware/runtime/labels.h", "// A remark.\n"),
        """
        CC USECASE/host/labels.c.o
        CXX USECASE/host/kws.cc.o
        CXX USECASE/host/word_detector.cc.o
        CC IMAGE/obj/kws/labels.c.o
        CXX IMAGE/obj/kws/kws.cc.o
        CXX IMAGE/obj/kws/word_detector.cc.o
        CC IMAGE/lib/runtime/own/main.c.o
        """,
    ),
    Change(
        # What is added is not called, and the linker drops it; the image's hash is another.
        "a source of one library",
        _append("firmware/npu/npu_pmu.c", "const int npu_pmu_remark = 1;\n"),
        """
        CC SHARED/npu/own/npu_pmu.c.o
        AR SHARED/libnpu.a
        LINK IMAGE/kws.axf
        PAGE IMAGE/kws.htm
        SIZE IMAGE/kws_size.json
        SECTORS IMAGE/sectors/kws
        RUN IMAGE/kws.axf
        VERIFY IMAGE/kws_verified.json
        """,
        is_slow=True,
    ),
    Change(
        "a memory region",
        _replace(PLATFORM, "size_kib: 2048", "size_kib: 1024"),
        f"""
        GENERATE IMAGE/generated/memory.ld
        GENERATE IMAGE/generated/platform.h
        FIT IMAGE/kws_fit.json
        CC IMAGE/lib/hal/own/clock.c.o
        CC IMAGE/lib/hal/own/console.c.o
        CC IMAGE/lib/hal/own/startup.c.o
        CC IMAGE/lib/hal/own/timing_adapter.c.o
        CC IMAGE/lib/runtime/own/inference.c.o
        CC IMAGE/lib/runtime/own/main.c.o
        CC IMAGE/lib/runtime/own/model_check.c.o
        CC IMAGE/lib/runtime/own/windows.c.o
        AR IMAGE/lib/libruntime.a
        LINK IMAGE/kws.axf
        {AFTER_LINK}
        """,
        is_slow=True,
    ),
    Change(
        "a remark in the platform",
        _append(PLATFORM, "# A remark.\n"),
        """
        GENERATE IMAGE/generated/memory.ld
        GENERATE IMAGE/generated/platform.h
        FIT IMAGE/kws_fit.json
        PAGE IMAGE/kws.htm
        SIZE IMAGE/kws_size.json
        SECTORS IMAGE/sectors/kws
        """,
        is_slow=True,
    ),
    Change(
        "an output that was deleted",
        lambda project: (
            project.root / "build/fvp/ethos-u55-128-shared_sram/kws_size.json"
        ).unlink(),
        "SIZE IMAGE/kws_size.json",
    ),
)
