# SPDX-License-Identifier: Apache-2.0
"""Check before linking that what is certain to be in each memory region fits it.

Certain are the model's command stream, weights and scratch, the samples and labels, whose sizes
Vela and the generated objects give, and the platform's stack. How much code the linker keeps is
known only afterwards: the step measure-size reads it from the image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ethosmith.core.errors import EthosmithError, unknown_name
from ethosmith.core.files import write_json
from ethosmith.core.terminal import human_size
from ethosmith.steps.step import Input, Inputs, Output, Step, step

if TYPE_CHECKING:
    from ethosmith.descriptors.platform import Platform
    from ethosmith.images.elf import Elf

_MODEL_ADVICE = "use another memory_mode, a smaller accelerator config or a smaller model"
_SMALLER_MODEL = "use a smaller model, or another memory_mode"
# Part: the section of the generated objects that holds it, and what to do about it.
_PARTS: Mapping[str, tuple[str | None, str]] = {
    "command_stream": (".model.command_stream", _SMALLER_MODEL),
    "weights": (".model.weights", _SMALLER_MODEL),
    "scratch": (".scratch", _MODEL_ADVICE),
    "scratch_fast": (".scratch_fast", _MODEL_ADVICE),
    "samples": (".samples", "use fewer or shorter samples"),
    "labels": (".labels", "use fewer labels"),
    "stack": (None, "lower stack_bytes in platform.yaml"),
}
GENERATED_PARTS = tuple(name for name, (section, _) in _PARTS.items() if section)
# The linker script aligns begin and end of each part so (Cortex-M55's cache line).
_ALIGNMENT_BYTES = 32


@step(verb="FIT", packages=("pydantic", "pydantic-core", "pyelftools", "pyyaml"))
class CheckFit(Step):
    """Check before linking that model, samples, labels and stack fit their memory regions.

    Attributes:
        platform: the platform.yaml.
        memory_mode: Vela's name of where the model lies, such as ``Shared_Sram``.
        objects: the generated object files, whose sections are measured.
        sizes: bytes by part (``command_stream``, ``weights``, ``scratch``, ``scratch_fast``,
            ``samples``, ``labels``) in place of those of ``objects``.
        output: what goes where, JSON.
    """

    platform: Input
    memory_mode: str
    objects: Inputs = ()
    sizes: Mapping[str, int] | None = None
    output: Output

    def run(self) -> None:
        """Check the fit and write the plan."""
        from ethosmith.descriptors.platform import load_platform
        from ethosmith.images.elf import read_object

        sizes = {**sizes_of_objects(map(read_object, self.objects)), **(self.sizes or {})}
        plans = plan(load_platform(self.platform), self.memory_mode, sizes)
        check_fit(plans)
        write_json(self.output, as_json(plans))


@dataclass(frozen=True)
class Part:
    """Something that will lie in a region."""

    name: str
    size_bytes: int

    @property
    def placed_bytes(self) -> int:
        """What it takes, its end aligned."""
        return -(-self.size_bytes // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES


@dataclass(frozen=True)
class RegionPlan:
    """What is certain to lie in one region."""

    region: str
    size_bytes: int
    parts: tuple[Part, ...]

    @property
    def needed_bytes(self) -> int:
        """The sum of the parts as they are placed."""
        return sum(part.placed_bytes for part in self.parts)

    @property
    def too_many_bytes(self) -> int:
        """By how much the parts do not fit; 0 if they do."""
        return max(0, self.needed_bytes - self.size_bytes)


def plan(platform: Platform, memory_mode: str, sizes: Mapping[str, int]) -> tuple[RegionPlan, ...]:
    """Return what lies in each of the platform's regions.

    Args:
        platform: gives the regions, the placement and the stack.
        memory_mode: Vela's name of the mode.
        sizes: bytes of each of `GENERATED_PARTS`; one that is not named has none.

    Raises:
        EthosmithError: an unknown memory mode or part, or a negative size.
    """
    _check_sizes(sizes)
    known = {**sizes, "stack": platform.stack_bytes}
    parts: dict[str, list[Part]] = {region.name: [] for region in platform.regions}
    for name, region in _places(platform, memory_mode):
        if known.get(name):
            parts[region].append(Part(name, known[name]))
    return tuple(
        RegionPlan(region.name, region.size_bytes, tuple(parts[region.name]))
        for region in platform.regions
    )


def _check_sizes(sizes: Mapping[str, int]) -> None:
    for name, size_bytes in sizes.items():
        if name not in GENERATED_PARTS:
            raise EthosmithError(unknown_name("part of an image", name, GENERATED_PARTS))
        if size_bytes < 0:
            raise EthosmithError(f"{name}: {size_bytes} bytes; a size is not negative")


def _places(platform: Platform, memory_mode: str) -> Iterable[tuple[str, str]]:
    """Yield each part with its region, twice if it is loaded in one and used in another."""
    mode = platform.memory_mode(memory_mode)
    for name, model_part in (("command_stream", mode.command_stream), ("weights", mode.weights)):
        yield name, model_part.region
        if model_part.loaded_from != model_part.region:
            yield name, model_part.loaded_from
    yield "scratch", mode.scratch.region
    yield "scratch_fast", mode.scratch_fast.region
    yield "samples", platform.placement.samples
    yield "labels", platform.placement.labels
    yield "stack", platform.placement.stack


def check_fit(plans: Sequence[RegionPlan]) -> None:
    """Raise an `EthosmithError` that names each region that is too small, and by how much."""
    problems = [_problem(item) for item in plans if item.too_many_bytes]
    if problems:
        raise EthosmithError("; ".join(problems))


def _problem(item: RegionPlan) -> str:
    by_size = sorted(item.parts, key=lambda part: (-part.size_bytes, part.name))
    parts = ", ".join(f"{part.name} {human_size(part.size_bytes)}" for part in by_size)
    _, advice = _PARTS[by_size[0].name]
    return (
        f"region {item.region}: needs {human_size(item.needed_bytes)} of "
        f"{human_size(item.size_bytes)} ({item.too_many_bytes:,} bytes too many): {parts}; {advice}"
    )


def sizes_of_objects(objects: Iterable[Elf]) -> dict[str, int]:
    """Return the bytes of each of `GENERATED_PARTS` in generated object files."""
    sizes = dict.fromkeys(GENERATED_PARTS, 0)
    for item in objects:
        for section in item.sections:
            for name in GENERATED_PARTS:
                own = _PARTS[name][0]
                if section.name == own or section.name.startswith(f"{own}."):
                    sizes[name] += section.size_bytes
    return sizes


def as_json(plans: Iterable[RegionPlan]) -> list[dict[str, Any]]:
    """Return the plans as plain data for a JSON file."""
    return [
        {
            "region": item.region,
            "size_bytes": item.size_bytes,
            "needed_bytes": item.needed_bytes,
            "parts": {part.name: part.size_bytes for part in item.parts},
        }
        for item in plans
    ]
