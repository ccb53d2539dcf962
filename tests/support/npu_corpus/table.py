# SPDX-License-Identifier: Apache-2.0
"""The corpus: every operator that Vela maps to Ethos-U55 and U65, and how it is varied."""

from __future__ import annotations

from functools import cache
from typing import Any

from tests.support.npu_corpus.case import Case, Row
from tests.support.npu_corpus.chained import between_convolutions
from tests.support.npu_corpus.draw import INT8, INT16, UINT8
from tests.support.npu_corpus.movement import (
    concatenation,
    pack,
    pad,
    reshape,
    slice_,
    split,
    split_v,
    strided_slice,
    tile,
    transpose,
    unpack,
)
from tests.support.npu_corpus.pointwise import (
    binary,
    leaky_relu,
    negate,
    positive,
    prelu,
    quantize,
    softmax,
    unary,
)
from tests.support.npu_corpus.recurrent import unidirectional_sequence_lstm
from tests.support.npu_corpus.weighted import (
    Window,
    batch_matmul,
    conv_2d,
    depthwise_conv_2d,
    dynamic_fully_connected,
    fully_connected,
    transpose_conv,
    window_fits,
)
from tests.support.npu_corpus.windowed import arg_max, pool_2d, reduce, resize

BOTH = (INT8, INT16)
PADDINGS = ("same", "valid")
FUSED = ("none", "relu", "relu6", "relu_n1_to_1")
SCALES = ("per_channel", "per_tensor")

# Heights, widths and depths on both sides of the blocks' (2, 8, 16, 32) and bricks' (16) sizes.
IMAGES = (
    (1, 1, 1),
    (5, 4, 3),
    (7, 9, 8),
    (8, 8, 16),
    (9, 13, 17),
    (12, 11, 33),
    (16, 16, 4),
    (1, 30, 20),
    (31, 2, 5),
    (6, 5, 70),
)
VECTORS = ((1, 1), (1, 7), (1, 300), (4, 16), (1, 5, 19), (2, 3, 4, 5), (1, 9, 6, 24))

CONVOLUTIONS = (
    Window((1, 1)),
    Window((3, 3)),
    Window((3, 3), (2, 2)),
    Window((5, 5)),
    Window((3, 3), (1, 1), (2, 2)),
    Window((2, 2), (2, 2)),
    Window((1, 7), (1, 2)),
    Window((5, 2), (2, 1)),
    Window((7, 7), (3, 3)),
    Window((9, 9)),
    Window((3, 3), (1, 1), (3, 3)),
    Window((3, 2), (1, 1), (1, 2)),
    Window((1, 1), (2, 2)),
    Window((1, 16), (1, 3)),
)
POOLS = (
    Window((2, 2), (2, 2)),
    Window((3, 3)),
    Window((3, 3), (2, 2)),
    Window((1, 4), (1, 1)),
    Window((5, 3), (3, 2)),
    Window((8, 8), (1, 1)),
    Window((2, 1), (2, 1)),
)
TRANSPOSED = (
    Window((2, 2), (2, 2)),
    Window((3, 3), (2, 2)),
    Window((4, 4), (2, 2)),
    Window((5, 3), (2, 2)),
    Window((3, 3), (1, 1)),
    Window((1, 1), (2, 2)),
    Window((7, 7), (2, 2)),
)
BROADCASTS = (
    ((1, 7, 6, 19), (1, 7, 6, 19)),
    ((1, 7, 6, 19), (1, 1, 1, 19)),
    ((1, 7, 6, 8), (1, 7, 6, 1)),
    ((1, 1, 6, 8), (1, 5, 6, 8)),
    ((1, 4, 1, 8), (1, 4, 6, 8)),
    ((1, 6, 5, 18), (1, 1, 1, 1)),
    ((1, 1, 1, 1), (1, 3, 9, 5)),
    ((1, 4, 1, 16), (1, 1, 6, 16)),
    ((1, 33), (1, 33)),
    ((5, 17), (17,)),
    ((3, 4, 20), (3, 4, 20)),
)
POINTWISE_IMAGES = ((1, 7, 6, 19), (1, 8, 8, 16), (1, 33), (3, 20), (1, 1, 30, 7), (1, 12, 2, 40))


