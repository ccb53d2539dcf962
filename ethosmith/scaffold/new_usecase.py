# SPDX-License-Identifier: Apache-2.0
"""`scons new`: make usecases/NAME, complete and ready to run, and never touch what is there."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import write_text
from ethosmith.core.nearest import unknown_name
from ethosmith.core.program import run_step
from ethosmith.descriptors.names import check_new_name
from ethosmith.descriptors.reference import schema_files, schema_line
from ethosmith.descriptors.usecase import UseCase
from ethosmith.graph.listing import TEMPLATES
from ethosmith.graph.own_files import files_as_samples, labels_of_file
from ethosmith.graph.project import Project
from ethosmith.scaffold.network import read_network
from ethosmith.scaffold.templates import Filling, OwnSample, copy_usecase, fill_template


def new_usecase(given: argparse.Namespace) -> list[str]:
    """Make the folder and return the paths of its files, relative to the project.

    Raises:
        EthosmithError: a bad name, a name or folder that exists, or options that do not fit.
    """
    project = Project(given.root)
    check_new_name(given.name)
    folder = project.root / "usecases" / given.name
    if given.name in project.own_usecase_names or folder.exists():
        raise EthosmithError(
            f"there is a use case '{given.name}' already; nothing was changed (see scons list)"
        )
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder.parent) as beside:
        made = Path(beside) / given.name
        _fill(project, given, made)
        # Its checks are those of every build.
        project.read_usecase(made / "usecase.yaml")
        made.rename(folder)
    _add_schemas(project)
    return sorted(_shown(project, path) for path in folder.rglob("*") if path.is_file())


def _fill(project: Project, given: argparse.Namespace, folder: Path) -> None:
    line = schema_line(UseCase, Path("usecases/NAME/usecase.yaml"), Path("schemas"))
    if given.like:
        if given.model or given.labels or given.samples:
            raise EthosmithError(
                f"like={given.like} takes its model, labels and samples as well; with model=,"
                f" labels= or samples= say template= ({', '.join(TEMPLATES)}) instead"
            )
        like = project.usecase(given.like)
        source = project.root / like.folder
        copy_usecase(like.descriptor, source, given.name, line, folder)
        return
    if given.template not in TEMPLATES:
        raise EthosmithError(unknown_name("value of template=", given.template, TEMPLATES))
    fill_template(given.template, _filling(given, line), folder)


def _filling(given: argparse.Namespace, line: str) -> Filling:
    root: Path = given.root
    labels = labels_of_file(root / given.labels, given.labels) if given.labels else ()
    samples: list[OwnSample] = []
    if given.samples:
        who = f"template={given.template}"
        formats = TEMPLATES[given.template].formats
        for sample in files_as_samples(root / given.samples, given.samples, who, formats):
            file = root / given.samples / sample.file_name
            samples.append(OwnSample(sample.name, file, str(sample.format)))
    network = read_network(root / given.model) if given.model else None
    return Filling(given.name, line, network, labels, samples)


def _add_schemas(project: Project) -> None:
    """Give a project that uses Ethosmith as a package the schemas that the new file names."""
    for name, text in schema_files():
        path = project.root / "schemas" / name
        if not path.exists():
            write_text(path, text)


def _shown(project: Project, path: Path) -> str:
    return path.relative_to(project.root).as_posix()


def main(argv: Sequence[str]) -> None:
    """Command line of this step."""
    parser = argparse.ArgumentParser(prog="python -m ethosmith.scaffold.new_usecase")
    parser.add_argument("--root", type=Path, default=Path(), help="the project")
    parser.add_argument("--name", required=True, help="of the new use case")
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--template", help=", ".join(TEMPLATES))
    kind.add_argument("--like", help="a use case to copy")
    parser.add_argument("--model", type=Path, help=".keras, .h5, SavedModel or .tflite")
    parser.add_argument("--labels", type=Path, help="one a line")
    parser.add_argument("--samples", type=Path, help="a folder of files")
    given = parser.parse_args(argv)
    made = new_usecase(given)
    program = "./scons" if (given.root / "scons").is_file() else "scons"
    lines = ["", *(f"  {path}" for path in made), ""]
    lines.append(f"It runs as it is:  {program} usecase={given.name}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(run_step(main))
