# SPDX-License-Identifier: Apache-2.0
"""What a person types behind scons: run, images, size, test, list, deps; and the last lines."""

import atexit
import shutil
import subprocess
import sys
from typing import Any

from SCons.Action import Action
from SCons.Defaults import DefaultEnvironment
from SCons.Script import Main

from ethosmith.core.errors import EthosmithError
from ethosmith.core.nearest import unknown_name
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.layout import BUILD, SelectedUseCase
from ethosmith.graph.options import TARGETS
from ethosmith.graph.session import Session
from ethosmith.graph.untold import untold
from ethosmith.report.build_summary import BuiltImage, size_text, summary_text
from ethosmith.report.listing import list_text


def begin_session(env: Any, session: Session) -> None:
    """Prepare SCons for this call: help, signatures, the lock."""
    # SCons makes one for itself, and would look for every compiler, linker and TeX it knows.
    DefaultEnvironment(tools=[])
    env.Help(session.help_text)
    env.SetOption("no_progress", True)
    (session.project.root / BUILD).mkdir(exist_ok=True)
    env["SESSION"] = session
    env.UseSignatures()
    env.UseBuildCache()
    _check_targets(session)
    if env.GetOption("help") or env.GetOption("no_exec"):
        return
    lock = session.lock()
    if env.GetOption("clean") and not session.targets:
        # SCons writes its signatures when it ends, so the folder goes after that.
        atexit.register(shutil.rmtree, session.project.root / BUILD, ignore_errors=True)
    else:
        atexit.register(lock.release)
        # Runs before the lock is released.
        atexit.register(session.identity.save)
        atexit.register(_write_record, session)


def _write_record(session: Session) -> None:
    if session.record is not None:
        session.record.write(Main.exit_status)


_TEST_RESULTS = f"{BUILD}/test"
_WORDS = tuple(target.name for target in TARGETS)


def _check_targets(session: Session) -> None:
    for word in session.targets:
        path = session.project.root / word
        if word not in _WORDS and not path.exists() and not word.startswith(f"{BUILD}/"):
            raise EthosmithError(unknown_name("target", word, _WORDS))


def declare_image(
    env: Any,
    usecase: SelectedUseCase,
    configuration: Configuration,
    image: Any,
    result: Any,
    verified: Any,
) -> None:
    """Put the nodes of one image under the names that a person types."""
    built = BuiltImage(
        usecase=usecase.variant,
        configuration=configuration,
        axf=str(image.axf),
        usage=str(image.usage),
        verified=str(verified),
    )
    env["BUILT_IMAGES"].append(built)
    env["CARD_FILES"].append([image.images_txt, *image.sectors] if image.images_txt else [])
    env.Alias("images", image.all)
    env.Alias("run", [verified, *image.all])
    env.Alias("size", image.usage)
    if "run" in env["SESSION"].targets:
        env.AlwaysBuild(result)


def end_session(env: Any) -> None:
    """Declare the aliases' own actions and what a plain ``scons`` builds."""
    built = env["BUILT_IMAGES"]
    _say_after(env, "run", lambda: summary_text(built, ran=True))
    reason = env.ReasonNotToRun()
    _say_after(env, "images", lambda: summary_text(built, ran=False) + _not_run(reason))
    _say_after(env, "size", lambda: size_text(built))
    # Read now, where the session reports a wrong descriptor.
    listing = list_text(env["PROJECT"]) if "list" in env["SESSION"].targets else ""
    _say_after(env, "list", lambda: listing)
    _declare_test(env)
    _check_training(env["SESSION"])
    env.DeclareDeps()
    _declare_flash(env)
    env.ReportIndex()
    env.SweepTable()
    env.AccuracyTable()
    env.VerifyImages()
    env.DeclareCompileCommands()
    env.NewUseCase()
    env.Documentation()
    env.Default(env.Alias("images" if reason else "run"))
    if env["SESSION"].record is not None:
        env["SESSION"].record.configured()


def _not_run(reason: str | None) -> str:
    return f"\nNot run: {reason}.\n" if reason else ""


def _declare_test(env: Any) -> None:
    tests = env.Alias("test", env.Alias("run"), Action(_pytest, untold))
    env.AlwaysBuild(tests)
    asked = not (env.GetOption("help") or env.GetOption("no_exec") or env.GetOption("clean"))
    if asked and "test" in env["SESSION"].targets:
        results = env["PROJECT"].root / _TEST_RESULTS
        (results / "pytest.xml").unlink(missing_ok=True)
        # Also after a failure: which image failed is what a CI server wants to know.
        atexit.register(env.WriteBoardCases, results / "boards.xml")


def _say_after(env: Any, alias: str, text: Any) -> None:
    def say(target: Any, source: Any, env: Any) -> None:
        del target, source
        shown = text()
        sys.stdout.write(shown)
        if env["SESSION"].record is not None:
            env["SESSION"].record.answer(shown)

    env.AlwaysBuild(env.Alias(alias, [], Action(say, untold)))


def _check_training(session: Session) -> None:
    if "train" in session.targets and not any(u.descriptor.train for u in session.usecases):
        names = ", ".join(usecase.name for usecase in session.usecases)
        raise EthosmithError(f"train: no training script in the descriptor of {names}")


def _declare_flash(env: Any) -> None:
    if "flash" not in env["SESSION"].targets:
        return
    card, images = env["SESSION"].values["card"], env["CARD_FILES"]
    if not card:
        raise EthosmithError("flash needs the place of the card: card=/media/V2M-MPS3")
    if len(images) != 1 or not images[0]:
        raise EthosmithError(
            f"flash takes one image for a board with a card, not {len(images)}: give usecase=NAME"
            " target=mps3"
        )
    command = [sys.executable, "-m", "ethosmith.images.flash", "--card", card]
    command += ["--platform", str(env["PLATFORM"].path), "--sectors", str(images[0][0].dir)]

    def copy(target: Any, source: Any, env: Any) -> int:
        del target, source
        code: int = env["SHOWN"].run(command, env["ENV"])
        return code

    env.AlwaysBuild(env.Alias("flash", images[0], Action(copy, f"FLASH     {card}")))


def _pytest(target: Any, source: Any, env: Any) -> int:
    del target, source
    env["SHOWN"].progress.line("TEST      pytest tests")
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow"]
    return subprocess.call([*command, f"--junitxml={_TEST_RESULTS}/pytest.xml"], env=env["ENV"])


def exists(env: Any) -> bool:
    """Say that the tool can be used: it needs nothing."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the methods `BeginSession`, `DeclareImage` and `EndSession`."""
    env["BUILT_IMAGES"] = []
    env["CARD_FILES"] = []
    env.AddMethod(begin_session, "BeginSession")
    env.AddMethod(declare_image, "DeclareImage")
    env.AddMethod(end_session, "EndSession")