def _binary_rows() -> tuple[Row, ...]:
    """Arithmetic: all with broadcasting, constants and shared scales; some with activations."""
    rows = []
    for builtin, count in (("ADD", 44), ("SUB", 36), ("MUL", 36), ("MAXIMUM", 18), ("MINIMUM", 18)):
        axes: dict[str, Any] = {
            "builtin": (builtin,),
            "dtype": BOTH,
            "shapes": BROADCASTS,
            "constant": ("none", "none", "first", "second"),
        }
        if builtin in ("ADD", "SUB", "MUL"):
            axes |= {"activation": ("none", "none", *FUSED), "scales": ("own", "inputs", "same")}
        rows.append(Row(builtin.lower(), count, binary, axes))
        if builtin in ("ADD", "SUB", "MUL"):
            far = {
                "builtin": (builtin,),
                "dtype": BOTH,
                "shapes": (BROADCASTS[0], BROADCASTS[8]),
                "apart": (2.0**-12, 2.0**-6, 2.0**6, 2.0**12),
            }
            rows.append(Row(f"{builtin.lower()}_scaled", 8, binary, far))
    shapes = BROADCASTS
    axes = {"builtin": ("SQUARED_DIFFERENCE",), "dtype": (INT8,), "shapes": shapes}
    return (*rows, Row("squared_difference", 16, binary, axes))


def _unary_rows() -> tuple[Row, ...]:
    """Functions of one tensor; most are tables in SHRAM."""

    def row(builtin: str, dtypes: tuple[Any, ...], count: int, **axes: tuple[Any, ...]) -> Row:
        common = {"builtin": (builtin,), "dtype": dtypes, "ifm": POINTWISE_IMAGES}
        return Row(builtin.lower(), count, unary, {**common, **axes})

    return (
        row("RELU", BOTH, 10, gain=(0.5, 1.0)),
        row("RELU6", BOTH, 10, gain=(0.5, 1.0)),
        row("RELU_N1_TO_1", (INT8,), 6, gain=(0.5, 1.0)),
        row("RELU_0_TO_1", (INT8,), 6, gain=(0.5, 1.0)),
        row("LOGISTIC", BOTH, 14, reach=(1.0, 4.0, 8.0, 20.0)),
        row("TANH", BOTH, 14, reach=(0.5, 2.0, 4.0, 10.0)),
        row("HARD_SWISH", (INT8,), 10, reach=(2.0, 4.0, 10.0)),
        row("ELU", (INT8,), 6, reach=(2.0, 6.0)),
        row(
            "GELU",
            (INT8,),
            6,
            reach=(2.0, 6.0),
            fields=({"Approximate": False}, {"Approximate": True}),
        ),
        row("EXP", BOTH, 10, reach=(1.0, 3.0), gain=(1.0, 4.0)),
        row("ABS", BOTH, 10, gain=(0.5, 1.0)),
        Row(
            "abs_large",
            2,
            unary,
            {"builtin": ("ABS",), "dtype": (INT16,), "ifm": ((1, 64, 64, 16),), "gain": (0.5, 1.0)},
        ),
        Row(
            "leaky_relu",
            16,
            leaky_relu,
            {"dtype": BOTH, "ifm": POINTWISE_IMAGES, "alpha": (0.01, 0.1, 0.5, 1.5, -0.3)},
        ),
        Row(
            "prelu",
            12,
            prelu,
            {"dtype": (INT8,), "ifm": ((7, 9, 8), (5, 4, 19), (8, 6, 32)), "shared": (False, True)},
        ),
        Row("neg", 6, negate, {"dtype": BOTH, "ifm": POINTWISE_IMAGES}),
        Row("log", 6, positive, {"builtin": ("LOG",), "dtype": BOTH, "ifm": POINTWISE_IMAGES}),
        Row("rsqrt", 8, positive, {"builtin": ("RSQRT",), "dtype": BOTH, "ifm": POINTWISE_IMAGES}),
        Row(
            "softmax",
            24,
            softmax,
            {
                "dtype": BOTH,
                "ifm": ((1, 10), (1, 2), (1, 257), (4, 12), (1, 5, 7, 9), (1, 3, 30, 4)),
                "beta": (1.0, 0.5, 2.0),
                "reach": (2.0, 8.0, 20.0),
            },
        ),
        Row(
            "quantize_uint8",
            8,
            quantize,
            {"dtype": (INT8, UINT8), "to": (UINT8, INT8), "ifm": POINTWISE_IMAGES, "gain": (1.0,)},
        ),
        Row(
            "quantize_scaled",
            10,
            quantize,
            {
                "dtype": BOTH,
                "to": BOTH,
                "ifm": ((1, 33), (1, 7, 6, 19)),
                "gain": (0.002, 0.05, 20.0, 500.0),
            },
        ),
        Row(
            "quantize",
            18,
            quantize,
            {"dtype": BOTH, "to": BOTH, "ifm": POINTWISE_IMAGES, "gain": (0.3, 1.0, 3.0)},
        ),
    )


