# SPDX-License-Identifier: Apache-2.0
"""The units that Ethos-U85's IFM blocks consist of, from Vela's C++ core (ethos_u85.cpp)."""

from __future__ import annotations

from ethosu_model.u85.enums import Microblock

_WIDE_BITS = (128, 256)  # of an IFM block's depth: above each the unit is deeper and smaller

_Unit = tuple[int, int]
# Rows and columns of the units of an IFM block: for up to 128 bits along depth, 256, and more.
_SMALL: tuple[_Unit, _Unit, _Unit] = ((1, 2), (1, 1), (1, 1))
_SQUARE: tuple[_Unit, _Unit, _Unit] = ((2, 2), (1, 2), (1, 1))
_FLAT: tuple[_Unit, _Unit, _Unit] = ((1, 4), (1, 2), (1, 1))
_IFM_UNITS: dict[int, dict[Microblock, tuple[_Unit, _Unit, _Unit]]] = {
    128: {Microblock.U1X2: _SMALL, Microblock.U1X1: _SMALL},
    256: {Microblock.U2X2: _SQUARE, Microblock.U1X2: _SQUARE, Microblock.U1X4: _FLAT},
    512: {Microblock.U2X2: _SQUARE, Microblock.U1X4: _FLAT},
    1024: {
        Microblock.U2X2: ((2, 4), (2, 2), (1, 2)),
        Microblock.U2X4: ((2, 4), (2, 2), (1, 2)),
        Microblock.U1X4: ((2, 4), (1, 4), (1, 2)),
    },
    2048: {
        Microblock.U2X2: ((4, 4), (2, 4), (2, 2)),
        Microblock.U4X4: ((4, 4), (2, 4), (2, 2)),
        Microblock.U1X4: ((4, 4), (2, 4), (1, 4)),
    },
}


def ifm_unit(macs: int, microblock: Microblock, depth_bits: int) -> _Unit:
    """Return rows and columns of the units of an IFM block of ``depth_bits`` along depth."""
    units = _IFM_UNITS[macs].get(microblock, _SMALL)
    return units[sum(depth_bits > limit for limit in _WIDE_BITS)]
