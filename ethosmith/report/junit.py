# SPDX-License-Identifier: Apache-2.0
"""Write which images ran on the board and were right, as JUnit XML for a CI server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as Xml

Outcome = Literal["passed", "failed", "not run"]


@dataclass(frozen=True)
class BoardCase:
    """One use case in one configuration.

    Attributes:
        name: of the use case.
        configuration: the folder of the images, below build/, with dots for slashes.
        outcome: ``not run`` where the build stopped before.
        message: why it failed or did not run.
        said: the device's log, if it ran.
    """

    name: str
    configuration: str
    outcome: Outcome
    message: str = ""
    said: str = ""


def boards_xml(cases: Iterable[BoardCase]) -> str:
    """Return the document: one suite, one case per use case and configuration."""
    cases = list(cases)
    top = Xml.Element("testsuites")
    counts = {
        "tests": len(cases),
        "failures": sum(case.outcome == "failed" for case in cases),
        "errors": 0,
        "skipped": sum(case.outcome == "not run" for case in cases),
    }
    numbers = {key: str(count) for key, count in counts.items()}
    suite = Xml.SubElement(top, "testsuite", {"name": "boards", **numbers})
    for case in cases:
        _add(suite, case)
    Xml.indent(top)
    return Xml.tostring(top, encoding="unicode") + "\n"


def _add(suite: Xml.Element, case: BoardCase) -> None:
    element = Xml.SubElement(
        suite, "testcase", classname=f"boards.{case.configuration}", name=case.name
    )
    if case.outcome == "failed":
        Xml.SubElement(element, "failure", message=_printable(case.message))
    elif case.outcome == "not run":
        Xml.SubElement(element, "skipped", message=_printable(case.message))
    if case.said:
        Xml.SubElement(element, "system-out").text = _printable(case.said)


def _printable(text: str) -> str:
    """Return ``text`` without the control characters that XML 1.0 has no way to hold."""
    return "".join(
        c if c in "\t\n" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text
    )