WEIGHTED_ROWS = (
    Row(
        "conv_2d",
        80,
        conv_2d,
        {
            "dtype": BOTH,
            "ifm": IMAGES,
            "depth": (1, 8, 20, 33),
            "window": CONVOLUTIONS,
            "padding": PADDINGS,
            "activation": FUSED,
            "scales": SCALES,
            "zeros": (0.0, 0.5, 0.95),
        },
        window_fits,
    ),
    Row(
        "conv_2d_scaled",
        24,
        conv_2d,
        {
            "dtype": BOTH,
            "ifm": ((5, 4, 3), (1, 1, 1), (8, 8, 16)),
            "depth": (1, 20),
            "window": (Window((1, 1)), Window((3, 3))),
            "padding": ("same",),
            "gain": (0.0005, 0.02, 20.0, 1000.0, 8000.0),
        },
    ),
    Row(
        "conv_2d_bias_32",
        8,
        conv_2d,
        {
            "dtype": (INT16,),
            "ifm": ((5, 4, 3), (8, 8, 16)),
            "depth": (1, 20),
            "window": (Window((1, 1)), Window((3, 3))),
            "padding": ("same",),
            "scales": SCALES,
            "bias_bits": (32,),
        },
    ),
    Row(
        "conv_2d_wide_stride",
        12,
        conv_2d,
        {
            "dtype": BOTH,
            "ifm": ((20, 24, 5), (17, 19, 16)),
            "depth": (8, 20),
            "window": (
                Window((4, 4), (4, 4)),
                Window((5, 3), (5, 4)),
                Window((3, 3), (6, 1)),
                Window((2, 2), (1, 7)),
                Window((1, 1), (4, 4)),
            ),
            "padding": ("valid",),
        },
    ),
    Row(
        "conv_2d_deep",
        10,
        conv_2d,
        {
            "dtype": BOTH,
            "ifm": ((4, 4, 130), (3, 5, 260)),
            "depth": (70, 130),
            "window": (Window((1, 1)), Window((3, 3))),
            "padding": ("same",),
            "activation": ("none", "relu"),
        },
        window_fits,
    ),
    Row(
        "depthwise_conv_2d",
        50,
        depthwise_conv_2d,
        {
            "dtype": BOTH,
            "ifm": IMAGES,
            "window": CONVOLUTIONS,
            "padding": PADDINGS,
            "activation": FUSED,
            "scales": SCALES,
        },
        window_fits,
    ),
    Row(
        "depthwise_multiplier",
        10,
        depthwise_conv_2d,
        {
            "dtype": BOTH,
            "ifm": ((9, 9, 1), (7, 6, 3)),
            "window": (Window((3, 3)), Window((3, 3), (2, 2)), Window((5, 1))),
            "padding": PADDINGS,
            "multiplier": (4, 9),
        },
        window_fits,
    ),
    Row(
        "transpose_conv",
        30,
        transpose_conv,
        {
            "dtype": BOTH,
            "ifm": ((5, 4, 3), (6, 7, 9), (4, 4, 17), (1, 1, 8), (8, 3, 33)),
            "depth": (1, 7, 18),
            "window": TRANSPOSED,
            "padding": PADDINGS,
            "scales": SCALES,
            "bias": (True, True, False),
        },
    ),
    Row(
        "fully_connected",
        36,
        fully_connected,
        {
            "dtype": BOTH,
            "rows": (1, 1, 3, 8),
            "depth_in": (1, 20, 64, 300),
            "depth_out": (1, 7, 16, 130),
            "activation": FUSED,
            "scales": SCALES,
            "bias": (True, True, False),
        },
    ),
    Row(
        "dynamic_fully_connected",
        6,
        dynamic_fully_connected,
        {"rows": (1, 5), "depth_in": (7, 40), "depth_out": (3, 18)},
    ),
    Row(
        "batch_matmul",
        16,
        batch_matmul,
        {
            "shape": ((1, 5, 7), (3, 4, 16), (1, 2, 6, 20), (2, 17, 33)),
            "columns": (1, 9, 24),
            "adjoint_x": (False, True),
            "adjoint_y": (False, True),
        },
    ),
)

