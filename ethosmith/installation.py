# SPDX-License-Identifier: Apache-2.0
"""Where Ethosmith's own files lie: in its repository, or in an installed package."""

from __future__ import annotations

import os
from pathlib import Path

from ethosmith import DISTRIBUTION_PATHS

_PACKAGE = Path(__file__).resolve().parent
_REPOSITORY = _PACKAGE.parent
# Where the wheel puts what the repository has beside the package; see pyproject.toml.
_SHARE = _PACKAGE / "share"
_IS_INSTALLED = _SHARE.is_dir()

# The clone that this is; None: an installed package.
CLONE = None if _IS_INSTALLED else _REPOSITORY
# The folder that Python imports `ethosmith` from.
IMPORT_PATH = _PACKAGE.parent
# PYTHONPATH of a process that imports `ethosmith` and the distributions that it depends on.
PYTHON_PATH = os.pathsep.join((str(IMPORT_PATH), *DISTRIBUTION_PATHS))
# The folder of our usecases/, platforms/, libraries/, packages/, templates/ and firmware/.
DESCRIPTOR_ROOT = _SHARE if _IS_INSTALLED else _REPOSITORY
# The folder of the SCons tools.
SITE_TOOLS = (_SHARE if _IS_INSTALLED else _REPOSITORY / "site_scons") / "site_tools"
# The graph; `runpy.run_path(SCONSTRUCT)` in another project's SConstruct builds that project.
SCONSTRUCT = str((_SHARE if _IS_INSTALLED else _REPOSITORY) / "SConstruct")
