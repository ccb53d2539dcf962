# SPDX-License-Identifier: Apache-2.0
"""The FVP's launch and every way it can fail, against a fake FVP that plays a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethosu_model.config import AcceleratorConfig
from open_board.arguments import parse_arguments, parser
from open_board.choice import choose_simulator
from open_board.errors import BoardError
from open_board.fvp import FVP_PROGRAMS, Fvp, fvp_command, fvp_environment
from open_board.job import BoardJob, BoardResult, DataFile, Dump, Outcome
from open_board.result_file import result_data
from tests.component.board.conftest import U55
from tests.support.board import programs

U65 = AcceleratorConfig.parse("ethos-u65-512")

_BANNER = "Fast Models [11.27.42 (Sep 5 2024)]"
_FAKE = """\
#!/bin/sh
# Finds its UART's file among its arguments, as the real one does.
for argument in "$@"; do
    printf '%s\\n' "$argument" >>"{folder}/argv"
    case "$argument" in mps3_board.uart0.out_file=*) uart="${{argument#*=}}" ;; esac
done
echo '{banner}'
{script}
"""


def _fake_fvp(folder: Path, script: str, product: str = "ethos-u55") -> Path:
    fvp = folder / FVP_PROGRAMS[product]
    fvp.write_text(_FAKE.format(folder=folder, banner=_BANNER, script=script))
    fvp.chmod(0o755)
    return fvp


def _run(folder: Path, script: str, **settings: object) -> BoardResult:
    axf = programs.build(folder, programs.PASSING)
    settings = {"time_limit_s": 10.0, **settings}
    return Fvp(_fake_fvp(folder, script)).run(BoardJob(U55, axf, **settings))  # type: ignore[arg-type]


def test_log_with_eot_and_code_0_passes(tmp_path: Path) -> None:
    result = _run(tmp_path, "printf 'hello\\n\\004\\000' >\"$uart\"; exec sleep 100")

    assert result.passed
    assert (result.uart, result.simulator, result.version) == (b"hello\n", "FVP", "11.27.42")
    assert result.wall_time_s < 5


def test_exit_code_is_the_programs(tmp_path: Path) -> None:
    result = _run(tmp_path, "printf 'fail: no\\n\\004\\007' >\"$uart\"; exec sleep 100")

    assert (result.outcome, result.exit_code, result.passed) == (Outcome.EXITED, 7, False)


@pytest.mark.parametrize(
    ("script", "outcome", "named"),
    [
        ("exit 0", Outcome.SIMULATOR_FAILED, "status 0"),
        ("echo 'License checkout failed'; exit 1", Outcome.SIMULATOR_FAILED, "License checkout"),
        ('echo pass >"$uart"; kill -SEGV $$', Outcome.SIMULATOR_FAILED, "signal 11"),
        ('echo pass >"$uart"; exit 0', Outcome.SIMULATOR_FAILED, "before the program sent EOT"),
        ("printf 'pass\\004' >\"$uart\"; exit 0", Outcome.NO_EXIT_CODE, "no exit code"),
        ("printf 'pass\\004' >\"$uart\"; exec sleep 100", Outcome.NO_EXIT_CODE, "no exit code"),
        ('echo pass >"$uart"; exec sleep 100', Outcome.TIME_LIMIT, "limit of 1 s"),
        ("exec sleep 100", Outcome.TIME_LIMIT, "limit of 1 s"),
    ],
)
def test_every_failure_is_named_and_none_is_a_pass(
    script: str, outcome: Outcome, named: str, tmp_path: Path
) -> None:
    limit_s = 1.0 if outcome is Outcome.TIME_LIMIT else 20.0

    result = _run(tmp_path, script, time_limit_s=limit_s)

    assert (result.outcome, result.passed) == (outcome, False)
    assert named in result.reason
    assert result.wall_time_s < 8


def test_arguments_are_the_fvps(tmp_path: Path) -> None:
    folder = tmp_path / "with a space"
    folder.mkdir()
    data = DataFile(folder / "net.tflite", 0x90000000)
    data.path.write_bytes(b"net")

    _run(folder, "printf '\\004\\000' >\"$uart\"; exec sleep 100", data=(data,))

    arguments = (folder / "argv").read_text().splitlines()
    assert arguments[:2] == ["-a", str(folder / "program.axf")]
    assert "ethosu.num_macs=128" in arguments
    assert "mps3_board.visualisation.disable-visualisation=1" in arguments
    assert arguments[-2:] == ["--data", f"{data.path}@0x90000000"]


def test_macs_follow_the_accelerator(tmp_path: Path) -> None:
    dump = Dump(Path("out.bin"), 0x93000000, 64)
    job = BoardJob(U65, tmp_path / "x.axf", dumps=(dump,))

    command = fvp_command(tmp_path / "fvp", job, tmp_path / "uart")

    assert "ethosu.num_macs=512" in command
    assert "ethosu.extra_args=--fast" not in command
    assert command[-2:] == ["--dump", "cpu0=out.bin@Memory:0x93000000,64"]


def test_an_fvp_can_be_asked_to_simulate_no_time(tmp_path: Path) -> None:
    axf = tmp_path / "x.axf"
    for words in (["--fast"], ["-C", "ethosu.extra_args=--fast"]):
        job = parse_arguments(parser().parse_args(["-a", str(axf), *words])).job
        assert "ethosu.extra_args=--fast" in fvp_command(tmp_path / "fvp", job, tmp_path / "uart")
        assert result_data(job, BoardResult(Outcome.EXITED, "FVP"))["fast"] is True
        assert result_data(job, BoardResult(Outcome.EXITED, "open board"))["fast"] is False
    with pytest.raises(BoardError, match="extra_args=--faster: expected --fast"):
        parse_arguments(parser().parse_args(["-a", "x", "-C", "ethosu.extra_args=--faster"]))


def test_an_fvp_gets_its_own_python_and_all_licence_variables() -> None:
    given = {"PYTHONPATH": "/ours", "FVP_PYTHONHOME": "/fvp/python", "ARMLM_CACHED": "1"}
    assert fvp_environment(given) == {"PYTHONHOME": "/fvp/python", "ARMLM_CACHED": "1"}
    assert fvp_environment({"PYTHONHOME": "/given"}) == {"PYTHONHOME": "/given"}


def test_the_name_of_arm_virtual_hardware_is_taken_too(tmp_path: Path) -> None:
    name = FVP_PROGRAMS["ethos-u55"].replace("FVP", "VHT")
    script = "printf '\\004\\000' >\"$uart\"; exec sleep 100"
    _fake_fvp(tmp_path, script).rename(tmp_path / name)
    for environment in ({"PATH": str(tmp_path)}, {"FVP_PATH": str(tmp_path)}):
        assert choose_simulator("fvp", U55, environment=environment).name == "FVP"


_DUMPING_AT_EOT = """
case "$*" in *shutdown_on_eot=1*) printf 'abc' >"{dump}"; exit 0 ;; esac
printf '\\004\\000' >"$uart"
exec sleep 100
"""


def test_an_fvp_that_dumps_only_at_its_own_end_runs_twice(tmp_path: Path) -> None:
    dump = Dump(tmp_path / "dump", 0x93000000, 3)

    assert _run(tmp_path, _DUMPING_AT_EOT.format(dump=dump.path), dumps=(dump,)).passed
    assert dump.path.read_bytes() == b"abc"


_DUMPING = """
dump() {{ printf '{data}' >"{dump}"; exit 0; }}
trap dump INT
printf '\\004\\000' >"$uart"
while true; do sleep 0.05; done
"""


def test_dump_that_the_fvp_writes_at_its_end_is_awaited(tmp_path: Path) -> None:
    dump = Dump(tmp_path / "dump", 0x93000000, 3)
    script = _DUMPING.format(data="abc", dump=dump.path)

    assert _run(tmp_path, script, dumps=(dump,)).passed
    assert dump.path.read_bytes() == b"abc"


def test_short_dump_is_a_failure(tmp_path: Path) -> None:
    dump = Dump(tmp_path / "dump", 0x93000000, 3)

    script = _DUMPING.format(data="a", dump=dump.path)
    result = _run(tmp_path, script, dumps=(dump,), time_limit_s=2.0)

    assert (result.outcome, result.passed) == (Outcome.SIMULATOR_FAILED, False)
    assert "wrote 1 of 3 bytes" in result.reason


def test_auto_takes_the_fvp_of_the_product_if_there_is_one(tmp_path: Path) -> None:
    _fake_fvp(tmp_path, "", "ethos-u65")
    on_path, named = {"PATH": str(tmp_path)}, {"PATH": "", "FVP_PATH": str(tmp_path)}

    assert choose_simulator("auto", U65, environment=on_path).name == "FVP"
    assert choose_simulator("auto", U65, environment=named).name == "FVP"
    assert choose_simulator("auto", U55, environment=on_path).name == "open board"
    assert choose_simulator("open", U65, environment=on_path).name == "open board"


def test_fvp_path_may_name_the_program_itself(tmp_path: Path) -> None:
    program = _fake_fvp(tmp_path, "")

    assert choose_simulator("fvp", U55, environment={"FVP_PATH": str(program)}).name == "FVP"


@pytest.mark.parametrize("name", ["auto", "fvp"])
def test_wrong_fvp_path_is_no_silent_fallback(name: str, tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="no executable FVP_Corstone_SSE-300_Ethos-U55"):
        choose_simulator(name, U55, environment={"FVP_PATH": str(tmp_path)})


def test_asking_for_an_fvp_that_is_not_installed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="not installed; set FVP_PATH"):
        choose_simulator("fvp", U55, environment={"PATH": str(tmp_path)})


def test_unknown_simulator_names_the_nearest() -> None:
    with pytest.raises(BoardError, match="did you mean 'open'"):
        choose_simulator("opne", U55)


def test_the_fvp_of_another_subsystem_is_used_where_it_is_installed(tmp_path: Path) -> None:
    name = "FVP_Corstone_SSE-310"
    on_path = {"PATH": str(tmp_path)}
    _fake_fvp(tmp_path, "")
    with pytest.raises(BoardError, match=rf"^{name} is not installed; set FVP_PATH to its f\w+$"):
        choose_simulator("fvp", U55, environment=on_path, fvp_program=name)
    script = "printf '\\004\\000' >\"$uart\"; exec sleep 100"
    _fake_fvp(tmp_path, script).rename(tmp_path / name)
    fvp = choose_simulator("fvp", U55, environment=on_path, fvp_program=name)
    axf = programs.build(tmp_path, programs.PASSING)
    assert fvp.run(BoardJob(U55, axf, time_limit_s=10.0)).passed
