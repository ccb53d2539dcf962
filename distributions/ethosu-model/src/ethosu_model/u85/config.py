# SPDX-License-Identifier: Apache-2.0
"""The accelerator configurations of Ethos-U85, by Vela's names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ethosu_model.config import ACCELERATORS, AcceleratorConfig, BlockShape
from ethosu_model.errors import ModelError, did_you_mean
from ethosu_model.u85.channels import transfer_cycles
from ethosu_model.u85.enums import Microblock
from ethosu_model.u85.registers import Reg

if TYPE_CHECKING:
    from ethosu_model.traffic import Traffic

TABLE_RAM_KIB = 2
_COMMAND_STREAM_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class U85Config(AcceleratorConfig):
    """One build of Ethos-U85; its cores are weight decoders, and its SHRAM is the table RAM.

    Attributes:
        microblock_depths: Output channels that a microblock of ACC_FORMAT works on at once.
        log2_sram_ports: Ports to internal memory.
        log2_ext_ports: Ports to external memory.
    """

    microblock_depths: Mapping[Microblock, int]
    log2_sram_ports: int
    log2_ext_ports: int

    @classmethod
    def parse(cls, name: str, revision: str = "") -> U85Config:
        """Return the configuration called ``name``.

        Raises:
            ModelError: There is none; the message gives the nearest name and all of them.
        """
        for config in U85_ACCELERATORS:
            if config.name == name.lower():
                config.in_revision(revision)
                return config
        names = [config.name for config in U85_ACCELERATORS]
        hint = did_you_mean(name, names)
        raise ModelError(f"unknown Ethos-U85 '{name}'{hint} (known: {', '.join(names)})")

    def transfer_cycles(self, moved: Iterable[Traffic]) -> float:
        """Return the estimated cycles of a DMA transfer, which has a channel of its own."""
        return transfer_cycles(self.macs, self.memory, moved)

    @property
    def config_register(self) -> int:
        """Value of CONFIG; Vela's payload carries the same word."""
        return (
            Reg.CONFIG.macs_per_cc.put(self.log2_macs)
            | Reg.CONFIG.cmd_stream_version.put(_COMMAND_STREAM_VERSION)
            | Reg.CONFIG.num_axi_sram.put(self.log2_sram_ports)
            | Reg.CONFIG.num_axi_ext.put(self.log2_ext_ports)
            | Reg.CONFIG.num_wd.put(self.cores.bit_length() - 1)
            | Reg.CONFIG.product.put(self.architecture)
        )


_Size = tuple[int, int, int]


def _build(
    macs: int, decoders: int, depths: dict[Microblock, int], ports: tuple[int, int], unit: _Size
) -> U85Config:
    return U85Config(
        name=f"ethos-u85-{macs}",
        product="ethos-u85",
        macs=macs,
        cores=decoders,
        shram_kib=TABLE_RAM_KIB,
        ifm_microblock=BlockShape(*unit),
        ofm_microblock=BlockShape(*unit),
        microblock_depths=depths,
        log2_sram_ports=ports[0],
        log2_ext_ports=ports[1],
    )


# Source: the accelerator table of Vela's C++ core (ethos_u85.cpp).
_M = Microblock
U85_ACCELERATORS = (
    _build(128, 1, {_M.U1X2: 8, _M.U1X1: 16}, (1, 0), (1, 2, 8)),
    _build(256, 1, {_M.U1X2: 16, _M.U1X4: 8, _M.U2X2: 8}, (1, 0), (2, 2, 8)),
    _build(512, 2, {_M.U2X2: 16, _M.U1X4: 16}, (1, 0), (2, 2, 16)),
    _build(1024, 4, {_M.U2X2: 32, _M.U1X4: 32, _M.U2X4: 16}, (1, 1), (4, 2, 16)),
    _build(2048, 4, {_M.U2X2: 64, _M.U1X4: 64, _M.U4X4: 16}, (2, 1), (4, 4, 16)),
)
ALL_ACCELERATORS: tuple[AcceleratorConfig, ...] = (*ACCELERATORS, *U85_ACCELERATORS)
MICROBLOCK_DEPTHS = {config.name: config.microblock_depths for config in U85_ACCELERATORS}


def parse_accelerator(name: str) -> AcceleratorConfig:
    """Return the configuration called ``name``, of any product.

    Raises:
        ModelError: There is none; the message gives the nearest name and those of the product.
    """
    parse = U85Config.parse if name.lower().startswith("ethos-u85") else AcceleratorConfig.parse
    return parse(name)
