# SPDX-License-Identifier: Apache-2.0
"""What a person types behind ``scons``: run, images, size, test, flash and the rest."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_json, write_text
from ethosmith.descriptors.words import check_new_name
from ethosmith.graph import accuracy, debug, desk, reports, simulators
from ethosmith.graph.build import Build
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.environment import process_environment
from ethosmith.graph.export import EXPORT
from ethosmith.graph.hardware import declare_flash, declare_hardware
from ethosmith.graph.images import Image
from ethosmith.graph.layers import declare_layers
from ethosmith.graph.layout import BUILD, SelectedUseCase
from ethosmith.graph.listing import list_json, list_text
from ethosmith.graph.options import WITHOUT_USECASES, words
from ethosmith.graph.reports import declare_sweep
from ethosmith.graph.repository_targets import declare_deps, declare_upstream_tests
from ethosmith.graph.stages import declare_stages
from ethosmith.graph.summary import BuiltImage, size_json, size_text, summary_text
from ethosmith.steps.compare_run import CompareRun

if TYPE_CHECKING:
    from ethosmith.report.junit import BoardSuite

_TEST_RESULTS = BUILD / "test"
_SITE = BUILD / "site"
_SITE_SETTINGS = "mkdocs.yml"
_VERIFY_SCRATCH = BUILD / "verify"
# Variables that say what this machine has.
_OF_THE_MACHINE = ("offline", "toolchain_path")
# Its module stands above this one: it makes what is read here.
_NEW_USECASE = "ethosmith.scaffold.new_usecase"
_NEW_FROM = ("template", "like", "model", "labels", "samples")


def declare_image(
    build: Build,
    usecase: SelectedUseCase,
    configuration: Configuration,
    image: Image,
    result: Path,
    verified: Path,
) -> None:
    """Put the files of one image under the names that a person types."""
    built = BuiltImage(
        usecase=usecase.variant,
        configuration=configuration,
        axf=str(image.axf),
        usage=str(image.usage),
        verified=str(verified),
    )
    build.images.append(built)
    build.card_files.append([image.images_txt, *image.sectors] if image.images_txt else [])
    build.engine.alias("images", image.all)
    build.engine.alias("run", [verified, *image.all])
    build.engine.alias("size", [image.usage])
    if "run" in build.session.targets:
        build.engine.always([result])


def declare_targets(build: Build) -> str:
    """Declare what the targets do once their files are made; return the one of a plain build.

    Raises:
        EthosmithError: a target was asked for without what it needs.
    """
    _check_usecases(build)
    built = build.images
    reason = simulators.reason_not_to_run(build)
    not_run = f"\nNot run: {reason}.\n" if reason else ""
    _print_after(
        build,
        "run",
        lambda: summary_text(built, ran=True, not_booted=reason or ""),
        beside=True,
    )
    _print_after(build, "images", lambda: summary_text(built, ran=False) + not_run, beside=True)
    desk.declare_history(build)
    as_json = build.session.answers_json
    _print_after(build, "size", lambda: size_json(built) if as_json else size_text(built))
    listed = list_json if as_json else list_text
    _print_after(build, "list", lambda: listed(build.project))
    for declare in (
        _declare_test,
        _check_training,
        declare_deps,
        declare_upstream_tests,
        declare_flash,
        reports.declare_index,
        declare_sweep,
        accuracy.declare_table,
        declare_stages,
        declare_layers,
        _declare_verify,
        _declare_new,
        _declare_docs,
        desk.check_watch,
        debug.declare_debug,
        desk.declare_doctor,
        desk.declare_diff,
    ):
        declare(build)
    on_hardware = declare_hardware(build)
    if build.session.values[EXPORT]:
        return EXPORT
    if on_hardware:
        return on_hardware
    return "images" if reason and not simulators.all_jobs_on_host(build) else "run"


def _check_usecases(build: Build) -> None:
    targets = set(build.session.targets)
    builds = "new" not in targets and (not targets or bool(targets - WITHOUT_USECASES))
    if builds and not build.session.usecases and not build.engine.prints_help:
        raise EthosmithError(
            "this project has no use case of its own yet: make one with"
            " 'new usecase=door template=vector', or name one of"
            f" {', '.join(build.project.usecase_names)}"
        )


def _print_after(build: Build, name: str, text: Callable[[], str], *, beside: bool = False) -> None:
    """Let a target show a text; ``beside``: it is not what format=json asks for."""

    def say() -> None:
        shown = text()
        if beside:
            sys.stdout.write(shown)
        else:
            build.answer(shown)
        if build.session.record is not None:
            build.session.record.answer(shown)

    build.show_after(name, say)


def _run_after(
    build: Build, name: str, command: Sequence[str], label: str, *, owns_terminal: bool = False
) -> None:
    build.engine.after(name, lambda: build.engine.run(command, owns_terminal=owns_terminal), label)


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]


def _declare_test(build: Build) -> None:
    results = _TEST_RESULTS

    def test() -> int:
        build.engine.line("TEST      pytest tests")
        # A third of a test's time is waiting: for QEMU, for limits, for the disk.
        workers = build.engine.jobs + build.engine.jobs // 2
        # A file's tests share what they build; the longest files come first.
        parallel = ("-n", str(workers), "--dist=loadfile", "--no-loadscope-reorder")
        xml = f"--junitxml={results}/pytest.xml"
        command = _module("pytest", "-q", "-m", "not long and not slow", *parallel, xml)
        # Tests write where the user's programs do: below build/ they would be in this project.
        return subprocess.call(command, env=process_environment())

    build.engine.alias("test", needs=["run"])
    build.engine.after("test", test)
    asked = not (build.engine.is_dry or build.engine.is_cleaning)
    if asked and "test" in build.session.targets:
        (build.project.root / results / "pytest.xml").unlink(missing_ok=True)
        # Also after a failure: which image failed is what a CI server wants to know.
        build.engine.at_exit(lambda: _write_board_cases(build, results / "boards.xml"))


def _write_board_cases(build: Build, target: Path) -> None:
    """Write which samples were equal to the host and right, as JUnit XML."""
    from ethosmith.report.junit import boards_xml

    write_text(target, boards_xml(_board_suite(build, image) for image in build.images))


def _board_suite(build: Build, image: BuiltImage) -> BoardSuite:
    from ethosmith.report.junit import BoardSuite

    where = image.configuration.folder.as_posix().replace("/", ".")
    verified = Path(image.verified)
    compared = build.made[verified].step
    reason = build.engine.reason(verified) or ""
    if not isinstance(compared, CompareRun) or not build.engine.is_done(compared.result):
        not_run = "" if reason else "the build stopped before"
        return BoardSuite(image.usecase, where, failure=reason, not_run=not_run)
    said, oracle = read_json(compared.result)["uart"], read_json(compared.expected)["oracle"]
    try:
        found, figures = compared.verdicts(), compared.figures()
    except EthosmithError as error:
        return BoardSuite(image.usecase, where, failure=reason or str(error), said=said)
    return BoardSuite(
        image.usecase, where, found, reason, said=said, oracle=oracle, figures=figures
    )


def _check_training(build: Build) -> None:
    session = build.session
    if "train" in session.targets and not any(u.descriptor.train for u in session.usecases):
        names = ", ".join(usecase.name for usecase in session.usecases)
        raise EthosmithError(f"train: no training script in the descriptor of {names}")


def _declare_verify(build: Build) -> None:
    """Declare ``verify``: build again from ``manifest=``, or from those of all images."""
    session = build.session
    if "verify" not in session.targets:
        return
    given = session.values["manifest"]
    if given and not (session.project.root / given).is_file():
        raise EthosmithError(f"manifest={given}: there is no such file")
    manifests = [Path(given)] if given else [image.manifest for image in build.images]
    extra = [f"{name}={value}" for name, value in session.given.items() if name in _OF_THE_MACHINE]
    command = _module("ethosmith.verify.rebuild", "--project", str(session.project.root))
    command += ["--scratch", str(_VERIFY_SCRATCH)]
    command += [word for manifest in manifests for word in ("--manifest", str(manifest))]
    folders = [f"{name}={value}" for name, value in session.given.items() if name.endswith("_dir")]
    command += [word for folder in folders for word in ("--folder", folder)]
    # Behind "--" stand words for scons.
    command += ["--", f"-j{build.engine.jobs}", *extra]
    if not given:
        build.engine.alias("verify", manifests, needs=["images"])
    _run_after(build, "verify", command, "", owns_terminal=True)


def _declare_new(build: Build) -> None:
    """Declare ``new``: make the folder of a use case."""
    session = build.session
    if "new" not in session.targets:
        for option in ("template", "like"):
            if session.values[option]:
                raise EthosmithError(
                    f"{option}= is only valid with the target 'new':"
                    f" scons new usecase=NAME {option}=..."
                )
        return
    names = words(session.values["usecase"])
    if len(session.targets) != 1:
        raise EthosmithError(
            "'new' cannot be combined with other targets: create the use case first, then build it"
        )
    if len(names) != 1 or names == ["all"]:
        raise EthosmithError("new needs one name: usecase=door template=image")
    check_new_name(names[0])
    given = {name: session.values[name] for name in _NEW_FROM if session.values[name]}
    if len({"template", "like"} & given.keys()) != 1:
        raise EthosmithError(
            "'new' needs exactly one of template=image, audio, vector or pytorch, or like= one"
            f" of {', '.join(session.project.usecase_names)}"
        )
    spec = json.dumps({"usecase": names[0], **given})
    command = _module("ethosmith", "step", _NEW_USECASE, spec)
    _run_after(build, "new", command, f"NEW       usecases/{names[0]}")


def _declare_docs(build: Build) -> None:
    """Declare ``docs``: build the documentation as a site."""
    if "docs" not in build.session.targets:
        return
    if not (build.project.root / _SITE_SETTINGS).is_file():
        raise EthosmithError(
            f"docs: there is no {_SITE_SETTINGS} here; Ethosmith's own repository has one"
        )
    if importlib.util.find_spec("material") is None:
        raise EthosmithError("docs needs mkdocs-material: pip install 'ethosmith[docs]'")
    command = _module("mkdocs", "build", "--strict", "--quiet", "--config-file", _SITE_SETTINGS)
    # MkDocs Material would advertise its successor, in colour, at every build.
    environment = {"NO_MKDOCS_2_WARNING": "1"}
    build.engine.after(
        "docs",
        lambda: build.engine.run([*command, "--site-dir", str(_SITE)], environment=environment),
        f"DOCS      {_SITE}/index.html",
    )
