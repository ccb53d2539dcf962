# SPDX-License-Identifier: Apache-2.0
"""A device that says anything else than the host, or not everything, is never right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.summary import comparison_text
from ethosmith.steps.compare_run import CompareRun
from ethosmith.verify.image_identity import check_identity, identity_in_log
from ethosmith.verify.uart_log import read_log

_COUNTS = "npu_cycles=10 npu_active=9 axi0_rd=3 axi0_wr=2 axi1_rd=1"
_LOG = f"""\
ethosmith: kws model=net npu=ethos-u55-128 memory_mode=Shared_Sram samples=2
sample yes: answer="yes" score=0.9961 {_COUNTS}
tensor yes 0 int8 1x4 7f808080
sample no: answer="no" score=0.9922 {_COUNTS}
tensor no 0 int8 1x4 807e8080
ran: 2 samples
"""
_HOST = {
    "oracle": "LiteRT's reference kernels",
    "samples": [
        {"name": "yes", "answer": "yes", "score": "0.9961", "tensors": ["7f808080"]},
        {"name": "no", "answer": "no", "score": "0.9922", "tensors": ["807e8080"]},
    ],
}


def _identity(image: str = "a" * 16, model: str = "b" * 16, toolchain: str = "gcc") -> str:
    return f"identity: image={image} model={model} platform=mps3 toolchain={toolchain}\n"


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (
            _identity(model="c" * 16),
            "of another model: its hash is cccccccccccccccc, expected bbbb",
        ),
        (
            _identity(image="c" * 16),
            "of another image: its hash is cccccccccccccccc, expected aaaa",
        ),
        (_identity(toolchain="clang"), "another build: toolchain is clang, expected gcc"),
        (_identity().replace(" toolchain=gcc", ""), "toolchain is not named, expected gcc"),
        ("", "the log has no line 'identity:'"),
        # The board was flashed and started again while the log was written.
        (_identity() + _identity(image="c" * 16), "of another image"),
    ],
)
def test_a_log_of_another_image_is_not_compared(found: str, problem: str) -> None:
    expected = identity_in_log(_identity())
    assert expected is not None
    check_identity(f"noise\r\n{_identity()}{_LOG}".replace("\n", "\r\n"), expected)
    with pytest.raises(EthosmithError, match=problem):
        check_identity(found + _LOG, expected)


def verify(folder: Path, log: str, expect: dict[str, str]) -> str | None:
    """Run the step; return its error, or None if it wrote a verdict."""
    result: dict[str, Any] = {"uart": log, "simulator": {"name": "open board", "version": "1"}}
    (folder / "result.json").write_text(json.dumps(result))
    (folder / "expected.json").write_text(json.dumps(_HOST))
    step = CompareRun(
        usecase="kws",
        result=folder / "result.json",
        expected=folder / "expected.json",
        expect=expect,
        expect_times={},
        output=folder / "verified.json",
    )
    try:
        step.run()
    except EthosmithError as error:
        assert not step.output.exists()
        return str(error)
    samples = json.loads(step.output.read_text())["samples"]
    assert [(one["name"], one["equal"]) for one in samples] == [("yes", True), ("no", True)]
    assert [one["judgement"] for one in samples] == [
        "right" if name in expect else "not judged" for name in ("yes", "no")
    ]
    return None


def test_a_device_that_nothing_was_compared_with_is_not_called_equal(tmp_path: Path) -> None:
    alone = {
        "oracle": "",
        "not_compared": "nothing on this machine runs it",
        "samples": [{"name": name} for name in ("yes", "no")],
    }
    result = {"uart": _LOG, "simulator": {"name": "open board", "version": "1"}}
    for name, content in (("result", result), ("expected", alone)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))

    def step(expect: dict[str, str]) -> CompareRun:
        return CompareRun(
            usecase="kws",
            result=tmp_path / "result.json",
            expected=tmp_path / "expected.json",
            expect=expect,
            expect_times={},
            output=tmp_path / "verified.json",
        )

    step({"yes": "yes"}).run()
    run = json.loads((tmp_path / "verified.json").read_text())
    found = [(one["equal"], one["comparison"], one["judgement"]) for one in run["samples"]]
    assert found == [(False, "not compared", "right"), (False, "not compared", "not judged")]
    equal = {"oracle": "LiteRT", "samples": [{}]}
    assert comparison_text([run]) == (
        "Not compared: the output tensors of 2 samples: nothing on this machine runs it."
    )
    assert comparison_text([run, equal]).endswith(
        " Equal: every other output tensor is that of LiteRT, byte for byte."
    )
    with pytest.raises(EthosmithError, match="kws/no: not compared with a host, and wrong: says"):
        step({"no": "go"}).run()


def test_a_device_that_is_right_gets_a_verdict(tmp_path: Path) -> None:
    assert verify(tmp_path, _LOG, {"yes": "yes", "no": "no"}) is None
    assert verify(tmp_path, _LOG, {"yes": "yes"}) is None


WRONG = {
    "one bit of a tensor": (
        ("807e8080", "807e8081"),
        "kws/no: output 0 differs from the host's in 1 of 4 bytes; first at 3: 0x81, host 0x80",
    ),
    "a short tensor": (("1x4 807e8080", "1x3 807e80"), "kws/no: output 0 has 3 bytes, the host's"),
    "a missing tensor": (
        ("tensor no 0 int8 1x4 807e8080\n", ""),
        "kws/no: 0 output tensors, the host has 1",
    ),
    "another answer": (('answer="no"', 'answer="go"'), "kws/no: says ('go', '0.9922'), the host"),
    "another score": (("0.9922", "0.9921"), "kws/no: says ('no', '0.9921'), the host says"),
    "another sample": (
        ("sample no", "sample go"),
        "the firmware printed a tensor of 'no' out of order",
    ),
    "no end": (("ran: 2 samples\n", ""), "the firmware did not print 'ran:'"),
    "a wrong count": (("ran: 2", "ran: 3"), "the firmware ran 3 samples but printed 2"),
    "a failure": (("ran: 2 samples", "fail: the NPU hangs"), "the firmware did not print 'ran:'"),
    "nothing": ((_LOG, ""), "the firmware did not print 'ran:'"),
    "no samples": ((_LOG, "ran: 0 samples\n"), "the device ran the samples []"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_device_that_is_wrong_gets_none(name: str, tmp_path: Path) -> None:
    (old, new), wanted = WRONG[name]
    assert _LOG.count(old) == 1
    error = verify(tmp_path, _LOG.replace(old, new), {})
    assert error is not None
    assert error.startswith(wanted)
    assert "\n" not in error


def test_an_answer_that_only_the_person_knows_to_be_wrong(tmp_path: Path) -> None:
    assert verify(tmp_path, _LOG, {"no": "off"}) == (
        "kws/no: equal to the host, but wrong: says 'no', expected 'off'"
    )


def test_lines_of_other_origin_do_not_matter() -> None:
    noisy = _LOG.replace("\n", "\nstack: 1288 of 16384 bytes used\n")
    assert [sample.answer for sample in read_log(noisy)] == ["yes", "no"]


def test_a_tensor_that_was_left_out_between_two() -> None:
    with pytest.raises(EthosmithError, match="left out a tensor of 'no'"):
        read_log(_LOG.replace("tensor no 0", "tensor no 1"))
