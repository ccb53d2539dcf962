# SPDX-License-Identifier: Apache-2.0
"""Serve a page that hands sounds, pictures and files to an image on the open board."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethosmith.core.files import read_json
from ethosmith.steps.step import Input, OptionalInput, Step, Unsigned, step

if TYPE_CHECKING:
    from ethosmith.live.answers import Desk
    from ethosmith.live.board import LiveBoard
    from ethosmith.live.uploads import Taken

_PCM16_BYTES = 2


@step(
    verb="LIVE",
    packages=(
        "ai-edge-litert",
        "capstone",
        "numpy",
        "pillow",
        "pydantic",
        "pydantic-core",
        "pyelftools",
        "pyyaml",
        "soundfile",
        "soxr",
        "starlette",
        "uvicorn",
    ),
    cacheable=False,
    owns_terminal=True,
)
class ServeLive(Step):
    """Serve a page that hands sounds, pictures and files to an image on the open board.

    Attributes:
        usecase: its name.
        heading: its title.
        configuration: NPU and memory mode, as the page shows them.
        axf: linked with the output of generate-samples-window.
        platform: the platform.yaml.
        npu: the board's NPU, such as ``ethos-u55-128``.
        system_config: Vela's, whose memories the open board estimates cycles with.
        network: the int8 network, or the JSON that describes one.
        usage: how full the memories are, JSON of measure-size.
        form: what the use case takes; ``UseCase.sample_form``.
        network_inputs: JSON of read-network-inputs, where a sample holds the network's inputs.
        suffixes: ends of the names of files that it takes.
        labels: its labels; none: any text.
        example: its first sample, as the device takes it: as long as what a microphone is cut to.
        clips: the folder for clips with labels.
        port: of the page; 0: one that is free.
        time_limit_s: for one answer, in seconds of processor time.
    """

    usecase: str
    heading: str
    configuration: str
    axf: Input
    platform: Input
    npu: str
    system_config: str = ""
    network: Input
    usage: Input
    form: Mapping[str, Any]
    network_inputs: OptionalInput = None
    suffixes: tuple[str, ...]
    labels: tuple[str, ...]
    example: OptionalInput = None
    clips: Unsigned[Path]
    port: Unsigned[int] = 0
    time_limit_s: Unsigned[float] = 60.0

    def run(self) -> None:
        """Serve until Ctrl-C.

        Raises:
            EthosmithError: the image leaves no room for samples, or the port is in use.
        """
        from ethosmith.live.server import Site, listening_socket, page_address, serve

        board = self._board()
        desk = self._desk(board)
        site = Site.with_new_token(desk.hello, desk.answer)
        with listening_socket(self.port) as listener:
            sys.stdout.write(f"{page_address(site, listener)}\nCtrl-C ends it.\n")
            sys.stdout.flush()
            try:
                with suppress(KeyboardInterrupt):
                    serve(site, listener)
            finally:
                board.close()

    def _board(self) -> LiveBoard:
        from ethosmith.accuracy.samples_window import check_image, window_of
        from ethosmith.core.accelerators import parse_accelerator
        from ethosmith.descriptors.platform import load_platform
        from ethosmith.images.elf import read_image
        from ethosmith.live.board import LiveBoard, LiveImage

        platform = load_platform(self.platform)
        window = window_of(platform)
        check_image(read_image(self.axf), window)
        accelerator = parse_accelerator(self.npu, self.system_config)
        board, limit_s = platform.open_board or None, self.time_limit_s or None
        return LiveBoard(LiveImage(self.axf, accelerator, window, limit_s, board))

    def _desk(self, board: LiveBoard) -> Desk:
        from ethosmith.live.answers import Desk
        from ethosmith.live.uploads import Clips
        from ethosmith.models.int8_check import network_spec_of

        taken = self._taken()
        facts = {
            "usecase": self.usecase,
            "heading": self.heading,
            "configuration": self.configuration,
            "memory": read_json(self.usage)["regions"],
            "listen_s": self._listen_s(taken),
        }
        clips = Clips(self.clips, self.labels)
        return Desk(board, taken, network_spec_of(self.network), clips, facts)

    def _taken(self) -> Taken:
        from ethosmith.lib.sample_formats import SampleForm
        from ethosmith.live.uploads import Taken

        inputs = read_json(self.network_inputs) if self.network_inputs else ()
        return Taken(self.suffixes, self.labels, SampleForm.of(self.form, inputs))

    def _listen_s(self, taken: Taken) -> float:
        """Return how many seconds of sound the device hears at once."""
        sound = taken.form.sound
        if sound is None or self.example is None:
            return 0.0
        frames = self.example.stat().st_size // (_PCM16_BYTES * sound.channels)
        return frames / sound.rate_hz

    @property
    def title(self) -> str:
        """The image."""
        return self.axf.as_posix()
