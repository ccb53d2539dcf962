# SPDX-License-Identifier: Apache-2.0
"""A CI server reads which sample was unequal, wrong or not judged, whatever the device printed."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from ethosmith.report.junit import BoardSuite, boards_xml
from ethosmith.verify.verdict import Verdict


def test_a_case_has_what_was_counted_in_its_sample() -> None:
    figures = {"yes": {"npu_cycles": 12, "runner_peak_bytes": 2961}}
    suite = BoardSuite("kws", "fvp.u55", [Verdict("yes"), Verdict("no")], figures=figures)
    cases = Xml.fromstring(boards_xml([suite])).iter("testcase")  # noqa: S314 our own text
    counted = [
        {one.get("name"): one.get("value") for one in case.iter("property")} for case in cases
    ]
    assert (counted[0]["npu_cycles"], counted[0]["runner_peak_bytes"]) == ("12", "2961")
    assert set(counted[1]) == {"equal", "judgement"}


def test_equal_right_and_not_judged_are_told_apart() -> None:
    verdicts = [
        Verdict("right", judged=True),
        Verdict("unjudged"),
        Verdict("wrong", faults=("says 'no', expected 'off'",), judged=True),
        Verdict("unequal", differences=("output 0 differs",)),
        Verdict("alone", judged=True, compared=False),
        Verdict("alone and wrong", faults=("says 'no'",), judged=True, compared=False),
    ]
    suites = [
        BoardSuite(
            "kws", "fvp.u55", verdicts, "Error 1", said='yes <"1">\n\x1b[0m\x04', oracle="LiteRT"
        ),
        BoardSuite("kws", "fvp.u65", failure="kws.axf: no end after 60 s"),
        BoardSuite("vww", "fvp.u55", not_run="stopped before"),
    ]
    ran, failed, skipped = Xml.fromstring(boards_xml(suites))  # noqa: S314 our own text
    counts = ("tests", "failures", "skipped", "errors")
    assert [[suite.get(key) for key in counts] for suite in (ran, failed, skipped)] == [
        ["6", "3", "0", "0"],
        ["1", "1", "0", "0"],
        ["1", "0", "1", "0"],
    ]
    assert ran.findtext("system-out") == 'yes <"1">\n\ufffd[0m\ufffd'
    told = {
        case.get("name"): (
            *(one.get("value") for one in case.iter("property")),
            *((one.get("type"), one.get("message")) for one in case.iter("failure")),
        )
        for case in ran.iter("testcase")
    }
    assert told == {
        "right": ("yes", "LiteRT", "right"),
        "unjudged": ("yes", "LiteRT", "not judged"),
        "wrong": (
            *("yes", "LiteRT", "wrong"),
            ("wrong", "equal to the host, but wrong: says 'no', expected 'off'"),
        ),
        "alone": ("not compared", "LiteRT", "right"),
        "alone and wrong": (
            *("not compared", "LiteRT", "wrong"),
            ("wrong", "not compared with a host, and wrong: says 'no'"),
        ),
        "unequal": ("no", "LiteRT", "not judged", ("not equal", "output 0 differs")),
    }
    reason = failed.find("testcase/failure")
    assert reason is not None
    assert (reason.get("type"), reason.get("message")) == (
        "not run to its end",
        "kws.axf: no end after 60 s",
    )
