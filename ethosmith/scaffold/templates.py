# SPDX-License-Identifier: Apache-2.0
"""Fill a new folder from a template, for the user's own network, or with a copy of a use case."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import TFLITE_SUFFIX, read_text, write_text
from ethosmith.core.terminal import captured_output
from ethosmith.descriptors.usecase import UseCase
from ethosmith.descriptors.words import near_name, title_of
from ethosmith.graph.listing import TEMPLATES
from ethosmith.installation import DESCRIPTOR_ROOT
from ethosmith.lib.templates import rendered
from ethosmith.models.input_shape import input_shapes
from ethosmith.models.keras_file import output_shapes
from ethosmith.models.tflite_rewrite import given_spec

_FOLDER = DESCRIPTOR_ROOT / "templates"
_MAX_LABELS = 1024


@dataclass(frozen=True)
class Network:
    """A network of the user's.

    Attributes:
        name: a valid name, near to the file's.
        file: where it is.
        shape: of its one input, without the batch.
        output_count: elements of its first output.
    """

    name: str
    file: Path
    shape: tuple[int, ...]
    output_count: int

    @property
    def path(self) -> str:
        """Where the new folder has it."""
        return f"model/{self.name}{self.file.suffix.lower()}"

    @property
    def input_count(self) -> int:
        """Elements of its input."""
        return prod(self.shape)


def read_network(file: Path) -> Network:
    """Read what a descriptor says of ``file``.

    Raises:
        EthosmithError: there is no such file, it is no network, or it has several inputs.
    """
    if not file.exists():
        raise EthosmithError(f"model={file}: there is no such file")
    with captured_output():
        shapes, outputs = input_shapes(file), _output_shapes(file)
    if len(shapes) != 1:
        raise EthosmithError(f"{file}: has {len(shapes)} inputs; the templates fill one")
    return Network(
        name=near_name(file.stem, "network"),
        file=file,
        shape=shapes[0][1:],
        output_count=prod(outputs[0][1:]),
    )


def _output_shapes(file: Path) -> list[tuple[int, ...]]:
    if file.suffix.lower() == TFLITE_SUFFIX:
        return [spec.shape for spec in given_spec(file).outputs]
    return output_shapes(file)


def check_fits(template: str, network: Network) -> None:
    """Check that the template's pre-processing can fill the network's input.

    Raises:
        EthosmithError: with what it fills.
    """
    shape = network.shape
    fits = {
        "image": len(shape) == 3 and shape[2] in {1, 3},
        "audio": len(shape) == 2 or (len(shape) == 3 and shape[2] == 1),
        "vector": True,
    }
    if not fits[template]:
        sizes = " x ".join(map(str, shape))
        raise EthosmithError(
            f"{network.file}: its input is {sizes}; template={template} fills"
            f" {TEMPLATES[template].fills}, template=vector {TEMPLATES['vector'].fills}"
        )


@dataclass(frozen=True)
class OwnSample:
    """A file of the user's that becomes a sample."""

    name: str
    file: Path
    format: str

    @property
    def path(self) -> str:
        """Where the new folder has it."""
        return f"samples/{self.name}{self.file.suffix.lower()}"


@dataclass(frozen=True)
class Filling:
    """What goes into a template; what is not given is the template's own.

    Attributes:
        name: of the use case.
        schema_line: the line for editors.
        network: the user's.
        labels: in the order of its outputs.
        samples: files that become samples.
    """

    name: str
    schema_line: str
    network: Network | None = None
    labels: tuple[str, ...] = ()
    samples: Sequence[OwnSample] = ()


def fill_template(template: str, filling: Filling, folder: Path) -> None:
    """Write the folder of a new use case.

    Raises:
        EthosmithError: the network's input or outputs do not fit the template or the labels.
    """
    network = filling.network
    if network is not None:
        check_fits(template, network)
    labels = _labels(filling)
    values = {
        "name": filling.name,
        "title": title_of(filling.name),
        "schema_line": filling.schema_line.strip(),
        "network": network,
        "labels": labels,
        "samples": filling.samples,
    }
    for source, target in (
        ("usecase.yaml.j2", "usecase.yaml"),
        ("src/application.cc.j2", f"src/{filling.name}.cc"),
    ):
        text = rendered((_FOLDER,), f"{template}/{source}", values)
        write_text(folder / target, _without_double_lines(text))
    _add_files(template, filling, folder)


