# SPDX-License-Identifier: Apache-2.0
"""A set in shards gives what one file gives; a change concerns the shard that it is in."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from ethosmith.accuracy.evaluation_set import Accepted
from ethosmith.accuracy.result import read_result
from ethosmith.accuracy.set_digest import digest_of_sets
from ethosmith.accuracy.set_file import Answers, Item, ItemAnswer, write_answers, write_set
from ethosmith.accuracy.shards import (
    MAX_ITEMS,
    MIN_ITEMS,
    Entry,
    cut,
    entries_of_folder,
    items_of_listing,
    read_listing,
    write_listings,
)
from ethosmith.core.errors import EthosmithError
from ethosmith.core.files import sha256_of
from ethosmith.lib.sample_formats import NO_FORM
from ethosmith.report.step_runs import LongRun
from ethosmith.steps.judge_accuracy import JudgeAccuracy

_ITEMS = [Item(f"item-{n}é", 'y "\n', bytes([n & 255]) * (n % 5)) for n in range(9)]


def entry(number: int) -> Entry:
    content = sha256(str(number).encode()).hexdigest()
    return Entry(f"item-{number:05}", "yes", f"yes/{number:05}.wav", content)


def sets_of(folder: Path, items: list[Item], *cuts: int) -> list[Path]:
    places = [0, *cuts, len(items)]
    paths = [folder / f"{number}.zip" for number in range(len(places) - 1)]
    for path, start, end in zip(paths, places, places[1:], strict=False):
        write_set(path, items[start:end])
    return paths


def test_every_item_is_in_one_shard_and_in_its_place() -> None:
    entries = [entry(number) for number in range(3000)]
    parts = list(cut(entries))
    assert [one for part in parts for one in part] == entries
    assert len(parts) > 5
    assert all(MIN_ITEMS <= len(part) <= MAX_ITEMS for part in parts[:-1])


@pytest.mark.parametrize("place", [0, 1234, 2999])
def test_an_added_a_changed_or_a_removed_file_concerns_two_shards_at_most(place: int) -> None:
    entries = [entry(number) for number in range(3000)]
    before = list(cut(entries))
    added = [*entries[:place], entry(9999), *entries[place:]]
    changed = [*entries[:place], replace(entries[place], sha256="0" * 64), *entries[place + 1 :]]
    removed = [*entries[:place], *entries[place + 1 :]]
    for after in (added, changed, removed):
        assert len([part for part in cut(after) if part not in before]) <= 2


def folder_of_samples(folder: Path, count: int) -> Path:
    for number in range(count):
        path = folder / ("yes" if number % 2 else "no") / f"{number:03}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content %d" % number)
    return folder


def test_a_folder_is_listed_again_only_where_it_changed(tmp_path: Path) -> None:
    folder, notes = folder_of_samples(tmp_path / "set", 400), tmp_path / "notes"
    notes.mkdir()
    accepted = Accepted((".npy",), ("yes", "no"))

    def listed() -> list[Path]:
        entries = entries_of_folder(folder, accepted, notes)
        shards = write_listings(entries, Path("listings"), tmp_path)
        assert [shard.number for shard in shards] == list(range(1, len(shards) + 1))
        paths = [tmp_path / shard.listing for shard in shards]
        assert sorted((tmp_path / "listings").iterdir()) == paths
        return paths

    paths = listed()
    assert sum(len(read_listing(path)) for path in paths) == 400
    state = {path: path.stat().st_mtime_ns for path in paths}
    assert {path: path.stat().st_mtime_ns for path in listed()} == state
    (folder / "yes/399.npy").write_bytes(b"another content")
    renewed = [path for path in listed() if path.stat().st_mtime_ns != state.get(path)]
    assert paths[0] not in renewed
    assert renewed


def test_a_file_that_changes_after_it_was_listed_is_an_error(tmp_path: Path) -> None:
    folder = folder_of_samples(tmp_path / "set", 2)
    entries = list(entries_of_folder(folder, Accepted((".npy",), ()), tmp_path))
    (folder / "no/000.npy").write_bytes(b"another content")
    with pytest.raises(EthosmithError, match=r"000\.npy: changed while it was measured"):
        list(items_of_listing(folder, entries, NO_FORM, []))


@pytest.mark.parametrize("cuts", [(), (1,), (4, 8)])
def test_the_digest_is_that_of_the_archive_with_all_items(
    tmp_path: Path, cuts: tuple[int, ...]
) -> None:
    write_set(tmp_path / "all.zip", _ITEMS)
    expected = (len(_ITEMS), sha256_of(tmp_path / "all.zip"))
    assert digest_of_sets(sets_of(tmp_path, _ITEMS, *cuts)) == expected


@pytest.mark.slow
def test_the_digest_of_so_many_items_that_the_archive_takes_another_form(tmp_path: Path) -> None:
    items = [Item(str(number), "", b"") for number in range(65_540)]
    write_set(tmp_path / "all.zip", items)
    paths = sets_of(tmp_path, items, 30_000)
    assert digest_of_sets(paths) == (len(items), sha256_of(tmp_path / "all.zip"))


def judged(folder: Path, *cuts: int, tuned: tuple[Path, ...] = ()) -> str:
    """Return what is judged of `_ITEMS` in shards, with answers that depend on the item alone."""
    folder.mkdir()
    sets = sets_of(folder, _ITEMS, *cuts)
    places = [0, *cuts, len(_ITEMS)]
    columns: dict[str, list[Path]] = {"float": [], "int8": [], "device": []}
    for name, paths in columns.items():
        for number, (start, end) in enumerate(pairwise(places)):
            answers = [
                ItemAnswer(item.name, 'y "\n' if len(item.data) % 3 else "n", "0.5", str(item.data))
                for item in _ITEMS[start:end]
            ]
            paths.append(folder / f"{name}-{number}.json")
            write_answers(paths[-1], Answers(tuple(answers), {"name": "board", "version": "1"}))
    JudgeAccuracy(
        usecase="kws",
        configuration="ethos-u55-128",
        metric="top1",
        limits={"minimum": 0.5},
        evaluation_sets=tuple(sets),
        tuned=tuned,
        float_answers=tuple(columns["float"]),
        int8_answers=tuple(columns["int8"]),
        device_answers=tuple(columns["device"]),
        output=folder / "result.json",
    ).run()
    return (folder / "result.json").read_text("utf-8")


def test_shards_are_judged_as_the_whole_set_is(tmp_path: Path) -> None:
    whole = judged(tmp_path / "whole")
    assert judged(tmp_path / "shards", 2, 3) == whole
    result = json.loads(whole)
    # It is written piece by piece, in the form that one call would give.
    assert whole == json.dumps(result, indent=1) + "\n"
    assert [row["name"] for row in result["answers"]] == [item.name for item in _ITEMS]
    right = sum(len(item.data) % 3 != 0 for item in _ITEMS) / len(_ITEMS)
    assert result["values"]["device"] == pytest.approx(right, abs=1e-6)
    assert result["device_outputs_equal_int8"] == len(_ITEMS)
    del result["answers"]
    assert read_result(tmp_path / "whole" / "result.json") == result


def test_items_that_the_network_was_quantised_with_are_not_in_the_values(tmp_path: Path) -> None:
    files = []
    for index in (1, 4):
        files.append(tmp_path / f"{index}.bin")
        files[-1].write_bytes(_ITEMS[index].data)
    whole = judged(tmp_path / "whole", tuned=tuple(files))
    assert judged(tmp_path / "shards", 2, 3, tuned=tuple(files)) == whole
    result = json.loads(whole)
    rest = [item for item in _ITEMS if item.data not in {_ITEMS[1].data, _ITEMS[4].data}]
    out = [item.name for item in _ITEMS if item not in rest]
    assert 2 <= len(out) < len(_ITEMS)
    assert result["set"]["left_out"] == out
    right = sum(len(item.data) % 3 != 0 for item in rest) / len(rest)
    assert result["values"]["device"] == pytest.approx(right, abs=1e-6)
    assert result["notes"][0].startswith(f"{len(out)} of {len(_ITEMS)} items are left out of")
    assert len(result["answers"]) == len(_ITEMS)


def test_an_evaluation_of_nothing_but_calibration_is_refused(tmp_path: Path) -> None:
    files = [tmp_path / f"{index}.bin" for index in range(len(_ITEMS))]
    for file, item in zip(files, _ITEMS, strict=True):
        file.write_bytes(item.data)
    with pytest.raises(EthosmithError, match=r"all \d+ items of the evaluation set are"):
        judged(tmp_path / "whole", tuned=tuple(files))


def test_a_result_that_was_cut_is_an_error(tmp_path: Path) -> None:
    text = judged(tmp_path / "whole")
    (tmp_path / "cut.json").write_text(text[:200])
    with pytest.raises(EthosmithError, match="not a result of accuracy"):
        read_result(tmp_path / "cut.json")


def test_a_long_run_counts_what_has_run_and_what_was_there() -> None:
    now = [100.0]
    run = LongRun("kws.axf", lambda: now[0])
    for number in range(4):
        run.expect(str(number), 50)
    run.begin()
    now[0] += 10
    # Of four shards, one was there, one has run: 50 items in 10 s, 100 are left.
    text = run.end("1", lambda step: step == "0")
    assert text == "kws.axf: 100 of 200 items, 5.0 a second, 20 s left"
    now[0] += 1
    assert run.end("2", lambda step: step == "0") == ""
    now[0] += 9
    assert run.end("3", lambda step: step == "0") == "kws.axf: 200 of 200 items, 7.5 a second"
