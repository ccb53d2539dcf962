# SPDX-License-Identifier: Apache-2.0
"""Say what an image is made of: `ethosmith.report.manifest`."""

import json
from collections.abc import Sequence
from typing import Any

from ethosmith.environment.tools import find_program, program_version
from ethosmith.graph.configuration import Configuration
from ethosmith.graph.ingredients import plan_of, repository_names, source_files
from ethosmith.graph.layout import SelectedUseCase, image_folder

# The steps on the way from the descriptor to the image.
_STEPS = (
    "ethosmith.obtain",
    "ethosmith.codegen.labels",
    "ethosmith.codegen.linker_script",
    "ethosmith.codegen.mix",
    "ethosmith.codegen.model",
    "ethosmith.codegen.parameters",
    "ethosmith.codegen.platform_header",
    "ethosmith.codegen.sample_formats",
    "ethosmith.codegen.samples",
    "ethosmith.images.fit",
    "ethosmith.images.images_txt",
    "ethosmith.images.sections",
    "ethosmith.libraries.build",
    "ethosmith.models.input_shape",
    "ethosmith.models.quantise",
    "ethosmith.models.vela",
    "ethosmith.verify.features",
)
# And those for an interpreter.
_INTERPRETER_STEPS = (
    "ethosmith.codegen.op_resolver",
    "ethosmith.codegen.tflite_model",
    "ethosmith.models.arena",
)


def image_manifest(
    env: Any,
    usecase: SelectedUseCase,
    configuration: Configuration,
    image: Any,
    float_model: Sequence[Any],
    networks: Sequence[Any],
) -> list[Any]:
    """Return the nodes of NAME_manifest.json and NAME_bom.cdx.json.

    Args:
        env: of the device's toolchain, if the image is linked here.
        usecase: what the image does.
        configuration: for which NPU.
        image: of `FirmwareImage` or `ReadyImage`.
        float_model: of `FloatModel`.
        networks: made from it: the int8 network, Vela's output.
    """
    project, platform = env["PROJECT"], env["PLATFORM"].path
    libraries: list[Any] = []
    compilers = [f"cc {program_version(find_program('cc'))}"]
    if configuration.runtime.links_image:
        programs = [configuration.program, *usecase.descriptor.libraries]
        libraries = project.libraries_with_requirements(programs)
        compilers = [*env["TOOLCHAIN"].tools, *compilers]
    steps = _STEPS + (_INTERPRETER_STEPS if configuration.runtime.has_cpu_kernels else ())
    names = repository_names(item.descriptor for item in libraries)
    checkouts = [env["REPOSITORIES"].checkout(name) for name in names]
    records = [checkout.record for checkout in checkouts if checkout is not None]
    plan = plan_of(project, usecase, configuration, libraries, records, compilers, steps)
    inputs = env["DECLARED"].once(
        ("sources", usecase.variant, configuration.program),
        lambda: source_files(project, platform, usecase, libraries, configuration),
    )
    made = [*(float_model[1:] or float_model), *networks]
    name = f"{image_folder(configuration)}/{usecase.variant}"
    nodes: list[Any] = env.Step(
        "ethosmith.report.manifest",
        target=[f"{name}_manifest.json", f"{name}_bom.cdx.json"],
        source=[*(env.File(str(path)) for path in inputs), *made, *image.parts, image.usage],
        options=[
            *("--plan-json", json.dumps(plan, sort_keys=True)),
            *(word for path in inputs for word in ("--input", f"{project.shown(path)}={path}")),
            *(word for node in made for word in ("--made", node)),
            *(word for node in image.parts for word in ("--image-file", node)),
            *(("--map", image.map) if image.map else ()),
            *("--usage", image.usage),
            *("--output", f"{name}_manifest.json", "--bom", f"{name}_bom.cdx.json"),
        ],
        say=f"MANIFEST  {name}_manifest.json",
    )
    env.Alias("images", nodes)
    env.Alias("run", nodes)
    return nodes


def exists(env: Any) -> bool:
    """Say that the tool can be used: it needs nothing but Python."""
    del env
    return True


def generate(env: Any) -> None:
    """Add the method `ImageManifest`."""
    env.AddMethod(image_manifest, "ImageManifest")
