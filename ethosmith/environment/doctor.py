# SPDX-License-Identifier: Apache-2.0
"""The command ``doctor``: what is installed, in which versions, what is missing, what to type.

    ethosmith doctor [format=json]

It changes nothing, and runs where nothing is installed yet: on any Python of the right version,
with the standard library alone.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from ethosmith import __version__
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_text
from ethosmith.core.program import EXIT_ERROR, EXIT_OK, fail
from ethosmith.environment import tools
from ethosmith.installation import CLONE

_WIDTH = 80
_FORMATS = ("text", "json")
_SCHEMA = 1
# Of the package's metadata and of prepare.py.
_PYTHONS = ((3, 11), (3, 13))
# Packages whose versions decide what is built; of all others only the number is shown.
_SHOWN_PACKAGES = ("scons", "ethos-u-vela", "tensorflow", "tensorflow-cpu", "ai-edge-litert")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)\s*(?:;([^\\\n]*))?", re.MULTILINE)
_FVP = "FVP_"
_PREPARE = "./scons list"
_MAX_WRONG = 10
OK, OPTIONAL, WRONG, MISSING = "ok", "optional", "wrong", "missing"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for.

    Attributes:
        name: what it is called.
        status: ``ok``; ``optional``: not installed, and not every build needs it; ``wrong``:
            installed, but not as needed; ``missing``: no build works without it.
        version: as it reports it; empty where it has none or is not installed.
        path: where it is; empty where it is not.
        purpose: what it is for.
        advice: the command that corrects it; empty if there is nothing to do.
    """

    name: str
    status: str
    version: str = ""
    path: str = ""
    purpose: str = ""
    advice: str = ""


def examine(root: Path | None) -> list[Finding]:
    """Look for everything that builds need.

    Args:
        root: the clone with its lock and ``.venv``; None: an installed package.
    """
    findings = [_python()]
    places = _package_folders(root)
    if root is not None:
        findings += [_environment(root), *_locked_packages(root, places)]
    findings += _shown_packages(places)
    findings += [_of_need(need) for need in tools.needs()]
    return [*findings, *_fvps(os.environ)]


def _python() -> Finding:
    lowest, highest = (".".join(map(str, version)) for version in _PYTHONS)
    fits = _PYTHONS[0] <= sys.version_info[:2] <= _PYTHONS[1]
    advice = "" if fits else f"ETHOSMITH_PYTHON=/path/to/python3 ./scons ({lowest} to {highest})"
    found = platform.python_version()
    return Finding("python", OK if fits else WRONG, found, sys.executable, "Python", advice)


def _environment(root: Path) -> Finding:
    from ethosmith.environment.prepare import Project  # noqa: PLC0415 needs fcntl

    project = Project(root)
    purpose = "the packages of requirements.lock"
    if Path(sys.prefix) != project.venv and _version("scons", [*sys.path]):
        return Finding("environment", OK, "", sys.prefix, f"{purpose}, in place of .venv")
    if not project.is_finished():
        return Finding(".venv", MISSING, "", "", purpose, _PREPARE)
    if not all(map(project.is_current, project.inputs())):
        purpose = "made from another requirements.lock or list of programs"
        return Finding(".venv", WRONG, "", str(project.venv), purpose, _PREPARE)
    return Finding(".venv", OK, "", str(project.venv), purpose)


def _package_folders(root: Path | None) -> list[str]:
    """Return where the packages are that builds use: of this Python, or of ``.venv``."""
    if root is None or _version("scons", sys.path):
        return list(sys.path)
    return [str(path) for path in (root / ".venv").glob("lib/python3*/site-packages")]


def _version(name: str, places: Sequence[str]) -> str:
    return next((d.version for d in metadata.distributions(name=name, path=list(places))), "")


def _locked_packages(root: Path, places: Sequence[str]) -> Iterator[Finding]:
    installed = {
        _canonical(d.metadata["Name"]): d.version for d in metadata.distributions(path=list(places))
    }
    if not installed:
        return  # There is no .venv, which has a finding of its own.
    pins = pinned_versions(read_text(root / "requirements.lock"))
    wrong = [
        Finding(
            name,
            WRONG if name in installed else MISSING,
            installed.get(name, ""),
            purpose=f"Python package, locked at {' or '.join(sorted(versions))}",
            advice=_PREPARE,
        )
        for name, versions in pins.items()
        if installed.get(name) not in versions
    ]
    right = len(pins) - len(wrong)
    purpose = f"{right} of {len(pins)} as in requirements.lock"
    yield Finding("packages", WRONG if wrong else OK, purpose=purpose)
    yield from wrong


def pinned_versions(lock: str) -> dict[str, set[str]]:
    """Return the versions that a lock allows on this machine, by canonical name.

    Without `packaging`, which reads environment markers, only what is pinned everywhere.
    """
    try:
        from packaging.markers import Marker  # noqa: PLC0415 may be missing
    except ImportError:
        return _pins(lock, lambda marker: not marker)
    return _pins(lock, lambda marker: not marker or bool(Marker(marker).evaluate()))


