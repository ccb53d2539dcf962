# SPDX-License-Identifier: Apache-2.0
"""Build images again and compare: scons verify, by `ethosmith.verify.rebuild`."""

import sys
from pathlib import Path
from typing import Any

from SCons.Action import Action

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.layout import BUILD
from ethosmith.graph.untold import untold

_SCRATCH = f"{BUILD}/verify"
# Where things are on this machine is no matter of the manifest.
_MACHINE_S_OWN = ("offline", "toolchain_path")


def verify_images(env: Any) -> None:
    """Declare the alias ``verify``: for the manifest of ``manifest=``, or for all images.

    Raises:
        EthosmithError: there is no such manifest.
    """
    session = env["SESSION"]
    if "verify" not in session.targets:
        return
    given = session.values["manifest"]
    if given and not (session.project.root / given).is_file():
        raise EthosmithError(f"manifest={given}: there is no such file")
    images = [] if given else [Path(image.axf).with_suffix("") for image in env["BUILT_IMAGES"]]
    manifests = [given] if given else [f"{image}_manifest.json" for image in images]
    extra = [f"{name}={value}" for name, value in session.given.items() if name in _MACHINE_S_OWN]
    command = [sys.executable, "-m", "ethosmith.verify.rebuild"]
    command += ["--project", str(session.project.root), "--scratch", _SCRATCH]
    command += [word for manifest in manifests for word in ("--manifest", manifest)]
    # Behind "--" stand words for scons.
    command += ["--", f"-j{env.GetOption('num_jobs')}", *extra]

    def rebuild(target: Any, source: Any, env: Any) -> int:
        del target, source
        code: int = env["SHOWN"].run(command, env["ENV"], owns_terminal=True)
        return code

    needed = [] if given else [env.Alias("images"), *manifests]
    env.AlwaysBuild(env.Alias("verify", needed, Action(rebuild, untold)))


def exists(env: Any) -> bool:
    """Say that the tool can be used: it needs nothing but Python."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the method `VerifyImages`."""
    env.AddMethod(verify_images, "VerifyImages")
