# SPDX-License-Identifier: Apache-2.0
"""Write which samples ran on the board, were equal to the host and right, as JUnit XML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree as Xml

from ethosmith.verify.verdict import Verdict


@dataclass(frozen=True)
class BoardSuite:
    """One use case in one configuration.

    Attributes:
        name: of the use case.
        configuration: the folder of the images, below build/, with dots for slashes.
        verdicts: of the samples, if the image ran to its end.
        failure: why there is none, or what else is wrong with the run.
        not_run: why the image did not run at all.
        said: the device's log, if it ran.
        oracle: what it was compared with.
        figures: of samples by their names, what was counted in each.
    """

    name: str
    configuration: str
    verdicts: Sequence[Verdict] = ()
    failure: str = ""
    not_run: str = ""
    said: str = ""
    oracle: str = ""
    figures: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def boards_xml(suites: Iterable[BoardSuite]) -> str:
    """Return the document: a suite for each use case and configuration, a case for each sample.

    A failure's ``type`` tells ``not equal`` (to the host), ``wrong`` (not the descriptor's answer)
    and ``not run to its end`` apart. Cases have the properties ``equal``
    (yes, no, not compared), ``oracle`` and ``judgement``, and what was counted: ``npu_cycles`` and
    so on, and ``runner_peak_bytes`` of a ready runner.
    """
    top = Xml.Element("testsuites")
    for suite in suites:
        _add(top, suite)
    Xml.indent(top)
    return Xml.tostring(top, encoding="unicode") + "\n"


def _add(top: Xml.Element, suite: BoardSuite) -> None:
    element = Xml.SubElement(top, "testsuite", name=f"boards.{suite.configuration}.{suite.name}")
    for verdict in suite.verdicts:
        _add_sample(element, suite, verdict)
    problems = [problem for verdict in suite.verdicts for problem in verdict.problems]
    if suite.not_run:
        Xml.SubElement(
            _case(element, suite, suite.name), "skipped", message=_printable(suite.not_run)
        )
    elif suite.failure and not problems:
        _fail(_case(element, suite, suite.name), "not run to its end", suite.failure)
    if suite.said:
        Xml.SubElement(element, "system-out").text = _printable(suite.said)
    counts = {"failures": "failure", "skipped": "skipped"}
    element.set("tests", str(len(element.findall("testcase"))))
    for key, tag in counts.items():
        element.set(key, str(len(element.findall(f"testcase/{tag}"))))
    element.set("errors", "0")


def _case(element: Xml.Element, suite: BoardSuite, name: str) -> Xml.Element:
    classname = f"boards.{suite.configuration}.{suite.name}"
    return Xml.SubElement(element, "testcase", classname=classname, name=name)


def _add_sample(element: Xml.Element, suite: BoardSuite, verdict: Verdict) -> None:
    case = _case(element, suite, verdict.sample)
    properties = Xml.SubElement(case, "properties")
    for name, value in (
        ("equal", {"equal": "yes", "not equal": "no"}.get(verdict.comparison, "not compared")),
        *((("oracle", suite.oracle),) if suite.oracle else ()),
        ("judgement", verdict.judgement),
        *((name, str(value)) for name, value in suite.figures.get(verdict.sample, {}).items()),
    ):
        Xml.SubElement(properties, "property", name=name, value=value)
    if verdict.problems:
        kind = "not equal" if verdict.comparison == "not equal" else "wrong"
        _fail(case, kind, "; ".join(verdict.problems))


def _fail(case: Xml.Element, kind: str, message: str) -> None:
    Xml.SubElement(case, "failure", type=kind, message=_printable(message))


def _printable(text: str) -> str:
    """Return ``text`` without the control characters that XML 1.0 has no way to hold."""
    return "".join(
        c if c in "\t\n" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text
    )
