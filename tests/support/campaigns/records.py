# SPDX-License-Identifier: Apache-2.0
"""Spoilt outputs of Vela, manifests, run results, logs, link maps, ELF files and histories."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import read_text
from ethosmith.images.elf import read_image, read_symbols
from ethosmith.images.link_map import read_link_map
from ethosmith.models.compiled import read_compiled
from ethosmith.report.comparison import figures_of
from ethosmith.report.history import History, read_baseline
from ethosmith.report.vela_figures import read_estimate, read_layers
from ethosmith.verify.manifests import changed_since, read_manifest, reasons
from ethosmith.verify.uart_log import read_log
from ethosu_model.harness import RawModel
from tests.support.campaigns.ending import ending_of
from tests.support.campaigns.mutate import spoil_tree, spoilt_bytes, spoilt_zip

_FOLDER = "build/fvp/ethos-u55-128-shared_sram"
_LOG = """\
ethosmith: kws model=ds_cnn npu=ethos-u55-128 memory_mode=Shared_Sram samples=2
sample yes: answer="yes" score=0.9961 npu_cycles=89489 npu_active=89489 axi0_rd=23013 axi0_wr=12840
tensor yes 0 int8 1x12 7f8080808080808080808080
window long 0: npu_cycles=1 axi0_rd=1
tensor long 0 int8 1x12 807e80808080808080828080
sample long: answer="no@1.30s" score=0.9922 windows=1 npu_cycles=1
arena: 100 of 128 bytes used
ran: 2 samples
"""


@dataclass(frozen=True)
class Record:
    """A good file.

    Attributes:
        name: of the file below the folder of the campaign.
        data: its content.
        read: its reader.
        kind: ``bytes``, ``zip`` or ``json``: how it is spoilt.
    """

    name: str
    data: bytes
    read: Callable[[Path], object]
    kind: str = "bytes"


def prepare(folder: Path) -> list[Record]:
    """Make good files with Vela, the compiler and by hand."""
    (folder / _FOLDER).mkdir(parents=True)
    found = [*_of_vela(folder), *_of_the_linker(folder), *_of_builds()]
    for record in found:
        (folder / record.name).write_bytes(record.data)
        record.read(folder / record.name)
    return found


def _of_vela(folder: Path) -> list[Record]:
    from ethosmith.models.int8_check import check_int8
    from ethosmith.steps.compile_with_vela import CompileWithVela
    from tests.support.npu_corpus.flatbuffer import tflite_bytes
    from tests.support.npu_corpus.table import all_cases

    network = folder / "network.tflite"
    case = next(case for case in all_cases() if case.operator == "conv_2d")
    network.write_bytes(tflite_bytes(case.network()))
    raw, summary, layers = (folder / name for name in ("net_vela.npz", "sum.csv", "layers.csv"))
    CompileWithVela(
        network=network,
        network_name="net",
        accelerator_config="ethos-u55-128",
        system_config="Ethos_U55_High_End_Embedded",
        memory_mode="Shared_Sram",
        tflite=folder / "vela.tflite",
        summary=summary,
        per_layer=layers,
        operators=folder / "operators.json",
        raw=raw,
    ).run()
    spec = check_int8(network)
    data = raw.read_bytes()
    return [
        Record("hostile.npz", data, lambda path: read_compiled(path, spec), "zip"),
        Record("hostile2.npz", data, RawModel.load, "zip"),
        Record("hostile3.npz", data, lambda path: read_compiled(path, spec)),
        Record("hostile.csv", summary.read_bytes(), read_estimate),
        Record("hostile2.csv", layers.read_bytes(), read_layers),
    ]


def _of_the_linker(folder: Path) -> list[Record]:
    from tests.support.board.programs import PASSING, build, linked_with_map

    axf = build(folder, PASSING)
    return [
        Record("hostile.axf", axf.read_bytes(), lambda path: read_symbols(read_image(path))),
        Record("hostile.map", linked_with_map(axf), lambda path: read_link_map(path, [".text"])),
    ]


def _of_builds() -> list[Record]:
    stem = f"{_FOLDER}/hostile"
    manifest = json.dumps(_manifest(f"{stem}.axf"), indent=2).encode()
    baseline = json.dumps({"schema": 1, "images": [{"now": _ENTRY}]}).encode()
    result = json.dumps(_VERIFIED).encode()
    return [
        Record(f"{stem}_manifest.json", manifest, _look_at_manifest, "json"),
        Record(f"{stem}_verified.json", result, lambda path: figures_of([_stem(path)]), "json"),
        Record(
            "hostile.json",
            baseline,
            lambda path: read_baseline(path.read_bytes(), "hostile.json"),
            "json",
        ),
        Record(
            "hostile.jsonl",
            json.dumps(_ENTRY).encode(),
            lambda path: History(path.parent).entries("hostile"),
        ),
        Record("hostile.log", _LOG.encode(), _look_at_log),
    ]


def _stem(path: Path) -> Path:
    return path.with_name("hostile")


def _look_at_manifest(path: Path) -> None:
    found = read_manifest(path)
    changed_since(found)
    list(reasons(found, found))
    figures_of([_stem(path)])


def _look_at_log(path: Path) -> None:
    """The log has no file: its messages name none."""
    try:
        read_log(read_text(path))
    except EthosmithError as error:
        raise EthosmithError(f"{path}: {error}") from None


_ENTRY = {
    "image": "fvp/ethos-u55-128-shared_sram/kws",
    "revision": "0" * 40,
    "axf_sha256": "1" * 64,
    "simulator": "open board 7.2.22",
    "figures": {"flash_bytes": 1, "npu_cycles": 2},
    "answers": {"yes": "yes"},
}
_COUNTS = {"npu_cycles": 89489, "npu_active": 89489, "axi0_rd": 23013, "cpu_instructions": 525}
_VERIFIED: dict[str, Any] = {
    "simulator": {"name": "open board", "version": "7.2.22"},
    "oracle": "LiteRT's reference kernels",
    "samples": [
        {
            "name": "yes",
            "answer": "yes",
            "score": "0.9961",
            "counts": _COUNTS,
            "tensors": ["7f80"],
            "ranked": "",
            "windows": [],
            "equal": True,
            "judgement": "right",
        }
    ],
}


def _manifest(axf: str) -> dict[str, Any]:
    file = {"sha256": "2" * 64, "size_bytes": 3}
    return {
        "schema": 1,
        "usecase": "kws",
        "descriptor": {"name": "kws"},
        "arguments": ["usecase=kws", "target=fvp", "npu=ethos-u55-128"],
        "revision": "0" * 40,
        "configuration": {
            "platform": "fvp",
            "accelerator_config": "none",
            "memory_mode": "",
            "build_type": "release",
            "runtime": "tflm",
            "toolchain": "gcc",
        },
        "packages": [],
        "repositories": [],
        "tools": {"gcc": "12.2"},
        "code_sha256": "3" * 64,
        "inputs": {"firmware/a.c": file},
        "made": {"build/usecases/kws/net_int8.tflite": file},
        "outputs": {axf: file},
        "sizes": [
            {
                "region": "ITCM",
                "address": 0,
                "size_bytes": 524288,
                "used_bytes": 31336,
                "classes": {"code": 25060, "padding": 128},
            }
        ],
    }


def attack(good: Sequence[Record], random_: random.Random, folder: Path) -> str:
    """Read one spoilt file, and put the good one back."""
    record = random_.choice(good)
    path = folder / record.name
    path.write_bytes(_spoilt(record, random_))
    try:
        return ending_of(record.read, path)
    finally:
        path.write_bytes(record.data)


def _spoilt(record: Record, random_: random.Random) -> bytes:
    if record.kind == "zip":
        return spoilt_zip(record.data, random_)
    if record.kind == "json" and random_.random() < 0.8:
        tree = copy.deepcopy(json.loads(record.data))
        spoil_tree(tree, random_)
        return _json_of(tree, record.data, random_)
    return spoilt_bytes(record.data, random_)


def _json_of(tree: Any, otherwise: bytes, random_: random.Random) -> bytes:
    try:
        return json.dumps(tree).encode("utf-8", "surrogatepass")
    except (ValueError, TypeError, RecursionError):
        # Such as a number of more digits than Python writes.
        return spoilt_bytes(otherwise, random_)
