# SPDX-License-Identifier: Apache-2.0
"""platform.h: the platform's addresses, sizes and NPU settings for the firmware."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ethosmith.core.files import write_text
from ethosmith.steps.step import Input, Output, Step, step

if TYPE_CHECKING:
    from ethosmith.descriptors.memory import MemoryRegion
    from ethosmith.descriptors.platform import Platform
    from ethosu_model.config import AcceleratorConfig

Macro = tuple[str, str]


@step(verb="GENERATE", packages=("pydantic", "pydantic-core", "pyyaml"))
class GeneratePlatformHeader(Step):
    """Generate platform.h: the platform's addresses, sizes and NPU settings for the firmware.

    Attributes:
        platform: the platform.yaml.
        memory_mode: Vela's name of where the model lies, such as ``Shared_Sram``.
        accelerator_config: the board's NPU, such as ``ethos-u55-128``.
        system_config: Vela's, which chooses the settings of the timing adapters; empty: none.
        output: the header.
    """

    platform: Input
    memory_mode: str
    accelerator_config: str
    system_config: str = ""
    output: Output

    def run(self) -> None:
        """Read the platform and write the header."""
        from ethosmith.descriptors.platform import load_platform

        platform = load_platform(self.platform)
        text = platform_header(
            platform, self.memory_mode, self.accelerator_config, self.system_config
        )
        write_text(self.output, text)


def platform_header(
    platform: Platform, memory_mode: str, accelerator_config: str, system_config: str = ""
) -> str:
    """Return the text of platform.h.

    Args:
        platform: its addresses and sizes.
        memory_mode: where the model lies.
        accelerator_config: the NPU.
        system_config: Vela's, which chooses the settings of the timing adapters; empty: none.

    Raises:
        EthosmithError: the platform does not have the memory mode or the NPU
            configuration, or the two do not go together.
    """
    from ethosmith.core.accelerators import parse_accelerator

    platform.check_combination(accelerator_config, memory_mode)
    macros = [
        *_board_macros(platform),
        *_npu_macros(platform, parse_accelerator(accelerator_config)),
        *_mode_macros(platform, memory_mode),
        *_window_macros(platform),
        *_partition_macros(platform, memory_mode),
    ]
    lines = [f"#define {name} {value}" for name, value in macros]
    tables = [*_region_table(platform.regions), "", *_timing(platform, system_config, memory_mode)]
    return "\n".join([*_HEAD, *lines, "", *tables, "", "#endif", ""])


_LINE_ENDS = {"lf": r'"\n"', "crlf": r'"\r\n"'}

_HEAD = (
    "// Generated from the platform description.",
    "#ifndef PLATFORM_H",
    "#define PLATFORM_H",
    "",
)


def _board_macros(platform: Platform) -> list[Macro]:
    return [
        ("PLATFORM_NAME", _text(platform.name)),
        ("PLATFORM_CLOCK_HZ", _number(platform.cpu.clock_hz)),
        ("PLATFORM_STACK_BYTES", _number(platform.stack_bytes)),
        ("PLATFORM_UART_ADDRESS", _address(platform.uart.address)),
        ("PLATFORM_UART_CLOCK_HZ", _number(platform.uart.clock_hz)),
        ("PLATFORM_UART_BAUD", _number(platform.uart.baud)),
        ("PLATFORM_UART_LINE_END", _LINE_ENDS[platform.uart.line_end]),
    ]


def _npu_macros(platform: Platform, accelerator: AcceleratorConfig) -> list[Macro]:
    npu, axi = platform.npu, platform.product_of(accelerator.name).axi
    return [
        ("PLATFORM_NPU_ADDRESS", _address(npu.address)),
        ("PLATFORM_NPU_IRQ", str(npu.irq)),
        ("PLATFORM_NPU_TIMEOUT_MS", _number(npu.timeout_ms)),
        ("PLATFORM_NPU_CONFIG", _text(accelerator.name)),
        ("PLATFORM_NPU_MACS", _number(accelerator.macs)),
        ("PLATFORM_NPU_AXI1_WRITES", _number(int(accelerator.writes_axi1))),
        ("PLATFORM_NPU_MAX_BEATS_BYTES", _number(axi.max_beats_bytes)),
        ("PLATFORM_NPU_MAX_OUTSTANDING_READS", _number(axi.max_outstanding_reads)),
        ("PLATFORM_NPU_MAX_OUTSTANDING_WRITES", _number(axi.max_outstanding_writes)),
    ]


def _mode_macros(platform: Platform, memory_mode: str) -> list[Macro]:
    mode = platform.memory_mode(memory_mode)
    limits = [
        (f"PLATFORM_{key.upper()}_AXI_LIMIT", _number(part.axi_limit))
        for key, part in mode.parts.items()
    ]
    return [("PLATFORM_MEMORY_MODE", _text(mode.name)), *limits]


def _window_macros(platform: Platform) -> list[Macro]:
    if platform.windows is None:
        return []
    return [
        macro
        for name, window in (("INPUT", platform.windows.input), ("OUTPUT", platform.windows.output))
        for macro in (
            (f"PLATFORM_{name}_WINDOW_ADDRESS", _address(window.address)),
            (f"PLATFORM_{name}_WINDOW_BYTES", f"{window.size_bytes:#010x}u"),
        )
    ]


def _partition_macros(platform: Platform, memory_mode: str) -> list[Macro]:
    place = platform.partition_place(memory_mode)
    if place is None:
        return []
    return [
        ("PLATFORM_MODEL_PARTITION_ADDRESS", _address(place.address)),
        ("PLATFORM_MODEL_PARTITION_BYTES", f"{place.size_bytes:#010x}u"),
    ]


def _region_table(regions: tuple[MemoryRegion, ...]) -> list[str]:
    rows = [
        f"    X({_text(region.name)}, {_address(region.address)}, {region.size_bytes:#010x}u, "
        f"{int(region.npu)})"
        for region in regions
    ]
    return [
        "// X(name, address, bytes, whether the NPU reaches it)",
        "#define PLATFORM_MEMORY_REGIONS(X) \\",
        " \\\n".join(rows),
    ]


def _timing(platform: Platform, system_config: str, memory_mode: str) -> list[str]:
    adapters = platform.timing_adapters
    settings = adapters.settings(system_config, memory_mode) if adapters else ()
    rows = [
        f"    X({_address(address)}, {', '.join(_number(value) for value in adapter.values)})"
        for address, adapter in settings
    ]
    from ethosmith.descriptors.npu import TimingAdapter

    names = TimingAdapter.key_names()
    return [
        f"// X(address, {', '.join(names)})",
        f"#define PLATFORM_TIMING_ADAPTER_REGISTERS {len(names)}",
        " \\\n".join(["#define PLATFORM_TIMING_ADAPTERS(X)", *rows]),
    ]


def _address(value: int) -> str:
    return f"{value:#010x}u"


def _number(value: int) -> str:
    return f"{value}u"


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
