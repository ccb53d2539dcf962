# SPDX-License-Identifier: Apache-2.0
"""Scripts that measure; each runs by itself. No cache stands in for a build."""

import os

os.environ.setdefault("ETHOSMITH_BUILD_CACHE", "none")
os.environ.setdefault("CCACHE_DISABLE", "1")
