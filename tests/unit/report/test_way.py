# SPDX-License-Identifier: Apache-2.0
"""The drawing keeps the order of the steps and shows no arrow that others imply."""

from __future__ import annotations

from typing import Any

from ethosmith.report.pipeline import Drawing, draw, read_steps


def _step(verb: str, name: str, *needs: int) -> dict[str, Any]:
    return {
        "verb": verb,
        "name": f"build/{name}",
        "command": f"make {name}",
        "inputs": [],
        "outputs": [f"build/{name}"],
        "needs": list(needs),
    }


_STEPS = [
    _step("OBTAIN", "net.h5"),
    _step("OBTAIN", "yes.wav"),
    _step("OBTAIN", "no.wav"),
    _step("SAMPLE", "yes.bin", 1),
    _step("SAMPLE", "no.bin", 2),
    _step("GENERATE", "labels.c"),
    _step("QUANTISE", "net.tflite", 0, 3, 4),
    _step("LINK", "net.axf", 5, 6, 0),
]


def _drawn() -> Drawing:
    return draw(read_steps(_STEPS))


def _named(drawing: Drawing) -> dict[str, set[str]]:
    names = [f"{box.step.verb} {box.step.name}" for box in drawing.boxes]
    return {
        name: {names[need] for need in box.step.needs}
        for name, box in zip(names, drawing.boxes, strict=True)
    }


def test_steps_alike_are_joined_and_keep_all_their_commands() -> None:
    drawing = _drawn()
    joined = next(box.step for box in drawing.boxes if box.step.name == "yes.bin and 1 more")
    assert joined.commands == ("make yes.bin", "make no.bin")
    assert joined.outputs == ("build/yes.bin", "build/no.bin")


def test_arrows_are_the_needs_that_no_other_implies() -> None:
    assert _named(_drawn()) == {
        "OBTAIN net.h5": set(),
        "OBTAIN yes.wav and 1 more": set(),
        "GENERATE labels.c": set(),
        "SAMPLE yes.bin and 1 more": {"OBTAIN yes.wav and 1 more"},
        "QUANTISE net.tflite": {"OBTAIN net.h5", "SAMPLE yes.bin and 1 more"},
        "LINK net.axf": {"GENERATE labels.c", "QUANTISE net.tflite"},
    }


def test_every_arrow_goes_down_and_no_boxes_overlap() -> None:
    boxes = _drawn().boxes
    assert all(boxes[need].y < box.y for box in boxes for need in box.step.needs)
    assert len({(box.x, box.y) for box in boxes}) == len(boxes)
