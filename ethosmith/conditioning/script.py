# SPDX-License-Identifier: Apache-2.0
"""The user's own training: a Python file with a function that trains a network in place."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethosmith.core.errors import EthosmithError
from ethosmith.pytorch.places import first_line, place_of_error

FUNCTION = "fine_tune"


@dataclass(frozen=True)
class FineTuning:
    """How a network is trained on.

    Attributes:
        script: a Python file with the function `FUNCTION`, which trains the network that it is
            given, in place.
        epochs: how many, 1 or more.
        seed: of all that is random; set before the function is called, and handed to it.
    """

    script: Path
    epochs: int
    seed: int

    def function(self, signature: str) -> Callable[..., Any]:
        """Return the script's function.

        Args:
            signature: of the function, for messages.

        Raises:
            EthosmithError: the script fails, with its line, or has no such function.
        """
        script = self.script
        spec = importlib.util.spec_from_file_location(script.stem, script)
        loader = spec.loader if spec else None
        if spec is None or loader is None:
            raise EthosmithError(f"{script}: not a Python file; it has to define {signature}")
        module = importlib.util.module_from_spec(spec)
        # Its neighbours are its own modules.
        sys.path.insert(0, str(script.resolve().parent))
        sys.modules[script.stem] = module
        self.called(lambda: loader.exec_module(module))
        function = getattr(module, FUNCTION, None)
        if not callable(function):
            raise EthosmithError(f"{script}: has no function {signature}")
        return function  # type: ignore[no-any-return] # getattr

    def called(self, function: Callable[[], Any]) -> None:
        """Call ``function``, which runs the user's code; what it raises ends in its line."""
        try:
            function()
        except EthosmithError:
            raise
        except Exception as error:  # noqa: BLE001 the user's own code
            place = place_of_error(error) or self.script
            raise EthosmithError(f"{place}: {type(error).__name__}: {first_line(error)}") from None
