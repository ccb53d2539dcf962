# SPDX-License-Identifier: Apache-2.0
"""`scons new`: make usecases/NAME, complete and ready to run, and never touch what is there."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from ethosmith.core.errors import EthosmithError, unknown_name
from ethosmith.core.files import UNFINISHED_PREFIX, write_text
from ethosmith.descriptors.reference import schema_files, schema_line
from ethosmith.descriptors.usecase import UseCase
from ethosmith.descriptors.words import check_new_name
from ethosmith.graph.build_lock import swept
from ethosmith.graph.listing import TEMPLATES
from ethosmith.graph.own_files import files_as_samples, labels_of_file
from ethosmith.graph.project import Project
from ethosmith.scaffold.templates import (
    Filling,
    OwnSample,
    copy_usecase,
    fill_template,
    read_network,
)
from ethosmith.steps.step import Step, step

_PYTORCH = "pytorch"


@step(verb="NEW", cacheable=False)
class NewUseCase(Step):
    """Make usecases/NAME from a template or from another use case.

    Attributes:
        usecase: the name.
        root: the project.
        template: what it starts from: image, audio, vector or pytorch.
        like: a use case to copy instead.
        model: .keras, .h5, a SavedModel or .tflite.
        labels: a file, one a line.
        samples: a folder of files.
    """

    usecase: str
    root: Path = Path()
    template: str = ""
    like: str = ""
    model: Path | None = None
    labels: Path | None = None
    samples: Path | None = None

    def run(self) -> None:
        """Make the folder and list its files.

        Raises:
            EthosmithError: a bad name, a name or folder that exists, or options that do not fit.
        """
        made = self.make()
        program = "./scons" if (self.root / "scons").is_file() else "scons"
        lines = ["", *(f"  {path}" for path in made), ""]
        lines.append(f"It runs as it is:  {program} usecase={self.usecase}")
        sys.stdout.write("\n".join(lines) + "\n")

    def make(self) -> list[str]:
        """Make the folder and return the paths of its files, relative to the project."""
        project = Project(self.root)
        check_new_name(self.usecase)
        folder = project.root / "usecases" / self.usecase
        if self.usecase in project.own_usecase_names or folder.exists():
            raise EthosmithError(
                f"there is a use case '{self.usecase}' already; nothing was changed (see scons"
                " list)"
            )
        folder.parent.mkdir(exist_ok=True)
        with (
            swept(folder.parent),
            tempfile.TemporaryDirectory(prefix=UNFINISHED_PREFIX, dir=folder.parent) as beside,
        ):
            made = Path(beside) / self.usecase
            _fill(project, self, made)
            # Its checks are those of every build.
            project.read_usecase(made / "usecase.yaml")
            made.rename(folder)
        _add_schemas(project)
        return sorted(_shown(project, path) for path in folder.rglob("*") if path.is_file())


def _fill(project: Project, given: NewUseCase, folder: Path) -> None:
    line = schema_line(UseCase, Path("usecases/NAME/usecase.yaml"), Path("schemas"))
    if given.like:
        if given.model or given.labels or given.samples:
            raise EthosmithError(
                f"like={given.like} takes its model, labels and samples as well; with model=,"
                f" labels= or samples= say template= ({', '.join(TEMPLATES)}) instead"
            )
        like = project.usecase(given.like)
        source = project.root / like.folder
        copy_usecase(like.descriptor, source, given.usecase, line, folder)
        return
    if given.template not in TEMPLATES:
        raise EthosmithError(unknown_name("value of template=", given.template, TEMPLATES))
    fill_template(given.template, _filling(given, line), folder)


def _filling(given: NewUseCase, line: str) -> Filling:
    root = given.root
    labels = labels_of_file(root / given.labels, given.labels) if given.labels else ()
    samples: list[OwnSample] = []
    if given.samples:
        who = f"template={given.template}"
        formats = TEMPLATES[given.template].formats
        for sample in files_as_samples(root / given.samples, given.samples, who, formats):
            file = root / given.samples / sample.file_name
            samples.append(OwnSample(sample.name, file, str(sample.format)))
    if given.model and given.template == _PYTORCH:
        raise EthosmithError(
            f"template={_PYTORCH} comes with a network of its own; leave out model=, and replace"
            f" usecases/{given.usecase}/model/network.py by yours"
        )
    network = read_network(root / given.model) if given.model else None
    return Filling(given.usecase, line, network, labels, samples)


def _add_schemas(project: Project) -> None:
    """Give a project that uses Ethosmith as a package the schemas that the new file names."""
    for name, text in schema_files():
        path = project.root / "schemas" / name
        if not path.exists():
            write_text(path, text)


def _shown(project: Project, path: Path) -> str:
    return path.relative_to(project.root).as_posix()
