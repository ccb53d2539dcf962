# SPDX-License-Identifier: Apache-2.0
"""The card's binaries hold what objcopy takes from the same image."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosmith.core.errors import EthosmithError
from ethosmith.images.elf import read_image
from ethosmith.steps.command_line import main
from ethosmith.steps.write_sectors import write_sectors
from tests.support.small_image import MAIN, REGIONS, SCRIPT, Linked, link, run

LOADED = {
    "itcm.bin": (".vectors", ".text", ".rodata", ".data"),
    "ddr.bin": (".model.weights", ".samples"),
}


def objcopy(axf: Path, names: tuple[str, ...], output: Path) -> bytes:
    only = [f"--only-section={name}" for name in names]
    command = ("arm-none-eabi-objcopy", "-O", "binary", "--gap-fill=0", *only, axf, output)
    run(*command, cwd=output.parent)
    return output.read_bytes()


@pytest.mark.parametrize("file", sorted(LOADED))
def test_binary_equals_objcopys(small: Linked, tmp_path: Path, file: str) -> None:
    write_sectors(read_image(small.axf), REGIONS, tmp_path / "sectors")
    expected = objcopy(small.axf, LOADED[file], tmp_path / "expected.bin")
    assert (tmp_path / "sectors" / file).read_bytes() == expected


def test_gap_between_sections_is_zeros(small: Linked, tmp_path: Path) -> None:
    write_sectors(read_image(small.axf), REGIONS, tmp_path)
    data = (tmp_path / "ddr.bin").read_bytes()
    assert data[:3] == b"\x01\x02\x03"
    assert data[100:0x1000] == bytes(0x1000 - 100)
    assert data[0x1000:] == b"\xff\xff\xfe\xff" + bytes(96)


def test_image_linked_to_the_alias_gives_the_same_binary(small: Linked, tmp_path: Path) -> None:
    other = link(
        tmp_path / "alias",
        script=SCRIPT.replace("ORIGIN = 0x70000000", "ORIGIN = 0x60000000").replace(
            ".samples 0x70001000", ".samples 0x60001000"
        ),
    )
    write_sectors(read_image(small.axf), REGIONS, tmp_path / "one")
    write_sectors(read_image(other.axf), REGIONS, tmp_path / "two")
    assert (tmp_path / "one/ddr.bin").read_bytes() == (tmp_path / "two/ddr.bin").read_bytes()


def test_region_without_bytes_gives_an_empty_file(tmp_path: Path) -> None:
    code_only = "void reset_handler(void) { for (;;) {} }\n"
    image = link(tmp_path, code_only)
    paths = write_sectors(read_image(image.axf), REGIONS, tmp_path / "sectors")
    assert [path.name for path in paths] == ["itcm.bin", "ddr.bin"]
    assert paths[0].stat().st_size > 0
    assert paths[1].read_bytes() == b""


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        (
            ".away",
            "section .away at load address 0x80000000 (4 bytes) is outside every region of the"
            " platform; place it in one of ITCM (0x00000000), DDR (0x70000000) in the linker"
            " script, or add its region to platform.yaml",
        ),
        (
            ".misplaced",
            "is in DTCM, which the card does not load; give it a load address in one of "
            "ITCM (0x00000000), DDR (0x70000000) (AT> in the linker script)",
        ),
    ],
)
def test_bytes_that_the_card_would_not_load_are_refused(
    tmp_path: Path, section: str, complaint: str
) -> None:
    extra = f'__attribute__((section("{section}"), used)) const int lost = 1;\n'
    image = link(tmp_path, MAIN + extra)
    with pytest.raises(EthosmithError) as raised:
        write_sectors(read_image(image.axf), REGIONS, tmp_path / "sectors")
    assert complaint in str(raised.value)
    assert section in str(raised.value)
    assert not (tmp_path / "sectors").exists()


def test_segment_that_reaches_behind_its_region_is_refused(small: Linked, tmp_path: Path) -> None:
    smaller = (*REGIONS[:-1], REGIONS[-1].replace(size_kib=4))
    with pytest.raises(EthosmithError) as raised:
        write_sectors(read_image(small.axf), smaller, tmp_path)
    assert str(raised.value) == (
        f"{small.axf}: the segment of sections .model.weights, .samples at load address 0x70000000 "
        "(4,196 bytes) extends 100 bytes past the end of DDR (0x70000000, 4,096 bytes); "
        "make it smaller or move it to another region"
    )


def test_overlapping_load_addresses_are_refused(tmp_path: Path) -> None:
    script = SCRIPT.replace(".samples 0x70001000 :", ".samples 0x70002000 : AT(0x70000010)")
    image = link(tmp_path, script=script, options=("-Wl,--no-check-sections",))
    with pytest.raises(EthosmithError) as raised:
        write_sectors(read_image(image.axf), REGIONS, tmp_path)
    message = str(raised.value)
    assert ".samples at load address 0x70000010 (100 bytes) overlaps" in message
    assert ".model.weights at load address 0x70000000" in message
    assert "in DDR" in message


def test_command_line_says_what_is_wrong_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "a.axf"
    text.write_text("not an image")
    options = ["--axf", str(text), "--platform", "platforms/fvp/platform.yaml"]
    assert main(["write-sectors", *options, "--folder", str(tmp_path), "--files"]) == 1
    assert capsys.readouterr().err == (
        f"error: {text}: not an ELF file; give the .axf that the linker wrote\n"
    )


def test_what_the_boards_controller_would_not_load_is_refused(
    small: Linked, tmp_path: Path
) -> None:
    """Its window may be smaller than the region: the rest of the file would be missing."""
    ddr = REGIONS[-1]
    assert ddr.sector is not None
    for card_bytes, fits in ((4196, True), (4195, False)):
        regions = (*REGIONS[:-1], ddr.replace(sector=ddr.sector.replace(card_bytes=card_bytes)))
        if fits:
            write_sectors(read_image(small.axf), regions, tmp_path)
            continue
        with pytest.raises(EthosmithError, match=r"4,196 bytes into DDR, of which the card loads"):
            write_sectors(read_image(small.axf), regions, tmp_path)
