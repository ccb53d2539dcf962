# SPDX-License-Identifier: Apache-2.0
"""Read from pip's own configuration which indexes to ask, and how.

pip itself is not used to fetch: ``pip download`` runs an sdist's build backend to
learn its dependencies, and a source that is only read must not execute anything.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ethosmith.core.errors import EthosmithError

DEFAULT_INDEX_URL = "https://pypi.org/simple"
# As pip ranks them: a command's own section over [global], PIP_* variables over both.
_SECTIONS = ("global", "download", ":env:")


@dataclass(frozen=True)
class PipSettings:
    """The part of pip's configuration that says where files come from."""

    index_urls: tuple[str, ...] = (DEFAULT_INDEX_URL,)
    find_links: tuple[str, ...] = ()
    ca_bundle: Path | None = None
    client_certificate: Path | None = None
    proxy: str | None = None
    trusted_hosts: frozenset[str] = frozenset()
    timeout_s: float = 30.0


def read_pip_settings() -> PipSettings:
    """Ask pip for its merged configuration: files and ``PIP_*`` variables.

    An environment without pip (uv makes such) has the variables only.

    Raises:
        EthosmithError: pip refuses its own configuration.
    """
    if importlib.util.find_spec("pip") is None:
        return parse_pip_settings(_listing_of_variables(os.environ))
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise EthosmithError(f"pip's configuration cannot be read: {reason}")
    return parse_pip_settings(result.stdout)


def parse_pip_settings(listing: str) -> PipSettings:
    """Turn the output of ``pip config list`` into settings."""
    values = _effective_values(listing)
    timeout_s = values.get("default-timeout", values.get("timeout"))
    return PipSettings(
        index_urls=_index_urls(values),
        find_links=tuple(values.get("find-links", "").split()),
        ca_bundle=_optional_path(values.get("cert")),
        client_certificate=_optional_path(values.get("client-cert")),
        proxy=values.get("proxy") or None,
        trusted_hosts=frozenset(values.get("trusted-host", "").split()),
        timeout_s=float(timeout_s) if timeout_s else PipSettings.timeout_s,
    )


def _listing_of_variables(environment: Mapping[str, str]) -> str:
    """Return the ``PIP_*`` variables in the form of ``pip config list``."""
    return "\n".join(
        f":env:.{name.removeprefix('PIP_').lower().replace('_', '-')}={value!r}"
        for name, value in environment.items()
        if name.startswith("PIP_")
    )


def _effective_values(listing: str) -> dict[str, str]:
    by_section: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in listing.splitlines():
        name, equals, literal = line.partition("=")
        section, _, key = name.rpartition(".")
        if equals and section in by_section:
            by_section[section][key] = str(ast.literal_eval(literal))
    merged: dict[str, str] = {}
    for section in _SECTIONS:
        merged |= by_section[section]
    return merged


def _index_urls(values: Mapping[str, str]) -> tuple[str, ...]:
    if values.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        return ()
    first = values.get("index-url") or DEFAULT_INDEX_URL
    return (first, *values.get("extra-index-url", "").split())


def _optional_path(text: str | None) -> Path | None:
    return Path(text) if text else None