WINDOWED_ROWS = (
    *(
        Row(
            name,
            count,
            pool_2d,
            {
                "builtin": (name.upper(),),
                "dtype": BOTH,
                "ifm": IMAGES,
                "window": POOLS,
                "padding": PADDINGS,
                "activation": ("none", "none", "relu", "relu6"),
            },
            window_fits,
        )
        for name, count in (("max_pool_2d", 30), ("average_pool_2d", 36))
    ),
    *(
        Row(
            f"{name}_large",
            8,
            pool_2d,
            {
                "builtin": (name.upper(),),
                "dtype": BOTH,
                "ifm": ((40, 40, 5), (1, 200, 3), (64, 33, 2)),
                "window": (
                    Window((16, 16), (1, 1)),
                    Window((1, 200)),
                    Window((33, 33)),
                    Window((10, 10), (10, 10)),
                    Window((4, 4), (4, 4)),
                ),
                "padding": ("valid",),
            },
            window_fits,
        )
        for name in ("max_pool_2d", "average_pool_2d")
    ),
    Row(
        "mean_large",
        8,
        reduce,
        {
            "builtin": ("MEAN",),
            "dtype": BOTH,
            "ifm": ((1, 100, 100, 3), (1, 1, 4000, 2), (1, 300, 5, 17)),
            "axes": ((1, 2), (1,), (2,)),
            "keep": (True,),
            "scales": ("own", "same"),
        },
    ),
    Row(
        "mean",
        36,
        reduce,
        {
            "builtin": ("MEAN",),
            "dtype": BOTH,
            "ifm": ((1, 7, 9, 8), (1, 5, 4, 19), (1, 12, 11, 3), (1, 30, 1, 17), (1, 64, 64, 2)),
            "axes": ((1, 2), (1,), (2,)),
            "keep": (True, False),
            "scales": ("own", "same"),
        },
    ),
    Row(
        "mean_depth",
        8,
        reduce,
        {
            "builtin": ("MEAN",),
            "dtype": BOTH,
            "ifm": ((1, 1, 9, 8), (1, 5, 1, 19)),
            "axes": ((3,),),
            "keep": (True, False),
            "scales": ("own", "same"),
        },
    ),
    *(
        Row(
            name,
            count,
            reduce,
            {
                "builtin": (name.upper(),),
                "dtype": BOTH,
                "ifm": ((1, 7, 9, 8), (1, 5, 4, 19), (1, 12, 11, 3)),
                "axes": ((3,), (1,), (2,)),
                "keep": keep,
                "scales": scales,
            },
        )
        for name, count, keep, scales in (
            ("sum", 14, (True, False), ("own", "same")),
            ("reduce_max", 10, (True,), ("same",)),
            ("reduce_min", 10, (True,), ("same",)),
        )
    ),
    Row(
        "sum_large",
        2,
        reduce,
        {
            "builtin": ("SUM",),
            "dtype": (INT16,),
            "ifm": ((1, 64, 64, 10),),
            "axes": ((3,), (1,)),
            "keep": (True,),
        },
    ),
    Row(
        "reduce_dropped_axis",
        4,
        reduce,
        {
            "builtin": ("REDUCE_MAX", "REDUCE_MIN"),
            "dtype": BOTH,
            "ifm": ((1, 7, 9, 8), (1, 12, 11, 3)),
            "axes": ((3,), (2,)),
            "keep": (False,),
            "scales": ("same",),
        },
    ),
    Row(
        "arg_max",
        10,
        arg_max,
        {
            "dtype": (INT8,),
            "ifm": ((1, 7, 9, 8), (1, 5, 4, 19), (1, 10), (1, 3, 2, 127)),
            "wide": (False, True),
        },
    ),
    Row(
        "resize_nearest_neighbor",
        16,
        resize,
        {
            "builtin": ("RESIZE_NEAREST_NEIGHBOR",),
            "dtype": BOTH,
            "ifm": ((5, 4, 3), (7, 9, 8), (4, 3, 20), (1, 1, 5)),
            "factor": (2, 4, 8),
            "corners": ("plain", "align", "half"),
        },
    ),
    Row(
        "resize_bilinear",
        20,
        resize,
        {
            "builtin": ("RESIZE_BILINEAR",),
            "dtype": BOTH,
            "ifm": ((5, 4, 3), (7, 9, 8), (4, 3, 20), (1, 1, 5)),
            "factor": (2, 4, 8),
            "corners": ("plain", "align", "half"),
        },
        lambda parameters: parameters["corners"] != "half" or parameters["factor"] == 2,
    ),
)

