# SPDX-License-Identifier: Apache-2.0
"""The key ``accuracy:`` of a usecase.yaml: what it is measured on, how, and its limits."""

from __future__ import annotations

from typing import Annotated, Literal

from ethosmith.descriptors.base import Strict
from ethosmith.descriptors.origin import Origin
from ethosmith.descriptors.words import (
    LOWER_IS_BETTER,
    PROGRAM,
    Label,
    Limits,
    RelativePath,
    SampleFormat,
    SampleName,
)

Metric = Literal["top1", "word_error_rate", "auc"]
Paragraph = Annotated[str, Limits(min_length=1, max_length=600)]
Drop = Annotated[float, Limits(ge=0)]
Program = Annotated[str, Limits(pattern=PROGRAM)]


class EvaluationItem(Strict):
    """One labelled file that is measured on, but not baked into the image.

    Attributes:
        name: in the results.
        source: the file.
        format: how its bytes are read; as of a sample.
        expect: the right answer.
    """

    name: SampleName
    source: Origin
    format: SampleFormat
    expect: Label


class GeneratedItems(Strict):
    """A script of the use case that makes labelled items, the same for the same seed.

    Attributes:
        script: called as `python SCRIPT --seed N --count N --given FOLDER --output FOLDER`; see
            docs/accuracy.md. The Python files beside it belong to it.
        seed: what it draws from.
        count: how many items it makes.
        programs: what it calls; another version of one makes the items anew.
    """

    script: RelativePath
    seed: Annotated[int, Limits(ge=0)]
    count: Annotated[int, Limits(ge=1, le=100_000)]
    programs: tuple[Program, ...] = ()


class MaxDrop(Strict):
    """By how much a column may be worse than the one before it, in the metric's own unit.

    Attributes:
        int8: the int8 network behind the float network.
        device: the device behind the int8 network.
    """

    int8: Drop | None = None
    device: Drop | None = None


class Accuracy(Strict):
    """How right the answers are: of the float network, the int8 network, and the device.

    The evaluation set is all that `samples`, `items`, `path` and `generate` name together.

    Attributes:
        metric: `top1`, the part of the answers that are right; `word_error_rate`, word errors
            over words wanted; `auc`, the chance that an item of the second of `classes` scores
            above one of the first.
        classes: for `auc` only: the label with the low scores, then the one with the high ones.
        samples: measure on the use case's own samples, those that expect an answer.
        items: further files, each with its label.
        path: folder with a sub-folder for each label, or with a labels.csv.
        generate: a script that makes items.
        minimum: the device's least value, where more is better.
        maximum: the device's largest value, where less is better.
        max_drop: the largest losses from column to column.
        public_set: which larger set there is, and how to measure on it; printed below the table.
    """

    metric: Metric
    classes: Annotated[tuple[Label, ...], Limits(min_length=2, max_length=2)] | None = None
    samples: bool = False
    items: tuple[EvaluationItem, ...] = ()
    path: RelativePath | None = None
    generate: GeneratedItems | None = None
    minimum: float | None = None
    maximum: float | None = None
    max_drop: MaxDrop = MaxDrop()
    public_set: Paragraph | None = None

    def __post_init__(self) -> None:
        if not (self.samples or self.items or self.path or self.generate):
            raise ValueError("name an evaluation set: 'samples: true', items, path or generate")
        if (self.metric == "auc") != (self.classes is not None):
            raise ValueError("'classes: [LOW, HIGH]' and the metric auc need each other")
        if self.classes is not None and self.classes[0] == self.classes[1]:
            raise ValueError("the two classes must differ")

    @property
    def limit(self) -> tuple[str, float | None]:
        """The name of the metric's own limit, and its value."""
        if self.metric in LOWER_IS_BETTER:
            return "maximum", self.maximum
        return "minimum", self.minimum
