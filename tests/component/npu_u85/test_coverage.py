# SPDX-License-Identifier: Apache-2.0
"""Which of Ethos-U85's commands and values Vela's streams exercise."""

from __future__ import annotations

import pytest

from tests.support.npu_corpus.u85_coverage import NOT_WRITTEN, everything, payloads, written

_ONE_IN = 15


def test_what_is_listed_as_not_written_is_not() -> None:
    known = everything()
    assert known >= NOT_WRITTEN
    assert len(known) > 250
    found = written(payloads(_ONE_IN))
    assert found <= known
    assert not found & NOT_WRITTEN


@pytest.mark.slow
def test_all_else_is_exercised_by_the_corpus() -> None:
    assert everything() - written(payloads()) == NOT_WRITTEN
