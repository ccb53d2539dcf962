# SPDX-License-Identifier: Apache-2.0
"""What build steps see of the environment, and the program that compilers are started through.

It changes when and where a file is compiled, not what the device runs. So it is no part of any
step's signature, and none of the commands that a build shows or hands to editors.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ethosmith.core.errors import EthosmithError
from ethosmith.installation import PYTHON_PATH

# What the user may set for downloads, temporary files, simulators, terminals and compiler
# launchers. None of it changes the bytes of an output.
_PASSED = (
    "PATH",
    "HOME",
    "TMPDIR",
    "TERM",
    "NO_COLOR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "NETRC",
    "ETHOSMITH_CACHE",
    "ETHOSMITH_PYTORCH_PYTHON",
    "FVP_PATH",
    "FVP_PYTHONHOME",
    "LM_LICENSE_FILE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
)
_PASSED_PREFIXES = (
    "ARM_LICENSE",
    "ARMLM",
    "PIP_",
    "CCACHE_",
    "DISTCC_",
    "ICECC",
    "GIT_CONFIG_",
    "GIT_SSL_",
)
_PASSED_ANY_CASE = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


def process_environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for build steps, made from ``given`` (default: this process's)."""
    given = os.environ if given is None else given
    passed = {
        name: value
        for name, value in given.items()
        if name in _PASSED or name.startswith(_PASSED_PREFIXES) or name.lower() in _PASSED_ANY_CASE
    }
    fixed = {
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        # The matrices are small: a second thread only waits for the first.
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": PYTHON_PATH,
    }
    return {**passed, **fixed}


AUTO, NONE, CCACHE = "auto", "none", "ccache"
_DISTRIBUTING = ("distcc", "icecc")
NAMES = (AUTO, NONE, CCACHE, *_DISTRIBUTING)
# Neither links nor archives go through it: there is nothing to remember or to send away.
_COMPILES = "-c"


class Launcher(NamedTuple):
    """How a compiler is started.

    Attributes:
        program: ccache, distcc or icecc; empty: the compiler starts by itself.
    """

    program: str = ""

    @property
    def sends_preprocessed(self) -> bool:
        """Whether the compiler sees no macros: its debug information names other lines for them.

        What such a compiler makes stays apart in the build cache.
        """
        return self.program in _DISTRIBUTING

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return the command that does what ``arguments`` say."""
        if self.program and _COMPILES in arguments:
            return [self.program, *arguments]
        return list(arguments)


def find_launcher(option: str, search_path: str | None) -> Launcher:
    """Return the launcher of ``launcher=``: for ``auto``, ccache if it is there.

    Args:
        option: one of `NAMES`.
        search_path: ``PATH`` of the build.

    Raises:
        EthosmithError: it is asked for by name, and missing.
    """
    if option == NONE:
        return Launcher()
    name = CCACHE if option == AUTO else option
    if shutil.which(name, path=search_path):
        return Launcher(name)
    if option == AUTO:
        return Launcher()
    raise EthosmithError(
        f"launcher={name}: {name} was not found on the PATH; install it, or give launcher={NONE}"
    )