MOVEMENT_ROWS = (
    Row(
        "pad",
        16,
        pad,
        {
            "builtin": ("PAD",),
            "dtype": BOTH,
            "ifm": ((1, 7, 6, 19), (1, 8, 3, 16)),
            "paddings": (
                ((0, 0), (1, 2), (3, 1), (0, 0)),
                ((0, 0), (1, 0), (0, 1), (2, 1)),
                ((0, 0), (0, 0), (0, 0), (0, 16)),
                ((0, 0), (4, 0), (0, 5), (0, 0)),
            ),
        },
    ),
    Row(
        "padv2",
        6,
        pad,
        {
            "builtin": ("PADV2",),
            "dtype": BOTH,
            "ifm": ((1, 7, 6, 19),),
            "paddings": (((0, 0), (1, 2), (3, 1), (0, 0)), ((0, 0), (0, 0), (0, 0), (5, 1))),
        },
    ),
    Row(
        "mirror_pad",
        8,
        pad,
        {
            "builtin": ("MIRROR_PAD",),
            "dtype": BOTH,
            "ifm": ((1, 7, 6, 19), (1, 8, 5, 16)),
            "paddings": (((0, 0), (1, 2), (3, 1), (0, 0)), ((0, 0), (0, 1), (1, 0), (0, 0))),
        },
    ),
    Row(
        "concatenation",
        16,
        concatenation,
        {
            "dtype": BOTH,
            "ifm": ((1, 6, 5, 18), (1, 8, 4, 16)),
            "axis": (1, 2, 3),
            "lengths": ((3, 5), (16, 16), (1, 2, 20)),
        },
    ),
    Row(
        "pack",
        8,
        pack,
        {
            "dtype": BOTH,
            "ifm": ((6, 5, 18), (4, 16)),
            "axis": (0, 1, 2),
            "count": (2, 3),
        },
    ),
    Row("unpack", 8, unpack, {"dtype": BOTH, "ifm": ((3, 4, 18), (1, 4, 16)), "axis": (0, 1, 2)}),
    Row(
        "split",
        10,
        split,
        {"dtype": BOTH, "ifm": ((1, 6, 4, 18), (1, 8, 2, 32)), "axis": (1, 2, 3), "count": (2,)},
    ),
    Row(
        "split_v",
        6,
        split_v,
        {
            "dtype": BOTH,
            "ifm": ((1, 12, 12, 12),),
            "axis": (1, 2, 3),
            "lengths": ((5, 7), (1, 8, 3)),
        },
    ),
    Row(
        "slice",
        10,
        slice_,
        {
            "dtype": BOTH,
            "ifm": ((1, 9, 8, 20),),
            "begin": ((0, 0, 0, 0), (0, 2, 1, 3), (0, 0, 5, 16)),
            "size": ((1, 4, 3, 4), (1, 7, 1, 1), (1, 1, 3, 2)),
        },
    ),
    Row(
        "strided_slice",
        10,
        strided_slice,
        {
            "dtype": BOTH,
            "ifm": ((1, 9, 8, 20),),
            "begin": ((0, 0, 0, 0), (0, 1, 2, 3)),
            "end": ((1, 9, 8, 20), (1, 6, 7, 11)),
            "strides": ((1, 1, 1, 1), (1, 2, 1, 1), (1, 1, 3, 1), (1, 2, 2, 1)),
        },
    ),
    Row(
        "transpose",
        20,
        transpose,
        {
            "dtype": BOTH,
            "ifm": ((1, 7, 6, 19), (1, 8, 3, 16), (1, 2, 20, 5)),
            "order": ((0, 2, 1, 3), (0, 3, 1, 2), (0, 2, 3, 1), (0, 1, 3, 2), (0, 3, 2, 1)),
        },
    ),
    Row(
        "transpose_batch",
        4,
        transpose,
        {"dtype": BOTH, "ifm": ((3, 7, 6),), "order": ((1, 0, 2), (2, 1, 0), (1, 2, 0))},
    ),
    Row(
        "reshape",
        6,
        reshape,
        {
            "builtin": ("RESHAPE",),
            "dtype": BOTH,
            "ifm": ((1, 6, 8, 20),),
            "ofm": ((1, 960), (1, 12, 4, 20), (6, 160), (1, 48, 1, 20)),
        },
    ),
    Row(
        "squeeze",
        2,
        reshape,
        {"builtin": ("SQUEEZE",), "dtype": BOTH, "ifm": ((1, 6, 1, 20),), "ofm": ((6, 20),)},
    ),
    Row(
        "expand_dims",
        2,
        reshape,
        {"builtin": ("EXPAND_DIMS",), "dtype": BOTH, "ifm": ((6, 20),), "ofm": ((1, 6, 20),)},
    ),
    Row(
        "tile",
        8,
        tile,
        {
            "dtype": BOTH,
            "ifm": ((1, 4, 5, 6),),
            "repeats": ((1, 2, 1, 3), (1, 1, 4, 1), (1, 3, 1, 1), (1, 1, 1, 5)),
        },
    ),
)

