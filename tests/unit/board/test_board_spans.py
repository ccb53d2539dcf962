# SPDX-License-Identifier: Apache-2.0
"""A set of spans holds exactly the addresses that were put in, in the fewest spans."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from open_board.spans import Spans

_CHANGE = st.tuples(st.booleans(), st.integers(0, 40), st.integers(1, 12))


@given(st.lists(_CHANGE, max_size=20), st.integers(0, 50), st.integers(1, 10))
def test_spans_are_a_set_of_addresses(
    changes: list[tuple[bool, int, int]], start: int, size: int
) -> None:
    spans, plain = Spans(), set[int]()
    for is_new, first, count in changes:
        if is_new:
            spans.add(first, first + count)
            plain |= set(range(first, first + count))
        else:
            spans.remove(first, first + count)
            plain -= set(range(first, first + count))
    found = list(spans)
    assert {address for a, b in found for address in range(a, b)} == plain
    assert len(found) == sum(address - 1 not in plain for address in plain)
    assert spans.overlap(start, start + size) == bool(plain & set(range(start, start + size)))
