# SPDX-License-Identifier: Apache-2.0
"""Build the documentation as a site: scons docs."""

import importlib.util
import sys
from typing import Any

from SCons.Action import Action

from ethosmith.core.errors import EthosmithError
from ethosmith.graph.layout import BUILD

_SITE = f"{BUILD}/site"
_SETTINGS = "mkdocs.yml"


def documentation(env: Any) -> None:
    """Declare the alias ``docs``.

    Raises:
        EthosmithError: it was asked for, and mkdocs or its settings are not there.
    """
    session = env["SESSION"]
    if "docs" not in session.targets:
        return
    if not (session.project.root / _SETTINGS).is_file():
        raise EthosmithError(f"docs: there is no {_SETTINGS} here; Ethosmith's own repository has")
    if importlib.util.find_spec("material") is None:
        raise EthosmithError("docs needs mkdocs-material: pip install 'ethosmith[docs]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    command += ["--config-file", _SETTINGS, "--site-dir", _SITE]
    # It would tell of its successor, in colour, at every build.
    environment = {**env["ENV"], "NO_MKDOCS_2_WARNING": "1"}

    def build(target: Any, source: Any, env: Any) -> int:
        del target, source
        code: int = env["SHOWN"].run(command, environment)
        return code

    env.AlwaysBuild(env.Alias("docs", [], Action(build, f"DOCS      {_SITE}/index.html")))


def exists(env: Any) -> bool:
    """Say that the tool can be used: whether mkdocs is there is asked when it is needed."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the method `Documentation`."""
    env.AddMethod(documentation, "Documentation")
