# SPDX-License-Identifier: Apache-2.0
"""What a device refuses on request, though the model could run it."""

from __future__ import annotations

from dataclasses import dataclass

from ethosu_model.enums import ElementwiseMode, PoolingMode
from ethosu_model.faults import CommandFault
from ethosu_model.operands import FeatureMap, Kernel, Padding

_MAX_STRIDE = 3
_MAX_PADDED_AVERAGE = 8
_MAX_NEAR_PADDING = 3
_MAX_FAR_PADDING = 4
_SAME_TYPES = frozenset({ElementwiseMode.MIN, ElementwiseMode.MAX})


@dataclass(frozen=True)
class Checks:
    """Further reasons for a parse error.

    Attributes:
        excluded: Forms of operations that Arm's manual excludes and Vela never makes.
        ordering: Accesses to memory that only a wait would have put in order.
    """

    excluded: bool = False
    ordering: bool = False


NO_CHECKS = Checks()


def check_kernel(kernel: Kernel) -> None:
    """Raise CommandFault for a stride above 3."""
    if max(kernel.stride_x, kernel.stride_y) > _MAX_STRIDE:
        raise CommandFault(
            f"excluded: stride {kernel.stride_y}x{kernel.stride_x}, at most {_MAX_STRIDE}"
        )


def check_pooling(
    mode: PoolingMode, kernel: Kernel, padding: Padding, ifm: FeatureMap, ofm: FeatureMap
) -> None:
    """Raise CommandFault for a padded average, or types of MAX, that the manual excludes.

    AVERAGE into other types is not among them: Vela widens 8 bits to 32 with it.
    """
    if mode is PoolingMode.MAX and ifm.dtype != ofm.dtype:
        raise CommandFault(f"excluded: {mode.name} pooling from {ifm.dtype} to {ofm.dtype}")
    padded = padding.top or padding.left or padding.bottom or padding.right
    if mode is not PoolingMode.AVERAGE or not padded:
        return
    if max(kernel.height, kernel.width) > _MAX_PADDED_AVERAGE:
        raise CommandFault(
            f"excluded: padded average of {kernel.height}x{kernel.width}, at most"
            f" {_MAX_PADDED_AVERAGE}x{_MAX_PADDED_AVERAGE}"
        )
    near, far = max(padding.top, padding.left), max(padding.bottom, padding.right)
    if near > _MAX_NEAR_PADDING or far > _MAX_FAR_PADDING:
        raise CommandFault(
            f"excluded: padded average with padding {padding}, at most"
            f" {_MAX_NEAR_PADDING} above and left, {_MAX_FAR_PADDING} below and right"
        )


def check_elementwise(mode: ElementwiseMode, ifm: FeatureMap, ofm: FeatureMap) -> None:
    """Raise CommandFault for MIN and MAX of one type into another."""
    if mode in _SAME_TYPES and ifm.dtype != ofm.dtype:
        raise CommandFault(f"excluded: {mode.name} from {ifm.dtype} to {ofm.dtype}")
