# SPDX-License-Identifier: Apache-2.0
"""The last lines of a build: what was made, where, how full memory is, what the device said."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ethosmith.core.files import read_json
from ethosmith.graph.configuration import Configuration
from ethosmith.verify.verdict import ON_HOST

# `open_board.open_board.NAME`, which would take too long to import here.
_OPEN_BOARD = "open board"
_NPU_COLUMNS = {
    "npu_cycles": "NPU cycles",
    "axi0_rd": "AXI0 rd",
    "axi0_wr": "AXI0 wr",
    "axi1_rd": "AXI1 rd",
    "axi1_wr": "AXI1 wr",
}
_INSTRUCTIONS = "cpu_instructions"
_TEXT_COLUMNS = 3
_WIDTH = 80
_ANSWER, _MIN_ANSWER = "answer", 12


class BuiltImage(NamedTuple):
    """The files of one image that the summary reads."""

    usecase: str
    configuration: Configuration
    axf: str
    usage: str
    verified: str

    @property
    def manifest(self) -> Path:
        """What it was built from, as the step write-manifest writes it."""
        stem = Path(self.axf).with_suffix("")
        return stem.with_name(f"{stem.name}_manifest.json")


def summary_text(images: Sequence[BuiltImage], *, ran: bool, not_booted: str = "") -> str:
    """Return the summary of all images, with the device's answers if they ran.

    Args:
        images: all of them.
        ran: whether they ran, or their NPU's jobs.
        not_booted: why no simulator booted them, if only the jobs ran.
    """
    blocks = [_image_text(image, ran=ran) for image in images]
    if ran and images:
        runs = [_json(image.verified) for image in images]
        notes = dict.fromkeys(
            _note(run["simulator"], run.get("not_booted"), not_booted, is_fast="fast" in run)
            for run in runs
        )
        blocks.append(_verdict(images) + "".join(notes) + _pytorch(runs) + _remarks(images))
    return "\n" + "\n".join(blocks)


def _note(
    simulator: dict[str, str], no_runner: str | None, not_booted: str, *, is_fast: bool
) -> str:
    if no_runner is not None:
        return _filled(
            f"Not booted: {no_runner}. The program's parts for the NPU ran in the NPU model on this"
            " machine, and its other operators in PyTorch; no runner was executed. Cycles are the"
            " model's estimate, AXI figures are data beats."
        )
    if simulator["name"] == ON_HOST:
        return _filled(
            f"Not booted: {not_booted}. Only the NPU's job of each image ran, in the NPU model on"
            " this machine, on inputs that the host computed; answers are the host's own. Cycles"
            " are the model's estimate, AXI figures are data beats."
        )
    name = f"{simulator['name']} {simulator['version']}".strip()
    cycles = "Cycles are as it counts them."
    if simulator["name"] == _OPEN_BOARD:
        cycles = "Cycles are the model's estimate, AXI figures are data beats."
    elif is_fast:
        cycles = "As fvp_fast it counts nothing: there are no cycles, and no budget of them."
    return _filled(f"Ran on: {name}. {cycles}")


def _filled(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_on_hyphens=False) + "\n"


def _verdict(images: Sequence[BuiltImage]) -> str:
    """Say what was compared with which host, and what with expected answers."""
    runs = [_json(image.verified) for image in images]
    samples = [sample for run in runs for sample in run["samples"]]
    judged = sum(sample["judgement"] == "right" for sample in samples)
    unjudged = len(samples) - judged
    counts = [f"{judged} right"] if judged else []
    counts += [f"{unjudged} not judged: no answer expected"] if unjudged else []
    return _filled(f"{comparison_text(runs)} Answers: {', '.join(counts)}.")


def comparison_text(runs: Sequence[dict[str, Any]]) -> str:
    """Say whose outputs the devices' are, and why some could not be compared."""
    oracles = dict.fromkeys(run["oracle"] for run in runs if "not_compared" not in run)
    left = [run for run in runs if "not_compared" in run]
    texts = []
    if oracles:
        all_of = "every other" if left else "every"
        texts.append(
            f"Equal: {all_of} output tensor is that of {' or '.join(oracles)}, byte for byte."
        )
    if left:
        count = sum(len(run["samples"]) for run in left)
        reasons = "; ".join(dict.fromkeys(run["not_compared"] for run in left))
        samples = "sample" if count == 1 else "samples"
        texts.insert(0, f"Not compared: the output tensors of {count} {samples}: {reasons}.")
    return " ".join(texts)


def _pytorch(runs: Sequence[dict[str, Any]]) -> str:
    """Say how far PyTorch's own graphs agree with what the devices gave."""
    found = [run["pytorch"] for run in runs if "pytorch" in run]
    if not found:
        return ""
    elements, different = (sum(one[key] for one in found) for key in ("elements", "different"))
    if not different:
        return _filled(f"PyTorch's quantised graph gives the same {elements:,} elements.")
    largest = max(one["largest"] for one in found)
    return _filled(
        f"PyTorch's quantised graph differs in {different:,} of {elements:,} elements, by at most"
        f" {largest}; it rounds in floating point."
    )


