# SPDX-License-Identifier: Apache-2.0
"""The two AXI ports: transfers, and their faults told by port and channel."""

from __future__ import annotations

from ethosu_model.faults import AxiChannel, AxiPort, TransferFault
from ethosu_model.memory import BusFault, Memory


class Bus:
    """Memory behind the AXI ports; turns bus faults into the job's faults."""

    def __init__(self, memory: Memory, address_bits: int) -> None:
        self._memory = memory
        self._limit = 1 << address_bits

    def read(self, address: int, size_bytes: int, port: AxiPort, channel: AxiChannel) -> bytes:
        """Return ``size_bytes`` bytes.

        Raises:
            TransferFault: Part of the range is no memory, or beyond the bus's addresses.
        """
        try:
            if address < 0 or address + size_bytes > self._limit:
                raise BusFault(address % self._limit)
            return self._memory.read(address, size_bytes)
        except BusFault as cause:
            raise TransferFault(port, channel, cause) from cause

    def write(self, address: int, data: bytes, port: AxiPort, channel: AxiChannel) -> None:
        """Store ``data``.

        Raises:
            TransferFault: As for ``read``.
        """
        try:
            if address < 0 or address + len(data) > self._limit:
                raise BusFault(address % self._limit)
            self._memory.write(address, data)
        except BusFault as cause:
            raise TransferFault(port, channel, cause) from cause
