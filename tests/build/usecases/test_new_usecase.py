# SPDX-License-Identifier: Apache-2.0
"""`scons new` makes a use case that runs at once, and never harms one that is there."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from ethosmith.core.errors import EthosmithError
from ethosmith.descriptors.reference import schema_files
from ethosmith.descriptors.usecase import UseCase
from ethosmith.descriptors.yaml_source import read_yaml
from ethosmith.graph.listing import TEMPLATES
from ethosmith.graph.project import Project
from ethosmith.scaffold.new_usecase import NewUseCase
from tests.support.needs import program
from tests.support.networks.dense import dense_network
from tests.support.project_copy import ROOT, ProjectCopy

_NAMES = {"audio": "own_words", "image": "own-pictures", "pytorch": "waves", "vector": "gesture"}
_ANSWERS = {
    "audio": [("yes", "yes"), ("no", "no")],
    "image": [("astronaut", "person"), ("coffee", "no person")],
    "vector": [("still", "negative"), ("swing", "slope")],
}


def _make(name: str, **given: str) -> UseCase:
    NewUseCase.of_spec({"usecase": name, **given}).run()
    return Project(Path()).usecase(name).descriptor


def _is_formatted(source: Path) -> bool:
    style = f"--style=file:{ROOT / '.clang-format'}"
    command = [program("clang-format"), style, "--dry-run", "-Werror", str(source)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """One use case of each template; one of them is made by scons."""
    copy = ProjectCopy.fresh(tmp_path_factory.mktemp("new") / "a project").cached()
    outcome = copy.build("new", f"usecase={_NAMES['vector']}", "template=vector")
    assert f"usecase={_NAMES['vector']}" in outcome.stdout
    with contextlib.chdir(copy.root):
        for template in ("audio", "image", "pytorch"):
            _make(_NAMES[template], template=template)
    return copy


def test_every_template_has_its_answers_here() -> None:
    # Those of the template pytorch are in tests/build/pytorch.
    assert set(TEMPLATES) == set(_NAMES) == {*_ANSWERS, "pytorch"}


@pytest.mark.parametrize(
    "template",
    ["vector", *(pytest.param(name, marks=pytest.mark.slow) for name in ("image", "audio"))],
)
def test_a_template_builds_boots_and_answers_as_it_is(project: ProjectCopy, template: str) -> None:
    name = _NAMES[template]
    left = project.root / "usecases/.unfinished.of-a-killed-new"
    left.mkdir()
    project.build(f"usecase={name}")
    assert not left.exists()
    verified = json.loads(project.read(f"build/fvp/ethos-u55-128-shared_sram/{name}_verified.json"))
    answers = [(sample["name"], sample["answer"]) for sample in verified["samples"]]
    assert answers[: len(_ANSWERS[template])] == _ANSWERS[template]


def test_an_application_logs_on_device_and_host_and_may_have_warnings(project: ProjectCopy) -> None:
    name = _NAMES["vector"]
    source = f"usecases/{name}/src/{name}.cc"
    text = project.read(source)
    start = "    const uint32_t count = tensor_element_count(input->info);\n"
    logged = '    log_line(LOG_WARNING, "%s has %zu bytes", sample->name, sample->size_bytes);\n'
    project.write(source, text.replace(start, f"{start}{logged}    int unused;\n"))
    try:
        said = project.build(f"usecase={name}", "cache=none").text
    finally:
        project.write(source, text)
    assert "warning: unused variable" in said
    device = [line for line in said.splitlines() if line.startswith("log warning: ")]
    assert device == [f"log warning: {sample} has 1536 bytes" for sample in ("still", "swing")]
    assert {f"host: {line}" for line in device} <= set(said.splitlines())


def test_what_is_there_stays_as_it_is(project: ProjectCopy) -> None:
    before = {p: p.read_bytes() for p in (project.root / "usecases").rglob("*") if p.is_file()}
    for name in ("kws", "gesture"):
        outcome = project.scons("new", f"usecase={name}", "template=audio")
        assert outcome.exit_code == 2
        assert f"there is a use case '{name}' already; nothing was changed" in outcome.stderr
    after = {p: p.read_bytes() for p in (project.root / "usecases").rglob("*") if p.is_file()}
    assert after == before


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_a_template_has_the_form_of_our_own_files(project: ProjectCopy, template: str) -> None:
    folder = project.root / "usecases" / _NAMES[template]
    schema = dict(schema_files())["usecase.json"]
    validator = Draft202012Validator(json.loads(schema))
    assert list(validator.iter_errors(read_yaml(folder / "usecase.yaml").data)) == []
    first = (folder / "usecase.yaml").read_text("utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../schemas/usecase.json"
    assert (folder / first.partition("=")[2]).resolve().is_file()
    text = (folder / "usecase.yaml").read_text("utf-8")
    assert "\n\n\n" not in text
    assert max(map(len, text.splitlines())) <= 100
    assert _is_formatted(folder / "src" / f"{_NAMES[template]}.cc")


_REFUSED_BY_SCONS = {
    "a name with capitals": (
        ("usecase=Front-Door", "template=image"),
        "'Front-Door' is not a valid use case name: lower-case letters, digits, single '-' and '_',"
        " beginning with a letter; for example usecase=front_door",
    ),
    "a path": (("usecase=../x", "template=image"), "; for example usecase=x"),
    "no name": (("template=image",), "new needs one name: usecase=door template=image"),
    "two names": (("usecase=a,b", "template=image"), "new needs one name"),
    "a word with a meaning": (("usecase=true", "like=kws"), "choose another name"),
    "no template": (("usecase=door",), "'new' needs exactly one of template=image, audio"),
    "both": (("usecase=door", "template=image", "like=kws"), "'new' needs exactly one of"),
    "another target": (("run", "usecase=door", "template=image"), "'new' cannot be combined"),
}


@pytest.mark.parametrize("case", _REFUSED_BY_SCONS)
def test_scons_refuses_and_tells_the_rule(project: ProjectCopy, case: str) -> None:
    words, message = _REFUSED_BY_SCONS[case]
    outcome = project.scons("new", *words)
    assert outcome.exit_code == 2
    assert message in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def test_template_goes_with_new(project: ProjectCopy) -> None:
    outcome = project.scons("usecase=kws", "template=image")
    assert outcome.stderr.startswith(
        "error: template= is only valid with the target 'new': scons new usecase=NAME"
    )


_REFUSED_BY_THE_STEP = {
    "another template": (
        {"template": "imag"},
        "unknown value of template= 'imag'; did you mean 'image'? (allowed: audio, image, pytorch,",
    ),
    "a model for a template with a network": (
        {"template": "pytorch", "model": "net.tflite"},
        "template=pytorch comes with a network of its own; leave out model=, and replace",
    ),
    "another use case": ({"like": "kw"}, "unknown use case 'kw'; did you mean 'kws'? (allowed: ad"),
    "a model with like": (
        {"like": "kws", "model": "net.tflite"},
        "like=kws takes its model, labels and samples as well",
    ),
    "a model of another shape": (
        {"template": "image", "model": "net.tflite"},
        "net.tflite: its input is 12; template=image fills height x width x 3 (or 1), template=vec",
    ),
    "labels of another network": (
        {"template": "vector", "model": "net.tflite", "labels": "labels.txt"},
        "net.tflite: has 3 outputs, and labels= 2 lines",
    ),
    "no model": ({"template": "image", "model": "x.keras"}, "model=x.keras: there is no such file"),
    "half a model": (
        {"template": "image", "model": "half.tflite"},
        "half.tflite: not a usable TFL",
    ),
    "other samples": (
        {"template": "image", "samples": "folder"},
        "folder/a.txt: template=image takes .png, .jpg, .jpeg, .bmp, .ppm, .gif, .tif, .tiff,",
    ),
}


@pytest.mark.parametrize("case", _REFUSED_BY_THE_STEP)
def test_the_step_refuses_and_leaves_nothing(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    network = dense_network((12, 3), seed=1)
    Path("net.tflite").write_bytes(network)
    Path("half.tflite").write_bytes(network[: len(network) // 2])
    Path("labels.txt").write_text("on\noff\n")
    Path("folder").mkdir()
    Path("folder/a.txt").write_text("1")
    given, message = _REFUSED_BY_THE_STEP[case]
    with pytest.raises(EthosmithError, match=re.escape(message)):
        _make("door", **given)
    assert list(Path("usecases").iterdir()) == []


def test_a_network_of_one_s_own_fills_in_the_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my net.tflite").write_bytes(dense_network((12, 3), seed=1))
    Path("classes.txt").write_text("red\ngreen\nblue\n")
    Path("rows").mkdir()
    Path("rows/1.csv").write_text(", ".join("0.5" for _ in range(12)))
    given = {"template": "vector", "model": "my net.tflite"}
    plain = _make("colour", **given)
    assert plain.model.input_shape == (12,)
    assert plain.labels == ("class_0", "class_1", "class_2")
    named = _make("colours", **given, labels="classes.txt", samples="rows")
    assert (named.model.name, named.model.source.path) == ("my_net", "model/my_net.tflite")
    assert named.labels == ("red", "green", "blue")
    assert [(sample.name, sample.format) for sample in named.samples] == [("1", "csv")]
    # Its line for editors names a file that exists, in a project that had none.
    assert Path("schemas/usecase.json").is_file()


@pytest.mark.parametrize("like", ["vww", "asr"])
def test_a_copy_needs_nothing_of_the_original(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, like: str
) -> None:
    monkeypatch.chdir(tmp_path)
    made = _make("mine", like=like)
    folder = Path("usecases/mine")
    original = ROOT / "usecases" / like / "usecase.yaml"
    expected = original.read_text("utf-8").replace(f"name: {like}", "name: mine", 1)
    expected = expected.replace(" ../img_class/", " ").replace("[../img_class/", "[")
    expected = expected.replace(f"src/{like}.cc", "src/mine.cc")
    assert (folder / "usecase.yaml").read_text("utf-8") == expected
    assert all(folder.resolve() in (folder / path).resolve().parents for path in made.sources)