def _remarks(images: Sequence[BuiltImage]) -> str:
    """Return what is to be known about CPU instructions, where they may be shown."""
    simulators = {_json(image.verified)["simulator"]["name"] for image in images}
    if simulators == {ON_HOST} or not any(
        image.configuration.runtime.inference_function for image in images
    ):
        return ""
    images_used = [
        image.configuration.prebuilt_image for image in images if image.configuration.prebuilt_image
    ]
    remarks = dict.fromkeys(
        _filled(f"{r.product}'s runner: {r.remark}") for r in images_used if r.remark
    )
    counted = "CPU instructions are QEMU's count of one inference's call; not cycles.\n"
    return "".join([counted, *remarks])


def _image_text(image: BuiltImage, *, ran: bool) -> str:
    lines = [f"{image.usecase}  {image.configuration.title}", f"  {image.axf}"]
    regions = [region for region in _json(image.usage)["regions"] if region["used_bytes"]]
    lines += _joined([_region_text(region) for region in regions], "   ", _WIDTH - 2)
    if ran:
        lines += _peak(image)
        lines += _answers(image)
    return "\n".join(lines) + "\n"


def _peak(image: BuiltImage) -> list[str]:
    """Say how much of the memory that a ready runner reserves an inference needed."""
    used = _json(image.verified).get("runner_peak_bytes")
    return [f"  {used / 1024:.1f} KiB of what the runner reserves used at the peak"] if used else []


def _region_text(region: dict[str, Any]) -> str:
    used, size = region["used_bytes"], region["size_bytes"]
    return f"{region['region']} {used / 1024:.1f} KiB ({100 * used / size:.1f} %)"


def _joined(words: Iterable[str], separator: str, width: int) -> list[str]:
    """Return indented lines of words, as many in each as fit."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(separator) + len(word) <= width:
            lines[-1] += separator + word
        else:
            lines.append(word)
    return [f"  {line}" for line in lines]


def _answers(image: BuiltImage) -> list[str]:
    """Return a table of the samples; what has no room in it comes in a second one."""
    samples = _json(image.verified)["samples"]
    columns = _NPU_COLUMNS if image.configuration.accelerator else {}
    # Only an NPU that writes over AXI1 counts those beats.
    columns = {key: title for key, title in columns.items() if key in samples[0]["counts"]}
    if any(_INSTRUCTIONS in sample["counts"] for sample in samples):
        columns = {**columns, _INSTRUCTIONS: "CPU instr."}
    texts = [("sample", _ANSWER, "", "score")]
    texts += [(s["name"], s["answer"], s["judgement"], s["score"]) for s in samples]
    numbers = [
        (title, *(f"{s['counts'][key]:,}" for s in samples)) for key, title in columns.items()
    ]
    cycles, others = numbers[:1], numbers[1:]
    lines = list(_table([*_columns(texts), *cycles]))
    if others:
        lines += ["", *_table([[row[0] for row in texts], *others])]
    return lines


def _columns(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _table(columns: Sequence[Sequence[str]]) -> Iterable[str]:
    """Yield the lines of a table: texts to the left, numbers to the right, long answers wrapped."""
    widths = [max(map(len, column)) for column in columns]
    texts = min(_TEXT_COLUMNS, len(columns)) if columns[1][0] == _ANSWER else 1
    room = _WIDTH - sum(widths) - 2 * len(widths)
    if texts > 1 and room < 0:
        widths[1] = max(widths[1] + room, _MIN_ANSWER)
    for row in zip(*columns, strict=True):
        wrapped = textwrap.wrap(row[1], widths[1]) if texts > 1 else []
        first = [row[0], *(wrapped[:1] or [row[1]]), *row[2:]]
        words = [
            word.ljust(width) if column < texts else word.rjust(width)
            for column, (word, width) in enumerate(zip(first, widths, strict=True))
        ]
        yield "  " + "  ".join(words).rstrip()
        yield from (f"  {'':<{widths[0]}}  {line}" for line in wrapped[1:])


def size_text(images: Sequence[BuiltImage]) -> str:
    """Return how full each memory region of each image is."""
    lines = []
    for image in images:
        lines.append(image.axf)
        lines += [
            f"  {region['region']:<6}{region['used_bytes']:>12,} of {region['size_bytes']:>12,}"
            f" bytes  {100 * region['used_bytes'] / region['size_bytes']:6.2f} %"
            for region in _json(image.usage)["regions"]
        ]
    return "\n".join(lines) + "\n"


def size_json(images: Sequence[BuiltImage]) -> str:
    """Return the same as `size_text` for programs."""
    document = {
        "schema": 1,
        "images": [
            {
                "usecase": image.usecase,
                "configuration": image.configuration.title,
                "axf": image.axf,
                "regions": _json(image.usage)["regions"],
            }
            for image in images
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _json(path: str) -> Any:
    return read_json(Path(path))
