# SPDX-License-Identifier: Apache-2.0
"""TensorFlow as a build step uses it: silent, on the CPU, the same bytes for the same input."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ethosmith.core.terminal import captured_output

_ENVIRONMENT = {
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
}


@contextmanager
def repeatable_tensorflow() -> Iterator[Callable[[], str]]:
    """Import TensorFlow for the block; yield a function that returns what it said so far."""
    os.environ.update(_ENVIRONMENT)
    with captured_output() as said:
        import tensorflow as tf  # noqa: PLC0415 takes seconds

        # Another number of threads sums in another order; the bytes would differ.
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        yield said
