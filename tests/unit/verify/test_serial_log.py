# SPDX-License-Identifier: Apache-2.0
"""A captured serial log: noise around a run is ignored, anything wrong with the run is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.verify.hardware import Expectation, judged_text
from ethosmith.verify.image_identity import ImageIdentity
from ethosmith.verify.serial_log import read_runs, runs_in

_COUNTS = "npu_cycles=10 npu_active=9 axi0_rd=3 axi0_wr=2 axi1_rd=1"
_LOG = f"""\
ethosmith: kws model=net npu=ethos-u55-128 memory_mode=Shared_Sram samples=2
identity: image=aaaaaaaaaaaaaaaa model=bbbbbbbbbbbbbbbb platform=mps3
sample yes: answer="yes" score=0.9961 {_COUNTS}
tensor yes 0 int8 1x4 7f808080
sample no: answer="no" score=0.9922 {_COUNTS}
tensor no 0 int8 1x4 807e8080
stack: 1504 of 16384 bytes used
ran: 2 samples
"""
_SAMPLES = [
    {"name": "yes", "answer": "yes", "score": "0.9961", "tensors": ["7f808080"]},
    {"name": "no", "answer": "no", "score": "0.9922", "tensors": ["807e8080"]},
]
_EXPECTATION = Expectation(
    usecase="kws",
    identity=ImageIdentity("a" * 16, "b" * 16, {"platform": "mps3"}),
    host={"oracle": "LiteRT's reference kernels", "samples": _SAMPLES},
    expect={"yes": "yes"},
    expect_times={},
)


def _verdict(data: bytes) -> str:
    """Return the last line of the verdict, or the error."""
    try:
        return judged_text(runs_in(data, "log"), _EXPECTATION, "log").splitlines()[-1]
    except EthosmithError as error:
        assert "\n" not in str(error)
        return f"error: {error}"


_EQUAL = (
    "log: 2 samples and 2 tensors, compared with LiteRT's reference kernels: equal, byte for byte"
)
_CRLF = _LOG.replace("\n", "\r\n")
_STAMPED = "".join(f"[12:00:0{i}.123] {line}\n" for i, line in enumerate(_LOG.splitlines()))


@pytest.mark.parametrize(
    "log",
    {
        "LF": _LOG,
        "CR LF": _CRLF,
        "two CR": _LOG.replace("\n", "\r\r\n"),
        "noise around": f"Cmd> reboot\r\n\x00\xff{chr(27)}[0m\r\n{_CRLF}\x04\x00picocom: exit\r\n",
        "time stamps": _STAMPED,
        "begins in the middle of a run": _CRLF[len(_CRLF) // 2 :] + _CRLF,
    }.values(),
)
def test_noise_does_not_matter(log: str) -> None:
    assert _verdict(log.encode("latin-1")) == _EQUAL


def test_every_run_of_a_log_is_compared() -> None:
    twice = (_LOG + "reset\n" + _LOG).encode()
    both = _EQUAL.replace("log: 2 samples", "log: 2 runs, each of 2 samples")
    assert _verdict(twice) == both
    differs = twice[::-1].replace(b"7e8080"[::-1], b"7e8081"[::-1], 1)[::-1]
    assert _verdict(differs).startswith("error: log:10: kws/no: output 0 differs from the host's")
    # The first of them, too.
    assert _verdict(twice.replace(b"7e8080", b"7e8081", 1)).startswith("error: log:1: kws/no:")


WRONG = {
    "empty": ("", "log: is empty"),
    "another program": ("login:\n", "has no line 'ethosmith: …' among 2: is it another port's"),
    "another baud rate": ("\x80\xfe\xff\x00" * 40, "160 bytes, most of them no text; was the port"),
    "no beginning": (_LOG.split("\n", 2)[2], "the beginning of the run is missing; reset"),
    "cut": (_LOG[: _LOG.index("ran:")], "log:1: the run that begins here is cut: the log ends"),
    "restarted": (_LOG[:300] + "\n" + _LOG, "log:1: the run that begins here is cut: another one"),
    "a lost digit": (_LOG.replace("807e8080", "807e808"), "log:6: damaged line: tensor no 0 int8"),
    "lost bytes": (_LOG.replace("807e8080", "807e80"), "kws/no: output 0 has 3 bytes, the host's"),
    "a damaged line": (_LOG.replace('="no"', '=\x80"no"'), "log:5: damaged line: sample no: ans"),
    "another image": (_LOG.replace("aaaa", "cccc"), "log:1: the log is of another image: its hash"),
    "another model": (_LOG.replace("bbbb", "cccc"), "log:1: the log is of another model: its hash"),
    "a failed run": (_LOG + "fail: NPU: bus error\n", "log:9: the program failed: NPU: bus error"),
    "an exit code": (_LOG + "\x04\x02", "log:9: the program ended with exit code 2"),
    "a wrong answer": (_LOG.replace('="yes"', '="go"'), "kws/yes: says ('go', '0.9961'), the host"),
    "a lost sample": (_LOG.replace("sample no", "sXmple no"), "log:1: the firmware printed a tens"),
}


@pytest.mark.parametrize(("log", "problem"), WRONG.values(), ids=WRONG)
def test_anything_wrong_is_told_in_one_line(log: str, problem: str) -> None:
    verdict = _verdict(log.encode("latin-1"))
    assert verdict.startswith("error: log"), verdict
    assert problem in verdict


def test_every_cut_of_a_log_is_refused() -> None:
    whole = _LOG.encode().rstrip()
    for size in range(len(whole) - len("2 samples") + 1):
        assert _verdict(whole[:size]).startswith("error: log"), whole[:size]


def test_a_log_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(EthosmithError, match=r"nothing\.log: cannot be read"):
        read_runs(tmp_path / "nothing.log")