def _without_double_lines(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def _labels(filling: Filling) -> tuple[str, ...]:
    network, labels = filling.network, filling.labels
    if network is None:
        return labels
    if labels and len(labels) != network.output_count:
        raise EthosmithError(
            f"{network.file}: has {network.output_count} outputs, and labels= {len(labels)} lines"
        )
    if network.output_count > _MAX_LABELS:
        raise EthosmithError(
            f"{network.file}: {network.output_count} outputs are not classes; start from"
            " like=inference_runner"
        )
    return labels or tuple(f"class_{index}" for index in range(network.output_count))


def _copy_text(template: str, pattern: str, folder: Path) -> None:
    """Copy a template's files as they are."""
    source = _FOLDER / template
    for file in sorted(source.glob(pattern)):
        write_text(folder / file.relative_to(source), read_text(file))


def _add_files(template: str, filling: Filling, folder: Path) -> None:
    network = filling.network
    _copy_text(template, "model/*.py", folder)
    if network is not None:
        (folder / "model").mkdir()
        copy = shutil.copytree if network.file.is_dir() else shutil.copyfile
        copy(network.file, folder / network.path)
    if filling.samples:
        (folder / "samples").mkdir()
        for sample in filling.samples:
            shutil.copyfile(sample.file, folder / sample.path)
    elif network is None:
        _copy_text(template, "samples/*", folder)
    elif template == "vector":
        write_text(folder / "samples" / "ramp.csv", _ramp(network))


def _ramp(network: Network) -> str:
    """Return numbers from -1 to 1, one row of the input's last dimension a line."""
    count = network.input_count
    numbers = [f"{2 * index / max(count - 1, 1) - 1:.4f}" for index in range(count)]
    row = network.shape[-1] if network.shape[-1] > 1 else network.shape[-2:][0]
    lines = [",".join(numbers[first : first + row]) for first in range(0, count, row)]
    return "\n".join(lines) + "\n"


_SCHEMA_LINE = re.compile(r"\A# yaml-language-server: .*\n")
_NAME_LINE = re.compile(r"^name:.*$", re.MULTILINE)
_PATH = re.compile(r"(?:\.\./)+[^\s,\]}\"']+")
_DESCRIPTOR = "usecase.yaml"
_INCLUDED = {".c": "*.h", ".cc": "*.h", ".py": "*.py"}


def copy_usecase(usecase: UseCase, source: Path, name: str, schema_line: str, folder: Path) -> None:
    """Write the folder of a new use case like another one.

    Args:
        usecase: the other's descriptor.
        source: its folder.
        name: the new name.
        schema_line: the line for editors.
        folder: the new folder.
    """
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    text = read_text(source / _DESCRIPTOR, encoding="utf-8-sig")
    text = _NAME_LINE.sub(f"name: {name}", _SCHEMA_LINE.sub("", text), count=1)
    text = _PATH.sub(lambda match: _fetch(source, match[0], folder), text)
    old = f"src/{usecase.name}.cc"
    if old in usecase.sources:
        (folder / old).rename(folder / f"src/{name}.cc")
        text = text.replace(old, f"src/{name}.cc")
    write_text(folder / _DESCRIPTOR, schema_line + text)


def _fetch(source: Path, path: str, folder: Path) -> str:
    """Copy a file of another folder, and what it may include from beside it, into this one."""
    file = source / path
    if not file.is_file():
        return path
    target = folder / file.parent.name
    target.mkdir(exist_ok=True)
    for copied in (file, *file.parent.glob(_INCLUDED.get(file.suffix, file.name))):
        shutil.copyfile(copied, target / copied.name)
    return f"{file.parent.name}/{file.name}"
