# SPDX-License-Identifier: Apache-2.0
"""A CI server reads which image failed, and why, whatever the device printed."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from ethosmith.report.junit import BoardCase, boards_xml


def test_counts_and_reasons_agree_with_the_cases() -> None:
    cases = [
        BoardCase("kws", "fvp.ethos-u55-128-shared_sram", "passed", said='yes <"1">\n\x1b[0m\x04'),
        BoardCase("kws", "fvp.ethos-u55-64-shared_sram", "failed", message="kws.axf: Error 1"),
        BoardCase("vww", "fvp.ethos-u55-64-shared_sram", "not run", message="stopped before"),
    ]
    suite = Xml.fromstring(boards_xml(cases))[0]  # noqa: S314 our own text
    assert {key: suite.get(key) for key in ("tests", "failures", "skipped", "errors")} == {
        "tests": "3",
        "failures": "1",
        "skipped": "1",
        "errors": "0",
    }
    passed, failed, skipped = suite
    assert passed.findtext("system-out") == 'yes <"1">\n\ufffd[0m\ufffd'
    assert failed.get("classname") == "boards.fvp.ethos-u55-64-shared_sram"
    reason = failed.find("failure")
    assert reason is not None
    assert reason.get("message") == "kws.axf: Error 1"
    assert skipped.find("skipped") is not None