def _pins(lock: str, applies: Callable[[str], bool]) -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for name, version, marker in _PIN.findall(lock):
        if applies(marker.strip()):
            pins.setdefault(_canonical(name), set()).add(version)
    return pins


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _shown_packages(places: Sequence[str]) -> Iterator[Finding]:
    for name in _SHOWN_PACKAGES:
        version = _version(name, places)
        if version:
            yield Finding(name, OK, version, purpose="Python package")


def _of_need(need: tools.Need) -> Finding:
    path = need.location()
    if path is None:
        if need.is_met():  # By its variable, or a module of Python.
            where = os.environ.get(need.or_variable, "") if need.or_variable else ""
            return Finding(need.name, OK, "", where, need.purpose)
        status = OPTIONAL if need.optional else MISSING
        return Finding(need.name, status, purpose=need.purpose, advice=_to_install([need]))
    if need.arm_library:
        return Finding(need.name, OK, "", str(path), need.purpose)
    return _of_program(need, path)


def _of_program(need: tools.Need, path: Path) -> Finding:
    if path.name.startswith(_FVP):
        # Not asked for its version: it takes seconds to start.
        return Finding(path.name, OK, "", str(path), need.purpose)
    try:
        version = tools.program_version(path)
    except EthosmithError as error:
        return Finding(path.name, WRONG, str(error), str(path), need.purpose, _to_install([need]))
    return Finding(path.name, OK, version, str(path), need.purpose)


def _fvps(environment: Mapping[str, str]) -> list[Finding]:
    """Return Arm's simulators: those of FVP_PATH, a program or its folder, or of PATH."""
    purpose = "Arm's simulator"
    named = environment.get("FVP_PATH", "")
    if named and Path(named).is_file():
        return [Finding(Path(named).name, OK, "", named, purpose)]
    folders = [named] if named else environment.get("PATH", "").split(os.pathsep)
    found = [path for folder in folders if folder for path in sorted(Path(folder).glob("FVP_*"))]
    programs = {path.name: path for path in reversed(found) if os.access(path, os.X_OK)}
    if programs:
        return [Finding(name, OK, "", str(path), purpose) for name, path in programs.items()]
    purpose += "; without it, images run on the open board"
    if named:
        return [Finding("FVP", WRONG, "", named, purpose, "unset FVP_PATH")]
    return [Finding("FVP", OPTIONAL, "", "", purpose)]


def _to_install(wanted: Iterable[tools.Need]) -> str:
    manager = tools.package_manager()
    if manager is None:
        return tools.how_to_install(wanted)
    return " ".join(tools.install_command(wanted, manager))


def json_text(findings: Sequence[Finding]) -> str:
    """Return everything for programs."""
    document = {
        "schema": _SCHEMA,
        "ethosmith": __version__,
        "system": f"{platform.system()} {platform.machine()}",
        "ready": is_ready(findings),
        "findings": [asdict(finding) for finding in findings],
    }
    return json.dumps(document, indent=2) + "\n"


def is_ready(findings: Iterable[Finding]) -> bool:
    """Return whether builds can work."""
    return not any(finding.status in {MISSING, WRONG} for finding in findings)


def text(findings: Sequence[Finding]) -> str:
    """Return a table of at most 80 columns, and what to type."""
    width = max(len(finding.name) for finding in findings)
    lines = [f"Ethosmith {__version__} on {platform.system()} {platform.machine()}", ""]
    for finding in _shortened(findings):
        head = f"{finding.status:<8}  {finding.name:<{width}}  "
        what = finding.version or finding.purpose
        if finding.status != OK and finding.version:
            what = f"{finding.version}; {finding.purpose}"
        lines += textwrap.wrap(
            head + what, _WIDTH, subsequent_indent=" " * len(head), break_on_hyphens=False
        )
    lines.append("")
    lines += _what_to_type("To make builds work:", findings, {MISSING, WRONG})
    lines += _what_to_type("For what is optional:", findings, {OPTIONAL})
    if is_ready(findings):
        lines.append("Everything that a build needs is installed.")
    return "\n".join(lines) + "\n"


def _shortened(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Yield the findings without most of a long list of wrong packages."""
    wrong = [finding for finding in findings if finding.advice == _PREPARE]
    dropped = wrong[_MAX_WRONG:]
    yield from (finding for finding in findings if finding not in dropped)
    if dropped:
        yield Finding("...", WRONG, purpose=f"and {len(dropped)} more; format=json has them all")


def _what_to_type(title: str, findings: Iterable[Finding], statuses: set[str]) -> list[str]:
    chosen = [f for f in findings if f.status in statuses and f.advice]
    commands = dict.fromkeys(finding.advice for finding in chosen)
    return [title, *(f"  {command}" for command in commands)] if commands else []


def show(root: Path | None, form: str) -> int:
    """Write what was found to standard output; the exit code says whether builds can work."""
    findings = examine(root)
    sys.stdout.write(json_text(findings) if form == "json" else text(findings))
    return EXIT_OK if is_ready(findings) else EXIT_ERROR


def main(words: Sequence[str]) -> int:
    """Run ``doctor`` with the words beside it; return the exit code."""
    form = "text"
    for word in words:
        name, _, form = word.partition("=")
        if name != "format" or form not in _FORMATS:
            return fail(f"doctor: unknown argument '{word}'; expected nothing, or format=json")
    return show(CLONE, form)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
