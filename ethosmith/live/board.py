# SPDX-License-Identifier: Apache-2.0
"""The open board with a program that stays booted and answers one sample after another.

They are handed over in the upper half of the platform's memory for samples, as for an evaluation
set. It begins with `struct live_window` of firmware/live; name and data of the sample follow. The
last part holds the network's inputs as the device has computed them.
"""

from __future__ import annotations

import queue
import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path

from ethosmith.accuracy.samples_window import Window
from ethosmith.core.errors import EthosmithError
from ethosmith.verify.uart_log import DeviceSample, samples_of
from ethosu_model.config import AcceleratorConfig
from ethosu_model.memory import Memory
from open_board.board import find_board
from open_board.errors import BoardError
from open_board.job import BoardJob, BoardResult, Outcome, RunError
from open_board.open_board import OpenBoard
from open_board.pause import Pause

# Where the program stands still, and what it prints before.
EXCHANGE, READY = "live_exchange", "ready"

# struct live_window: sample (name, data, size, file), sequence, inputs, capacity, used bytes.
_HEADER = struct.Struct("<8I")
_INPUTS_BYTES_OFFSET = _HEADER.size - 4
_MAX_INPUTS_BYTES = 8 << 20
_ALIGNMENT_BYTES = 16
_LOG = "log "


class LiveWindow:
    """Writes samples into a window, and reads the network's inputs from it."""

    def __init__(self, window: Window) -> None:
        """Hand over samples in ``window``."""
        self._window = window
        self._inputs_address = window.end - _MAX_INPUTS_BYTES
        self._sequence = 0

    @property
    def max_sample_bytes(self) -> int:
        """The size of the largest sample that there is room for, with a short name."""
        return self._inputs_address - self._window.address - _HEADER.size - 256

    def write(self, memory: Memory, name: str, data: bytes) -> None:
        """Hand over a sample to the program that stands still.

        Args:
            memory: the board's.
            name: what the device prints; without spaces.
            data: as the device's pre-processing takes it.

        Raises:
            EthosmithError: it is larger than the window.
        """
        if len(data) > self.max_sample_bytes:
            raise EthosmithError(
                f"{len(data):,} bytes, the device has room for {self.max_sample_bytes:,} in"
                f" {self._window.region}"
            )
        self._sequence += 1
        name_bytes = name.encode() + b"\0"
        name_address = self._window.address + _HEADER.size
        data_address = name_address + len(name_bytes)
        data_address += -data_address % _ALIGNMENT_BYTES
        header = _HEADER.pack(
            *(name_address, data_address, len(data), 0),
            *(self._sequence, self._inputs_address, _MAX_INPUTS_BYTES, 0),
        )
        memory.write(self._window.address, header)
        memory.write(name_address, name_bytes)
        memory.write(data_address, data)

    def inputs(self, memory: Memory) -> bytes:
        """Return the network's inputs of all windows of the sample, as far as there was room."""
        used = memory.read(self._window.address + _INPUTS_BYTES_OFFSET, 4)
        size_bytes = min(int.from_bytes(used, "little"), _MAX_INPUTS_BYTES)
        return memory.read(self._inputs_address, size_bytes)


@dataclass(frozen=True)
class LiveImage:
    """What runs where.

    Attributes:
        axf: linked with firmware/live.
        accelerator: the board's NPU.
        window: where samples are handed over.
        time_limit_s: for one sample, in seconds of processor time.
        board: which board the open board is; None: the SSE-300.
    """

    axf: Path
    accelerator: AcceleratorConfig
    window: Window
    time_limit_s: float | None = None
    board: str | None = None


@dataclass(frozen=True)
class LiveAnswer:
    """What the device made of a sample.

    Attributes:
        sample: what it printed.
        inputs: the network's, of all windows, one after another.
        log: its lines of log, and what else it printed that is not of the sample.
    """

    sample: DeviceSample
    inputs: bytes
    log: tuple[str, ...]


@dataclass
class _Request:
    name: str
    data: bytes
    answers: queue.Queue[LiveAnswer | EthosmithError] = field(
        default_factory=lambda: queue.Queue(1)
    )


