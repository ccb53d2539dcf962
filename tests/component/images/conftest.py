# SPDX-License-Identifier: Apache-2.0
"""One small image for all tests of the area."""

from __future__ import annotations

import pytest

from tests.support.small_image import Linked, link


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Linked:
    """An image with code, data, a gap in DDR, and an archive of libc and of its own."""
    return link(tmp_path_factory.mktemp("small image"))