CHAINED_ROWS = (
    Row(
        "chain_conv_2d",
        30,
        between_convolutions(conv_2d),
        {
            "dtype": BOTH,
            "ifm": IMAGES[1:],
            "depth": (8, 20, 33),
            "window": CONVOLUTIONS,
            "padding": PADDINGS,
            "activation": FUSED,
        },
        window_fits,
    ),
    Row(
        "chain_cascade",
        12,
        between_convolutions(conv_2d, before=(3, 3), behind=(3, 3)),
        {
            "dtype": BOTH,
            "ifm": ((40, 40, 16), (64, 20, 8)),
            "depth": (16, 24),
            "window": (Window((3, 3)), Window((3, 3), (2, 2)), Window((5, 1))),
            "padding": ("same",),
        },
        window_fits,
    ),
    Row(
        "chain_depthwise",
        20,
        between_convolutions(depthwise_conv_2d),
        {"dtype": BOTH, "ifm": IMAGES[1:], "window": CONVOLUTIONS, "padding": PADDINGS},
        window_fits,
    ),
    Row(
        "chain_transpose_conv",
        10,
        between_convolutions(transpose_conv),
        {
            "dtype": BOTH,
            "ifm": ((5, 4, 3), (6, 7, 9), (4, 4, 17)),
            "depth": (7, 18),
            "window": TRANSPOSED,
            "padding": PADDINGS,
        },
    ),
    *(
        Row(
            f"chain_{name}",
            10,
            between_convolutions(pool_2d),
            {
                "builtin": (name.upper(),),
                "dtype": BOTH,
                "ifm": IMAGES[1:],
                "window": POOLS,
                "padding": PADDINGS,
            },
            window_fits,
        )
        for name in ("max_pool_2d", "average_pool_2d")
    ),
    *(
        Row(
            f"chain_{name}",
            8,
            between_convolutions(binary),
            {
                "builtin": (name.upper(),),
                "dtype": BOTH,
                "shapes": BROADCASTS[:5],
                "activation": ("none", "relu"),
            },
        )
        for name in ("add", "sub", "mul")
    ),
    *(
        Row(
            f"chain_{name}",
            6,
            between_convolutions(unary),
            {"builtin": (name.upper(),), "dtype": BOTH, "ifm": ((1, 7, 6, 19), (1, 8, 8, 16))},
        )
        for name in ("logistic", "tanh", "relu6")
    ),
    Row(
        "chain_concatenation",
        8,
        between_convolutions(concatenation),
        {
            "dtype": BOTH,
            "ifm": ((1, 6, 5, 18), (1, 8, 4, 16)),
            "axis": (1, 2, 3),
            "lengths": ((3, 5), (16, 16), (1, 2, 20)),
        },
    ),
    Row(
        "chain_split",
        8,
        between_convolutions(split),
        {"dtype": BOTH, "ifm": ((1, 6, 4, 18), (1, 8, 2, 32)), "axis": (1, 2, 3), "count": (2,)},
    ),
    Row(
        "chain_pad",
        6,
        between_convolutions(pad, behind=(3, 3)),
        {
            "builtin": ("PAD",),
            "dtype": BOTH,
            "ifm": ((1, 7, 6, 19), (1, 8, 3, 16)),
            "paddings": (((0, 0), (1, 2), (3, 1), (0, 0)), ((0, 0), (1, 0), (0, 1), (2, 1))),
        },
    ),
    Row(
        "chain_resize",
        6,
        between_convolutions(resize, behind=(3, 3)),
        {
            "builtin": ("RESIZE_NEAREST_NEIGHBOR",),
            "dtype": BOTH,
            "ifm": ((5, 4, 3), (7, 9, 8), (4, 3, 20)),
            "factor": (2, 4),
            "corners": ("plain",),
        },
    ),
    Row(
        "chain_mean",
        8,
        between_convolutions(reduce),
        {
            "builtin": ("MEAN",),
            "dtype": BOTH,
            "ifm": ((1, 7, 9, 8), (1, 5, 4, 19)),
            "axes": ((1, 2),),
            "keep": (True,),
            "scales": ("own", "same"),
        },
    ),
)

RECURRENT_ROWS = (
    Row(
        "unidirectional_sequence_lstm",
        12,
        unidirectional_sequence_lstm,
        {
            "steps": (1, 3, 8),
            "depth_in": (5, 16),
            "cells": (4, 20),
            "time_major": (False, True),
            "clip": (0.0, 2.0),
        },
    ),
)

ROWS = (
    *WEIGHTED_ROWS,
    *WINDOWED_ROWS,
    *_binary_rows(),
    *_unary_rows(),
    *MOVEMENT_ROWS,
    *RECURRENT_ROWS,
    *CHAINED_ROWS,
)


@cache
def all_cases(factor: int = 1) -> tuple[Case, ...]:
    """Return the whole corpus, always the same and in the same order.

    Args:
        factor: Take so many times as many networks of each row.
    """
    return tuple(case for row in ROWS for case in row.cases(factor))


def case_named(name: str, factor: int = 1) -> Case:
    """Return the case with this id; KeyError if there is none."""
    return {case.id: case for case in all_cases(factor)}[name]
