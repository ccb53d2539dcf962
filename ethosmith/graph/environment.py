# SPDX-License-Identifier: Apache-2.0
"""The environment variables that build steps see: few, and the same on every machine."""

from __future__ import annotations

import os
from collections.abc import Mapping

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
    "FVP_PATH",
    "ARMLMD_LICENSE_FILE",
    "ARM_LICENSE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
)
_PASSED_PREFIXES = ("PIP_", "CCACHE_", "DISTCC_", "ICECC", "GIT_CONFIG_", "GIT_SSL_")
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
