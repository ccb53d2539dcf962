# SPDX-License-Identifier: Apache-2.0
"""The rows of the corpus that Ethos-U85 has beyond those of `table`."""

from __future__ import annotations

from functools import cache

from tests.support.npu_corpus.case import Case, Row
from tests.support.npu_corpus.draw import INT8, INT16, INT32
from tests.support.npu_corpus.movement import concatenation, reshape, tile, transpose
from tests.support.npu_corpus.table import BROADCASTS, all_cases
from tests.support.npu_corpus.u85_only import (
    cast,
    comparison,
    division,
    gather,
    logical,
    reverse,
    scatter,
    select,
    whole_numbers,
)

TYPES = (INT8, INT16, INT32)
COMPARISONS = ("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL")
_MAPS = ((1, 7, 6, 19), (1, 8, 3, 16), (1, 2, 20, 5), (5, 17))

U85_ROWS = (
    Row(
        "comparison",
        36,
        comparison,
        {
            "builtin": COMPARISONS,
            "dtype": TYPES,
            "shapes": BROADCASTS,
        },
    ),
    Row(
        "int32",
        16,
        whole_numbers,
        {"builtin": ("ADD", "SUB", "MAXIMUM", "MINIMUM"), "shapes": BROADCASTS},
    ),
    Row("div", 6, division, {"shapes": BROADCASTS, "smallest": (1, -1001, 100_000)}),
    Row(
        "logical",
        12,
        logical,
        {"builtin": ("LOGICAL_AND", "LOGICAL_OR", "LOGICAL_NOT"), "shapes": BROADCASTS},
    ),
    Row(
        "select_v2",
        12,
        select,
        {
            "dtype": TYPES,
            "shapes": (
                ((1, 7, 6, 19), (1, 7, 6, 19), (1, 7, 6, 19)),
                ((1, 1, 6, 8), (1, 5, 6, 8), (1, 5, 6, 8)),
                ((5, 17), (5, 17), (5, 17)),
                ((1, 4, 4, 16), (1, 4, 4, 16), (1, 1, 1, 16)),
            ),
        },
    ),
    Row(
        "gather",
        16,
        gather,
        {
            "dtype": TYPES,
            "ifm": ((12, 40), (30, 3, 7), (5, 16)),
            "count": (1, 7, 40),
            "batches": (0,),
            "constant": (False, True),
        },
    ),
    Row(
        "gather_batch",
        8,
        gather,
        {
            "dtype": TYPES,
            "ifm": ((3, 12, 16), (2, 5, 33)),
            "count": (1, 7),
            "batches": (1,),
            "constant": (False, True),
        },
    ),
    Row(
        "scatter_nd",
        6,
        scatter,
        {"dtype": (INT8, INT32), "rows": (1, 5), "ofm": ((12, 16), (7, 33))},
    ),
    Row(
        "reverse_v2",
        18,
        reverse,
        {"dtype": TYPES, "ifm": _MAPS[:3], "axis": (1, 2, 3)},
    ),
    Row(
        "cast",
        12,
        cast,
        {"dtype": TYPES, "to": TYPES, "ifm": _MAPS},
        lambda g: g["dtype"] != g["to"],
    ),
    Row(
        "tile_int32",
        4,
        tile,
        {
            "dtype": (INT32,),
            "ifm": ((1, 4, 5, 6),),
            "repeats": ((1, 2, 1, 1), (1, 1, 4, 1), (1, 1, 1, 5), (1, 2, 1, 3)),
        },
    ),
    Row(
        "transpose_int32",
        6,
        transpose,
        {
            "dtype": (INT32,),
            "ifm": _MAPS[:3],
            "order": ((0, 2, 1, 3), (0, 3, 1, 2), (0, 2, 3, 1), (0, 1, 3, 2), (0, 3, 2, 1)),
        },
    ),
    Row(
        "concatenation_int32",
        4,
        concatenation,
        {
            "dtype": (INT32,),
            "ifm": ((1, 6, 5, 18),),
            "axis": (1, 2, 3),
            "lengths": ((3, 5), (1, 2, 20)),
        },
    ),
    Row(
        "reshape_int32",
        2,
        reshape,
        {
            "builtin": ("RESHAPE",),
            "dtype": (INT32,),
            "ifm": ((1, 6, 8, 20),),
            "ofm": ((1, 960), (6, 160)),
        },
    ),
)


@cache
def u85_cases(factor: int = 1) -> tuple[Case, ...]:
    """Return the corpus of Ethos-U85: all of the others', and what only it has."""
    own = (case for row in U85_ROWS for case in row.cases(factor))
    return (*all_cases(factor), *own)
