# SPDX-License-Identifier: Apache-2.0
"""The command line: the FVP's spellings, exit status, result file, and no orphans."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from open_board.cli import main
from tests.support.board import programs
from tests.support.project_copy import ROOT


@pytest.fixture
def axf(tmp_path: Path) -> Path:
    return programs.build(tmp_path, programs.PASSING)


def test_fvps_command_line_runs_as_it_is(axf: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["-a", f"cpu0*={axf}", "--stat", "--timelimit", "10", "--simulator", "open"]
    for parameter in (
        "ethosu.num_macs=256",
        "mps3_board.telnetterminal0.start_telnet=0",
        "mps3_board.uart0.out_file='-'",
        "cpu_core.mps3_board.uart0.shutdown_on_eot=1",
        "mps3_board.visualisation.disable-visualisation=1",
    ):
        arguments += ["-C", parameter]

    assert main(arguments) == 0
    out, err = capfd.readouterr()
    assert out.startswith("hello\n--- open board")
    assert "NPU jobs:            0" in out
    assert err == ""


def test_exit_status_is_the_programs(tmp_path: Path) -> None:
    axf = programs.build(tmp_path, "int program(void) { return 42; }")

    assert main(["--simulator", "open", "-a", str(axf)]) == 42


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (programs.HANGING, 124, "error: time limit: no end within the limit of 1 s"),
        ('int program(void) { __asm volatile("udf #0"); return 0; }', 126, "error: fault: Hard"),
        ("int program(void) { put(4); for (;;) {} }", 127, "error: no exit code:"),
        ("int program(void) { return 124; }", 123, "error: the program's exit code 124 is one"),
    ],
)
def test_every_other_end_has_a_status_and_one_line(
    body: str, status: int, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    axf = programs.build(tmp_path, body)
    limit_s = "1" if status == 124 else "20"

    assert main(["--simulator", "open", "-a", str(axf), "--timelimit", limit_s]) == status
    err = capfd.readouterr().err
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_macs_reach_the_npu(tmp_path: Path) -> None:
    axf = programs.build(tmp_path, "int program(void) { return NPU[0x28 / 4] & 15; }")
    run = ["--simulator", "open", "-a", str(axf)]

    assert main(run) == 7
    assert main([*run, "--num-macs", "32"]) == 5
    assert main([*run, "-C", "ethosu.num_macs=64"]) == 6
    assert main([*run, "--npu", "ethos-u65-512"]) == 9


def test_result_file_is_whole_and_the_same_each_time(axf: Path, tmp_path: Path) -> None:
    files = [tmp_path / "first.json", tmp_path / "second.json"]
    for file in files:
        main(["--simulator", "open", "-a", str(axf), "--result", str(file)])

    result = json.loads(files[0].read_text())
    assert files[0].read_bytes() == files[1].read_bytes()
    assert result["passed"] is True
    assert (result["outcome"], result["exit_code"], result["uart"]) == ("exited", 0, "hello\n")
    assert result["accelerator"] == "ethos-u55-128"
    assert result["simulator"]["name"] == "open board"


def test_result_of_a_failure_says_so(tmp_path: Path) -> None:
    axf, file = programs.build(tmp_path, programs.HANGING), tmp_path / "result.json"

    main(["--simulator", "open", "-a", str(axf), "--result", str(file), "--timelimit", "0.5"])

    result = json.loads(file.read_text())
    assert (result["passed"], result["outcome"]) == (False, "time limit")


def test_old_result_does_not_survive_a_run_that_cannot_start(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    file.write_text('{"passed": true}')

    assert main(["-a", str(tmp_path / "missing.axf"), "--result", str(file)]) == 1
    assert not file.exists()


def test_uart_file_and_data_and_dump(tmp_path: Path) -> None:
    axf = programs.build(tmp_path, "int program(void) { put(*(char *)0x90000000); return 0; }")
    data, dump, uart = (tmp_path / name for name in ("data", "dump", "uart"))
    data.write_bytes(b"xyz")

    status = main(
        [
            *("--simulator", "open", "-a", str(axf), "--data", f"{data}@0x90000000"),
            *("--dump", f"cpu0={dump}@Memory:0x90000000,3"),
            *("-C", f"mps3_board.uart0.out_file={uart}"),
        ]
    )

    assert (status, uart.read_bytes(), dump.read_bytes()) == (0, b"x", b"xyz")


def test_raw_images_boot(axf: Path, capfd: pytest.CaptureFixture[str]) -> None:
    image = programs.raw_image(axf)

    assert main(["--image", f"{image}@0x0", "--image", f"{image}@0x70000000"]) == 0
    assert capfd.readouterr().out == "hello\n"


def test_a_card_boots(axf: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    note = tmp_path / "card" / "MB" / "HBI0309C" / "AN552"
    note.mkdir(parents=True)
    (note / "images.txt").write_text(
        "TOTALIMAGES: 1\nIMAGE0ADDRESS: 0\nIMAGE0FILE: \\SOFTWARE\\itcm.bin\n"
    )
    software = tmp_path / "card" / "SOFTWARE"
    software.mkdir()
    programs.raw_image(axf).rename(software / "ITCM.BIN")

    assert main(["--card", str(tmp_path / "card")]) == 0
    assert capfd.readouterr().out == "hello\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name what to run"),
        (["-C", "ethosu.num_mac=128"], "did you mean 'ethosu.num_macs'?"),
        (["-C", "ethosu.num_macs"], "write NAME=VALUE"),
        (["-C", "ethosu.num_macs=many"], "not a number"),
        (["-C", "ethosu.num_macs=100"], "no NPU has 100 MACs (known: 32, 64, 128, 256, 512)"),
        (["-C", "mps3_board.uart0.shutdown_on_eot=0"], "always ends at EOT"),
        (["--num-macs", "64", "-C", "ethosu.num_macs=128"], "contradicts"),
        (["--npu", "ethos-u55-128", "--num-macs", "64"], "has 128 MACs, not 64"),
        (["--npu", "ethos-u55-182"], "did you mean 'ethos-u55-128'?"),
        (["--data", "net.tflite"], "write FILE@ADDRESS"),
        (["--data", "net.tflite@0xzz"], "'0xzz' is not a number"),
        (["--data", "missing@0x90000000"], "cannot read missing"),
        (["--dump", "out@0x93000000"], "write FILE@ADDRESS,SIZE"),
        (["--dump", "out@0xe0000000,4"], "not all of them lie in one memory"),
        (["--timelimit", "-1"], "give seconds"),
        (["--timelimit", "nan"], "give seconds"),
        (["--simulator", "fvp", "--inject", "no-irq"], "need the open board"),
        (["-f", "missing.conf"], "cannot read missing.conf: No such file"),
    ],
)
def test_wrong_argument_is_one_clear_line(
    arguments: list[str], message: str, axf: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program = ["-a", str(axf)] if arguments else []

    assert main([*program, *arguments]) == 1
    err = capfd.readouterr().err
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_parameters_may_come_from_a_file(tmp_path: Path) -> None:
    axf = programs.build(tmp_path, "int program(void) { return NPU[0x28 / 4] & 15; }")
    config = tmp_path / "fvp.conf"
    config.write_text("# the FVP's own comment\nethosu.num_macs=64  # MACs\n\n")

    assert main(["--simulator", "open", "-a", str(axf), "-f", str(config)]) == 6


_QEMU_WITH_PID = """\
#!/bin/sh
PATH="{path}"
echo $$ >"{folder}/pid"
exec qemu-system-arm "$@"
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_simulator_outlives_a_killed_command(sent: signal.Signals, tmp_path: Path) -> None:
    axf = programs.build(tmp_path, programs.HANGING)
    qemu = tmp_path / "qemu-system-arm"
    qemu.write_text(_QEMU_WITH_PID.format(path=os.environ["PATH"], folder=tmp_path))
    qemu.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", "open_board", "--simulator", "open", "-a", str(axf)]

    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"hello\n"
        process.send_signal(sent)
        process.wait(10)

    assert process.returncode == (130 if sent == signal.SIGINT else -sent)
    assert _is_gone(int((tmp_path / "pid").read_text()))


def _is_gone(pid: int) -> bool:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if _is_zombie(pid):
            return True  # dead; whoever adopted it has not looked yet
        time.sleep(0.02)
    return False


def _is_zombie(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    if status.exists():
        return status.read_text().rpartition(")")[2].split()[0] == "Z"
    command = ["/bin/ps", "-o", "stat=", "-p", str(pid)]  # macOS
    return subprocess.run(command, capture_output=True, check=False).stdout.startswith(b"Z")


def test_checks_of_the_npu_need_the_open_board(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-a", "a.axf", "--simulator", "fvp", "--check", "ordering"]) == 1
    assert "--check" in capsys.readouterr().err
