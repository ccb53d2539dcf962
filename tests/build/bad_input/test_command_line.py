# SPDX-License-Identifier: Apache-2.0
"""Wrong variables and targets of the command line, without SCons and with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.session import Session
from ethosmith.graph.typed_words import Asked, Place, sort_words
from tests.support.project_copy import ROOT, ProjectCopy

_KWS = {"usecase": "kws"}
_NPUS = "ethos-u55-128, ethos-u55-256, ethos-u55-32, ethos-u55-64, ethos-u65-256, ethos-u65-512"
VARIABLES: dict[str, tuple[dict[str, str], str]] = {
    "variable": (
        {"uscase": "kws"},
        "unknown variable 'uscase='; did you mean 'usecase'? (see scons -h)",
    ),
    "target": (
        {"target": "fpv"},
        "unknown target 'fpv'; did you mean 'fvp'? (allowed: fvp, mps3, sse310, sse320)",
    ),
    "runtime": ({"runtime": "dirct"}, "unknown value of runtime= 'dirct'; did you mean 'direct'?"),
    "runtime of several": ({"runtime": "direct,tflite"}, "unknown value of runtime= 'tflite'"),
    "runtime without kernels for the CPU": (
        {"npu": "none"},
        "npu=none: runtime=direct runs no network on the CPU alone; give runtime=prebuilt or"
        " runtime=tflm",
    ),
    "runtime without the use case's own program": (
        {**_KWS, "runtime": "prebuilt"},
        "runtime=prebuilt cannot execute the use case kws, which takes runtime=direct or tflm;",
    ),
    "runtime without an image for the memory mode": (
        {
            "usecase": "inference_runner",
            "runtime": "prebuilt",
            "memory_mode": "Sram_Only",
        },
        "platform fvp has no image of runtime=prebuilt for ethos-u55 in Sram_Only (it has: ",
    ),
    "runtime without an image for the platform": (
        {"usecase": "inference_runner", "runtime": "prebuilt", "target": "mps3"},
        "platform mps3 has no image of runtime=prebuilt for ethos-u55 in Shared_Sram (it has: "
        "none)",
    ),
    "runtime whose images have no place on the board": (
        {"usecase": "inference_runner", "runtime": "prebuilt", "target": "sse320"},
        "platform sse320 has no image of runtime=prebuilt for ethos-u85 in Dedicated_Sram_384KB"
        " (Arm's runners have their code at 0x12000000, where the open board has no memory)",
    ),
    "memory mode of no NPU": (
        {"npu": "none", "memory_mode": "Sram_Only"},
        "memory_mode= cannot be used with npu=none",
    ),
    "simulator": (
        {"simulator": "qemu"},
        "unknown value of simulator= 'qemu' (allowed: auto, fvp, fvp_fast, open)",
    ),
    "NPU": (
        {"npu": "ethos-u55-129"},
        "unknown accelerator config of platform fvp 'ethos-u55-129';"
        f" did you mean 'ethos-u55-128'? (allowed: {_NPUS})",
    ),
    "one NPU of several": (
        {"npu": "ethos-u55-32,u55"},
        "unknown accelerator config of platform fvp 'u55'",
    ),
    "memory mode": (
        {"memory_mode": "shared_sram"},
        "unknown memory mode of platform fvp 'shared_sram'; did you mean 'Shared_Sram'?"
        " (allowed: Dedicated_Sram, Shared_Sram, Sram_Only)",
    ),
    "memory mode of the other NPU": (
        {"memory_mode": "Dedicated_Sram"},
        "memory mode Dedicated_Sram is not for ethos-u55-128 on platform fvp"
        " (allowed: Shared_Sram, Sram_Only)",
    ),
    "system config": (
        {"system_config": "Ethos_U55_High_End_Embeded"},
        "unknown system config of Vela 'Ethos_U55_High_End_Embeded';"
        " did you mean 'Ethos_U55_High_End_Embedded'?",
    ),
    "repository": (
        {"cmsisnn_dir": "."},
        "unknown variable 'cmsisnn_dir='; did you mean 'cmsis_nn_dir'? (see scons -h)",
    ),
    "time limit": ({"time_limit_s": "1m"}, "time_limit_s=1m: give a number of seconds above 0"),
    "endless time limit": ({"time_limit_s": "inf"}, "time_limit_s=inf: give a number of seconds"),
    "use case": ({"usecase": "kw"}, "unknown use case 'kw'; did you mean 'kws'? (allowed: "),
    "no use case": ({"usecase": ","}, "usecase= is empty; see scons list"),
    "use case that is a path": ({"usecase": "../kws"}, "unknown use case '../kws'"),
    "use case of two lines": ({"usecase": "a\nb"}, r"unknown use case 'a\nb'"),
    "use case that is a command": ({"usecase": "$(touch x)"}, "unknown use case '$(touch x)'"),
    "runs of recordings": (
        {**_KWS, "runs": "3"},
        "runs=3: only for use cases with seeded samples, without samples=",
    ),
    "runs that are no number": (
        {"usecase": "inference_runner", "runs": "0"},
        "runs=0: give a number from 1 to 1000",
    ),
    "model": ({**_KWS, "model": "net.h5"}, "model=net.h5: there is no such file"),
    "model of all use cases": ({"model": "SConstruct"}, "model= needs exactly one use case"),
}


@pytest.mark.parametrize("name", VARIABLES)
def test_a_wrong_variable(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given, wanted = VARIABLES[name]
    monkeypatch.chdir(ROOT)
    with pytest.raises(EthosmithError) as caught:
        everything_of(Session(given, [], ROOT))
    assert str(caught.value).startswith(wanted)
    assert "\n" not in str(caught.value)


def everything_of(session: Session) -> None:
    assert session.time_limit_s
    assert session.evaluation_folder is None
    assert session.platform
    assert session.usecases
    assert session.configurations


# Words; the folder they are typed in; what they ask for, or why not.
WORDS: dict[str, tuple[list[str], str, Asked | str]] = {
    "a use case and a target": (["size", "kws"], ".", Asked(("size",), ("kws",))),
    "folders of use cases": (["usecases/ad/", "kws"], ".", Asked((), ("ad", "kws"))),
    "the folder that one is in": (["."], "usecases/kws", Asked((), ("kws",))),
    "a use case where its folder is": (["kws"], "usecases", Asked((), ("kws",))),
    "a path": (["../build/x.axf"], "usecases", Asked(("build/x.axf",), ())),
    "a path of the project": (["#build/x.axf"], "usecases", Asked(("build/x.axf",), ())),
    "a path from elsewhere": ([f"{ROOT}/build/x"], "/", Asked(("build/x",), ())),
    "a path that is not there": (["build/x"], "usecases", f"build/x: no such file in {ROOT}/us"),
    "a misspelt use case": (["kwss"], ".", "unknown target 'kwss'; did you mean 'kws'? (allowed:"),
}


@pytest.mark.parametrize("name", WORDS)
def test_what_words_ask_for(name: str) -> None:
    given, folder, wanted = WORDS[name]
    place = Place((ROOT / folder).resolve(), ROOT)
    if isinstance(wanted, Asked):
        assert sort_words(given, ("ad", "kws"), place) == wanted
        return
    with pytest.raises(EthosmithError) as caught:
        sort_words(given, ("ad", "kws"), place)
    assert str(caught.value).startswith(wanted)


def test_variables_are_relative_to_where_they_are_typed() -> None:
    place = Place(ROOT / "usecases", ROOT)
    given = {"samples": "kws/samples", "model": "/m.tflite", "cache": "none", "npu": "x"}
    wanted = {"samples": "usecases/kws/samples", "model": "/m.tflite", "cache": "none", "npu": "x"}
    assert place.arguments(given) == wanted


def test_use_cases_are_named_in_one_way() -> None:
    with pytest.raises(EthosmithError, match="usecase=ad and kws: name all use cases in one way"):
        Session({"usecase": "ad"}, ["kws"], ROOT)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    return ProjectCopy.fresh(tmp_path_factory.mktemp("bad") / "a project")


_DESCRIPTOR = "usecases/kws/usecase.yaml"
CALLS: dict[str, tuple[tuple[str, ...], str]] = {
    "a variable": (("usecase=kw",), "error: unknown use case 'kw'; did you mean 'kws'?"),
    "a target": (("tets",), "error: unknown target 'tets'; did you mean 'test'?"),
    "strict without the open board": (
        ("usecase=kws", "simulator=fvp", "strict=1"),
        "error: strict=1 is the open board's; leave out simulator=",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_scons_says_one_line_and_fails(name: str, project: ProjectCopy) -> None:
    words, wanted = CALLS[name]
    outcome = project.scons(*words)
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    assert outcome.stderr.startswith(wanted)
    assert outcome.stderr.count("\n") == 1


EDITS: dict[str, tuple[str, str, str, str]] = {
    "a descriptor": (
        _DESCRIPTOR,
        "expect: no",
        "expect: now",
        f"{_DESCRIPTOR}:34:13: unknown label 'now'; did you mean 'no'?",
    ),
    "a platform": (
        "platforms/fvp/platform.yaml",
        "vectors: ITCM",
        "vectors: ITMC",
        "platforms/fvp/platform.yaml:44:12: unknown region 'ITMC'; did you mean 'ITCM'?",
    ),
    "a library": (
        "libraries/frontend.yaml",
        "machines: [device, host]",
        "machines: [device]",
        "libraries/frontend.yaml: is not built for the host (see machines)",
    ),
    "a library's sources": (
        "libraries/npu.yaml",
        "firmware/npu/*.c",
        "firmware/npu/*.cpp",
        "libraries/npu.yaml: no file matches firmware/npu/*.cpp below",
    ),
    "a package": (
        "packages/silabs-mltk.yaml",
        "name: silabs-mltk",
        "name: mltk",
        "packages/silabs-mltk.yaml:4:7: the name 'mltk' does not match its place; expected"
        " 'silabs-mltk'",
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_fault_that_a_tool_finds_is_no_traceback(name: str, project: ProjectCopy) -> None:
    path, old, new, wanted = EDITS[name]
    original = project.read(path)
    project.replace(path, old, new)
    try:
        outcome = project.scons("usecase=kws", "-n")
    finally:
        project.write(path, original)
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith(f"error: {wanted}")
    assert outcome.stderr.count("\n") == 1


def test_a_missing_compiler_is_named_with_the_way_to_get_it(
    project: ProjectCopy, tmp_path: Path
) -> None:
    # A PATH on which nothing is but what starting Python needs.
    without = ProjectCopy(project.root, {"PATH": str(tmp_path)})
    outcome = without.scons("usecase=kws", "-n")
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith("error: cc was not found; it is ")
    assert "apt-get install" in outcome.stderr
    assert outcome.stderr.count("\n") == 1
