# SPDX-License-Identifier: Apache-2.0
"""For every test: what an earlier build left in a cache is not taken for a result."""

from __future__ import annotations

import os

os.environ["ETHOSMITH_BUILD_CACHE"] = "none"
os.environ["CCACHE_DISABLE"] = "1"
