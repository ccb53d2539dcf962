# SPDX-License-Identifier: Apache-2.0
"""The accelerator configurations of Ethos-U55 and Ethos-U65, by Vela's names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from ethosu_model.enums import Product
from ethosu_model.errors import ModelError, did_you_mean
from ethosu_model.memory_timing import IDEAL, SystemTiming
from ethosu_model.registers import Reg

if TYPE_CHECKING:
    from ethosu_model.traffic import Traffic


class Revision(NamedTuple):
    """A revision of a product, as ID tells it.

    Attributes:
        name: As ``r2p0-1``: version and status.
        architecture: Architecture version: major, minor, patch.
        version: Version of the product: major, minor.
        status: Its status.
    """

    name: str
    architecture: tuple[int, int, int]
    version: tuple[int, int]
    status: int


class BlockShape(NamedTuple):
    """Size of a block, in elements."""

    height: int
    width: int
    depth: int


@dataclass(frozen=True)
class AcceleratorConfig:
    """One build of the NPU: what the CONFIG and ID registers tell, and the block shapes.

    Attributes:
        name: Vela's name, such as ``ethos-u55-128``.
        product: ``ethos-u55`` or ``ethos-u65``.
        macs: 8-bit multiply-accumulates per cycle, all cores together.
        cores: Number of cores; a core has its own weight stream and SHRAM.
        shram_kib: Shared RAM of one core, in KiB.
        ifm_microblock: Smallest IFM block (Vela's ``ifm_ublock``).
        ofm_microblock: Smallest OFM block (Vela's ``ofm_ublock``); its depth orders the weights.
        revision_name: One of `REVISIONS` of the product; the current one by default.
        memory: How quick the memories at its ports are.
    """

    name: str
    product: str
    macs: int
    cores: int
    shram_kib: int
    ifm_microblock: BlockShape
    ofm_microblock: BlockShape
    revision_name: str = ""
    memory: SystemTiming = IDEAL

    @classmethod
    def parse(cls, name: str, revision: str = "") -> AcceleratorConfig:
        """Return the configuration called ``name``, in the current or a named revision.

        Raises:
            ModelError: There is none; the message gives the nearest name and all of them.
        """
        for config in ACCELERATORS:
            if config.name == name.lower():
                return config.in_revision(revision)
        if name.lower().startswith("ethos-u85"):
            raise ModelError(
                f"'{name}': no Ethos-U55 or Ethos-U65; ethosu_model.u85.config.U85Config has the"
                " Ethos-U85"
            )
        hint = did_you_mean(name, ACCELERATOR_CONFIGS)
        known = ", ".join(ACCELERATOR_CONFIGS)
        raise ModelError(f"unknown NPU configuration '{name}'{hint} (known: {known})")

    def in_revision(self, name: str) -> AcceleratorConfig:
        """Return this configuration in another revision; an empty name is the current one.

        Raises:
            ModelError: The product has no such revision.
        """
        known = [revision.name for revision in REVISIONS[self.architecture]]
        if name and name not in known:
            raise ModelError(
                f"{self.name} has no revision '{name}'{did_you_mean(name, known)}"
                f" (known: {', '.join(known)})"
            )
        return replace(self, revision_name=name)

    @property
    def revision(self) -> Revision:
        """The revision; it changes nothing but ID."""
        revisions = REVISIONS[self.architecture]
        return next((each for each in revisions if each.name == self.revision_name), revisions[0])

    @property
    def architecture(self) -> Product:
        """CONFIG.product."""
        return _PRODUCTS[self.product]

    @property
    def log2_macs(self) -> int:
        """CONFIG.macs_per_cc."""
        return self.macs.bit_length() - 1

    @property
    def address_bits(self) -> int:
        """Width of an AXI address."""
        return 32 if self.architecture is Product.U55 else 40

    @property
    def writes_axi1(self) -> bool:
        """Whether port AXI1 writes; on Ethos-U55 it only reads."""
        return self.architecture is not Product.U55

    @property
    def axi_bytes(self) -> int:
        """Width of an AXI data beat in bytes: 64 bits on Ethos-U55, 128 on the others."""
        return 8 if self.architecture is Product.U55 else 16

    def transfer_cycles(self, moved: Iterable[Traffic]) -> float:
        """Return the estimated cycles of a DMA transfer."""
        return self.memory.transfer(moved, self.axi_bytes)

    @property
    def shram_bytes(self) -> int:
        """Shared RAM of one core, in bytes."""
        return self.shram_kib * 1024

    @property
    def keeps_tables(self) -> bool:
        """Whether accumulators leave SHRAM's tables alone (Vela: it has reserved end banks)."""
        return self.shram_kib > 16

    @property
    def config_register(self) -> int:
        """Value of CONFIG; Vela's ``driver_actions.build_config_word`` makes the same word."""
        return (
            Reg.CONFIG.macs_per_cc.put(self.log2_macs)
            | Reg.CONFIG.shram_size.put(self.cores * self.shram_kib)
            | Reg.CONFIG.product.put(self.architecture)
        )

    @property
    def id_register(self) -> int:
        """Value of ID."""
        revision = self.revision
        major, minor, patch = revision.architecture
        return (
            Reg.ID.arch_major_rev.put(major)
            | Reg.ID.arch_minor_rev.put(minor)
            | Reg.ID.arch_patch_rev.put(patch)
            | Reg.ID.product_major.put(_PRODUCT_MAJOR[self.architecture])
            | Reg.ID.version_major.put(revision.version[0])
            | Reg.ID.version_minor.put(revision.version[1])
            | Reg.ID.version_status.put(revision.status)
        )


_PRODUCTS = {"ethos-u55": Product.U55, "ethos-u65": Product.U65, "ethos-u85": Product.U85}
_PRODUCT_MAJOR = {Product.U55: 4, Product.U65: 6, Product.U85: 7}
# By product, the current one first: the reset values of ID in the headers of Arm's core driver.
# The oldest have the architecture version of Vela's own definitions.
REVISIONS = {
    Product.U55: (
        Revision("r2p0-1", (1, 1, 0), (2, 0), 1),
        Revision("r0p0-0", (1, 0, 6), (0, 0), 0),
    ),
    Product.U65: (
        Revision("r0p0-1", (1, 0, 6), (0, 0), 1),
        Revision("r0p0-0", (1, 0, 6), (0, 0), 0),
    ),
    Product.U85: (Revision("r0p0-1", (2, 0, 0), (0, 0), 1),),
}

# Sources: CONFIG word and microblocks from Vela's architecture_features.accelerator_configs.
ACCELERATORS = (
    AcceleratorConfig(
        "ethos-u55-32", "ethos-u55", 32, 1, 16, BlockShape(1, 1, 8), BlockShape(1, 1, 4)
    ),
    AcceleratorConfig(
        "ethos-u55-64", "ethos-u55", 64, 1, 16, BlockShape(1, 1, 8), BlockShape(1, 1, 8)
    ),
    AcceleratorConfig(
        "ethos-u55-128", "ethos-u55", 128, 1, 24, BlockShape(1, 2, 8), BlockShape(1, 2, 8)
    ),
    AcceleratorConfig(
        "ethos-u55-256", "ethos-u55", 256, 1, 48, BlockShape(2, 2, 8), BlockShape(2, 2, 8)
    ),
    AcceleratorConfig(
        "ethos-u65-256", "ethos-u65", 256, 1, 48, BlockShape(2, 2, 8), BlockShape(2, 2, 8)
    ),
    AcceleratorConfig(
        "ethos-u65-512", "ethos-u65", 512, 2, 48, BlockShape(2, 2, 8), BlockShape(2, 2, 8)
    ),
)

ACCELERATOR_CONFIGS = tuple(config.name for config in ACCELERATORS)
