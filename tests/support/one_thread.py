# SPDX-License-Identifier: Apache-2.0
"""TensorFlow as the build's steps set it up."""

from __future__ import annotations

from typing import Any


def tensorflow() -> Any:
    """Return TensorFlow, limited to one thread.

    That can be said only before it first computes, so whatever computes in a test's process has
    TensorFlow from here.
    """
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return tf
