# SPDX-License-Identifier: Apache-2.0
"""What a descriptor says of a network file: name, input shape, number of outputs."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.terminal import captured_output
from ethosmith.descriptors.names import near_name
from ethosmith.graph.listing import TEMPLATES
from ethosmith.models.input_shape import input_shapes
from ethosmith.models.keras_file import TFLITE_SUFFIX, output_shapes
from ethosmith.models.tflite_rewrite import given_spec


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
