# SPDX-License-Identifier: Apache-2.0
"""Obtain one source from the command line: ``python -m ethosmith.obtain``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.program import run_step
from ethosmith.obtain.cache import Cache
from ethosmith.obtain.progress import progress_for
from ethosmith.obtain.source import parse_source
from ethosmith.obtain.steps import Obtainer


def _parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ethosmith.obtain", description=__doc__)
    parser.add_argument("--source-json", required=True, help="the descriptor's source, as JSON")
    parser.add_argument(
        "--base-dir", type=Path, default=Path(), help="folder that a path source is relative to"
    )
    parser.add_argument("--cache-dir", type=Path, help="instead of the user's cache")
    parser.add_argument("--offline", action="store_true", help="use the cache only")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--output", type=Path, help="write the file or its member here")
    what.add_argument("--output-dir", type=Path, help="write the members of --members-json here")
    parser.add_argument("--members-json", help='members to write: \'["a/b.cc", "a/*.h"]\'')
    parser.add_argument("--strip-prefix", default="", help="folder to leave out of their paths")
    return parser.parse_args(arguments)


def _members(text: str | None) -> list[str]:
    try:
        members = json.loads(text or "")
    except json.JSONDecodeError:
        members = None
    if not isinstance(members, list) or not all(isinstance(name, str) for name in members):
        raise EthosmithError("--output-dir needs --members-json with a JSON list of paths")
    return members


def _run(arguments: Sequence[str]) -> None:
    options = _parse_arguments(arguments)
    source = parse_source(options.source_json)
    obtainer = Obtainer(
        cache=Cache(options.cache_dir.absolute()) if options.cache_dir else Cache.for_user(),
        offline=options.offline,
        progress=progress_for(),
    )
    if options.output is not None:
        obtainer.to_file(source, options.base_dir, options.output)
        return
    members = _members(options.members_json)
    obtainer.to_tree(source, options.base_dir, members, options.output_dir, options.strip_prefix)


if __name__ == "__main__":
    sys.exit(run_step(_run))
