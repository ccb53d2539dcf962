# SPDX-License-Identifier: Apache-2.0
"""Chromium without a window, by the WebDriver protocol of its own driver program."""

from __future__ import annotations

import base64
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import requests

from tests.support.needs import program

_QUIET = ("background-networking", "component-update", "sync", "quic", "gpu", "default-apps")
_START_TIMEOUT_S = 60
_TIMEOUT_S = 60


class Browser:
    """One window. Each call waits until the page answers.

    Args:
        url: of the driver's session.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = requests.Session()
        # A proxy of the environment is not asked for the loopback address.
        self._http.trust_env = False

    def _post(self, command: str, **body: Any) -> Any:
        answer = self._http.post(f"{self._url}/{command}", json=body, timeout=_TIMEOUT_S).json()
        value = answer["value"]
        assert not (isinstance(value, dict) and "error" in value), value
        return value

    def _devtools(self, method: str, **params: Any) -> Any:
        return self._post("goog/cdp/execute", cmd=method, params=params)

    def show(self, width: int, scheme: str) -> None:
        """Be ``width`` CSS pixels wide, and prefer ``light`` or ``dark``."""
        self._devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=False,
        )
        preferred = [{"name": "prefers-color-scheme", "value": scheme}]
        self._devtools("Emulation.setEmulatedMedia", features=preferred)

    def open(self, url: str) -> None:
        """Load a page, and wait for it."""
        self._post("url", url=url)

    def run(self, script: str, *arguments: Any) -> Any:
        """Return what a function's body in JavaScript returns."""
        return self._post("execute/sync", script=script, args=list(arguments))

    def choose_files(self, selector: str, *paths: Path) -> None:
        """Put files into the ``input`` that ``selector`` finds, as a person would."""
        (element,) = self._post("elements", using="css selector", value=selector)
        (identity,) = element.values()
        self._post(f"element/{identity}/value", text="\n".join(map(str, paths)))

    def wait_for(self, script: str, timeout_s: float = _TIMEOUT_S) -> Any:
        """Return what a function's body in JavaScript returns as soon as it is not nothing."""
        end_s = time.monotonic() + timeout_s
        while not (value := self.run(script)):
            assert time.monotonic() < end_s, f"{script}\n{self.console()}"
            time.sleep(0.1)
        return value

    def names_of(self, *roles: str) -> list[str]:
        """Return the accessible names of all elements of these roles."""
        nodes = self._devtools("Accessibility.getFullAXTree")["nodes"]
        found = [n for n in nodes if not n["ignored"] and n["role"]["value"] in roles]
        return [str(node.get("name", {}).get("value", "")) for node in found]

    def link(self, text: str) -> str:
        """Return where the first link goes whose text has ``text``."""
        links = "[...document.querySelectorAll('a')]"
        script = f"return {links}.find((one) => one.textContent.includes(arguments[0])).href"
        return str(self.run(script, text))

    def console(self) -> list[str]:
        """Return what the console said since this was last asked."""
        return [entry["message"] for entry in self._post("se/log", type="browser")]

    def screenshot(self, target: Path) -> None:
        """Write the whole page as PNG."""
        shot = self._devtools("Page.captureScreenshot", captureBeyondViewport=True)
        target.write_bytes(base64.b64decode(cast(str, shot["data"])))

    def close(self) -> None:
        """End the browser."""
        self._http.delete(self._url, timeout=_TIMEOUT_S)


@contextmanager
def browser(profile: Path, *switches: str) -> Iterator[Browser]:
    """Start Chromium with an empty ``profile`` and further command-line switches.

    Without it the test is skipped, in CI it fails.
    """
    chromium, driver_program = program("chromium"), program("chromedriver")
    with subprocess.Popen(
        [driver_program, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as driver:
        try:
            session = _session(_port(driver), chromium, profile, switches)
            try:
                yield session
            finally:
                session.close()
        finally:
            driver.terminate()


def _port(driver: subprocess.Popen[str]) -> int:
    assert driver.stdout is not None
    for line in driver.stdout:
        found = re.search(r"started successfully on port (\d+)", line)
        if found:
            return int(found[1])
    raise AssertionError("chromedriver did not start")


def _session(port: int, chromium: str, profile: Path, further: Sequence[str]) -> Browser:
    switches = [
        "--headless=new",
        "--hide-scrollbars",
        "--no-sandbox",
        "--no-first-run",
        f"--user-data-dir={profile}",
    ]
    switches += [f"--disable-{what}" for what in _QUIET]
    switches += further
    capabilities = {
        "browserName": "chrome",
        "goog:chromeOptions": {"binary": chromium, "args": switches},
        "goog:loggingPrefs": {"browser": "ALL"},
    }
    with requests.Session() as http:
        http.trust_env = False
        url = f"http://127.0.0.1:{port}/session"
        body = {"capabilities": {"alwaysMatch": capabilities}}
        value = http.post(url, json=body, timeout=_START_TIMEOUT_S).json()["value"]
    assert "sessionId" in value, value
    return Browser(f"{url}/{value['sessionId']}")
