# SPDX-License-Identifier: Apache-2.0
"""List what of Ethos-U85's commands Vela writes for the corpus, and what it does not.

python -m benchmarks.u85_coverage        each network on one configuration, in turn
"""

from __future__ import annotations

import sys

from tests.support.npu_corpus.u85_coverage import everything, payloads, written


def main() -> int:
    """Print the report."""
    known, found = everything(), written(payloads())
    missing = sorted(known - found)
    sys.stdout.write(f"{len(known) - len(missing)} of {len(known)} written; not written:\n")
    sys.stdout.write("".join(f"  {name}\n" for name in missing))
    return 0


if __name__ == "__main__":
    sys.exit(main())