class LiveBoard:
    """One board. It boots when it is first needed, and again after its program has ended.

    Calls may come from any thread; they take turns.
    """

    def __init__(self, image: LiveImage) -> None:
        """Prepare a board for ``image``; nothing is started yet."""
        self._image = image
        self._window = LiveWindow(image.window)
        self._turn = threading.Lock()
        self._requests: queue.Queue[_Request | None] = queue.Queue(1)
        self._current: _Request | None = None
        self._boot_text = ""
        self._booted = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._failure: EthosmithError | None = None

    def boot(self) -> str:
        """Boot the program, if it does not run, and return what it printed until it was ready.

        Raises:
            EthosmithError: it ended before.
        """
        with self._turn:
            self._ensure_running()
            return self._boot_text

    def answer(self, name: str, data: bytes) -> LiveAnswer:
        """Return what the device makes of a sample.

        Args:
            name: without spaces.
            data: as the device's pre-processing takes it.

        Raises:
            EthosmithError: the sample does not fit, or the program ended; the cause in one line.
        """
        with self._turn:
            if len(data) > self._window.max_sample_bytes:
                raise EthosmithError(
                    f"{len(data):,} bytes, the device has room for"
                    f" {self._window.max_sample_bytes:,} in {self._image.window.region}"
                )
            self._ensure_running()
            request = _Request(name, data)
            self._requests.put(request)
            answer = request.answers.get()
        if isinstance(answer, EthosmithError):
            raise answer
        return answer

    def close(self) -> None:
        """Switch the board off."""
        self._closed = True
        thread = self._thread
        if thread is not None and thread.is_alive():
            # The answer that is being made comes first.
            self._requests.put(None)
            thread.join()

    def _ensure_running(self) -> None:
        if self._closed:
            raise EthosmithError("the board is switched off")
        if self._thread is not None and self._thread.is_alive():
            return
        self._failure = None
        self._booted.clear()
        self._thread = threading.Thread(target=self._run, name="open board", daemon=True)
        self._thread.start()
        self._booted.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def _run(self) -> None:
        """Run the program to its end, and hand on why it ended."""
        pause = Pause(EXCHANGE, self._exchange, f"{READY}\n".encode())
        job = BoardJob(
            self._image.accelerator, axf=self._image.axf, time_limit_s=self._image.time_limit_s
        )
        try:
            board = find_board(self._image.board)
            failure = _end_of(OpenBoard(pause=pause, board=board).run(job))
        except BoardError as error:
            failure = EthosmithError(str(error))
        self._failure = failure
        current, self._current = self._current, None
        if current is not None:
            current.answers.put(failure)
        self._booted.set()

    def _exchange(self, memory: Memory, output: bytes) -> None:
        """Hand on the answer to a sample, and wait for the next sample."""
        text = output.decode("utf-8", "replace").removesuffix(f"{READY}\n")
        current, self._current = self._current, None
        if current is None:
            self._boot_text = text
            self._booted.set()
        else:
            current.answers.put(self._answer(memory, text))
        request = self._requests.get()
        if request is None:
            raise RunError(Outcome.STOPPED, "the board is switched off")
        self._current = request
        self._window.write(memory, request.name, request.data)

    def _answer(self, memory: Memory, text: str) -> LiveAnswer | EthosmithError:
        try:
            (sample,) = samples_of(text)
        except EthosmithError as error:
            return error
        except ValueError:
            return EthosmithError("the device did not report exactly one sample")
        log = tuple(line for line in text.splitlines() if line.startswith(_LOG))
        return LiveAnswer(sample, self._window.inputs(memory), log)


def _end_of(result: BoardResult) -> EthosmithError:
    """Return why the program is not there any more."""
    if result.outcome is not Outcome.EXITED:
        return EthosmithError(f"the board stopped: {result.outcome.value}: {result.reason}")
    lines = [line for line in result.text.splitlines() if line.startswith("fail: ")]
    reason = lines[-1].removeprefix("fail: ") if lines else f"exit code {result.exit_code}"
    return EthosmithError(f"the program ended: {reason}")
