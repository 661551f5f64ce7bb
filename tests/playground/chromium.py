"""A headless Chromium, driven over a pipe by its own protocol: nothing but the standard library."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
SECONDS = 120.0

# The browser reads from descriptor 3 and writes to 4, whatever ours are called.
_MOVE = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
for end, wanted in zip(ends, (3, 4)):
    os.dup2(end, wanted)
os.execv(sys.argv[3], sys.argv[3:])
"""

KEYS = {
    "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13, "Tab": 9,
    " ": 32, "Home": 36, "End": 35, "Escape": 27, "PageUp": 33, "PageDown": 34,
}  # fmt: skip


def find() -> str:
    """Find the browser, or say what to do."""
    named = os.environ.get("DEEPLIMIT_CHROMIUM")
    for name in (named,) if named else NAMES:
        found = shutil.which(name)
        if found:
            return found
    raise RuntimeError(
        "the tests of the playground need Chromium: install the package chromium, or name a "
        "Chromium or Chrome in DEEPLIMIT_CHROMIUM"
    )


class Failed(AssertionError):
    """The page, or the browser, answered with an error."""


class Browser:
    """A browser of its own, with a profile that is thrown away."""

    def __init__(self, *flags: str) -> None:
        self._folder = tempfile.mkdtemp(prefix="deeplimit-chromium-")
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        options = [find(), *FLAGS, f"--user-data-dir={self._folder}", *flags]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _MOVE, str(to_read), str(to_write), *options],
            pass_fds=(to_read, to_write), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_read)
        os.close(to_write)
        self._id = 0
        self._answers: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._listeners: dict[str, list[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        buffer = b""
        while True:
            try:
                chunk = os.read(self._from, 1 << 20)
            except OSError:
                chunk = b""
            if not chunk:
                for waiting in list(self._answers.values()):
                    waiting.put({"error": {"message": "the browser has gone"}})
                return
            *messages, buffer = (buffer + chunk).split(b"\0")
            for raw in messages:
                message = json.loads(raw)
                if "id" in message:
                    self._answers[message["id"]].put(message)
                else:
                    session = message.get("sessionId", "")
                    self._listeners.setdefault(session, []).append(message)

    def send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        with self._lock:
            self._id += 1
            number = self._id
            self._answers[number] = queue.Queue()
            message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
            if session:
                message["sessionId"] = session
            data = json.dumps(message).encode() + b"\0"
            while data:
                data = data[os.write(self._to, data) :]
        try:
            answer = self._answers[number].get(timeout=SECONDS)
        except queue.Empty:
            raise Failed(f"{method} was not answered in {SECONDS:g} s") from None
        del self._answers[number]
        if "error" in answer:
            raise Failed(f"{method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer.get("result", {})
        return result

    def events(self, session: str) -> list[dict[str, Any]]:
        """List what a page has reported."""
        return list(self._listeners.get(session, []))

    def page(self, url: str, **settings: Any) -> Page:
        """Open a page in a window of its own."""
        return Page(self, url, **settings)

    def close(self) -> None:
        """End the browser and throw its profile away."""
        with contextlib.suppress(Failed, OSError):
            self.send("Browser.close")
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for descriptor in (self._to, self._from):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Page:
    """One page: evaluate, type, click, look."""

    def __init__(
        self, browser: Browser, url: str, *, width: int = 1280, height: int = 900,
        dark: bool = False, calm: bool = False,
    ) -> None:  # fmt: skip
        self._browser = browser
        context = browser.send("Target.createBrowserContext")["browserContextId"]
        self._context = context
        target = browser.send("Target.createTarget", url="about:blank", browserContextId=context)
        attached = browser.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")
        self.resize(width, height)
        # Several pages are open: each is to take keys as if it were the one in front.
        self.send("Emulation.setFocusEmulationEnabled", enabled=True)
        self.send(
            "Emulation.setEmulatedMedia",
            features=[
                {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                {"name": "prefers-reduced-motion", "value": "reduce" if calm else "no-preference"},
            ],
        )
        self.send("Page.navigate", url=url)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command to the page."""
        return self._browser.send(method, self.session, **parameters)

    def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip

    def value(self, script: str) -> Any:
        """Evaluate an expression, awaited if it is a promise."""
        answer = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            text = details.get("exception", {}).get("description") or details.get("text")
            raise Failed(f"{script[:200]}: {text}")
        return answer["result"].get("value")

    def until(self, script: str, seconds: float = SECONDS) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(Failed):
                if self.value(f"!!({script})"):
                    return
            if time.monotonic() > end:
                raise Failed(f"never true: {script}; the page says {self.complaints()}")
            time.sleep(0.03)

    def complaints(self) -> list[str]:
        """List errors and warnings of the console, and exceptions that nobody caught."""
        found = []
        for event in self._browser.events(self.session):
            parameters = event["params"]
            if event["method"] == "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                found.append(details.get("exception", {}).get("description", details["text"]))
            elif event["method"] == "Log.entryAdded":
                entry = parameters["entry"]
                if entry["level"] in ("error", "warning"):
                    found.append(f"{entry['text']} {entry.get('url', '')}")
            elif event["method"] == "Runtime.consoleAPICalled" and parameters["type"] in (
                "error", "warning",
            ):  # fmt: skip
                found.append(" ".join(str(a.get("value")) for a in parameters["args"]))
        return found

    def requests(self) -> list[str]:
        """List the addresses the page has asked for."""
        return [
            event["params"]["request"]["url"]
            for event in self._browser.events(self.session)
            if event["method"] == "Network.requestWillBeSent"
        ]

    def press(self, key: str, *, times: int = 1, shift: bool = False) -> None:
        """Press a key, wherever the focus is."""
        code = KEYS.get(key, ord(key[0].upper()))
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": 8 * shift}
        text = {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else "")
        for _ in range(times):
            self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
            self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text: str) -> None:
        """Type text where the focus is."""
        self.send("Input.insertText", text=text)

    def click(self, selector: str) -> None:
        """Click the middle of an element, scrolled into view."""
        box = self.value(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); "
            "e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect(); "
            "return [b.left + b.width / 2, b.top + b.height / 2]; })()"
        )
        self.click_at(*box)

    def click_at(self, x: float, y: float) -> None:
        """Click a place of the window."""
        common = {"x": x, "y": y, "button": "left", "clickCount": 1}
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.send("Input.dispatchMouseEvent", type="mousePressed", **common)
        self.send("Input.dispatchMouseEvent", type="mouseReleased", **common)

    def point_at(self, x: float, y: float) -> None:
        """Move the mouse."""
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def give_file(self, selector: str, path: Path) -> None:
        """Choose a file in a file field."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        """Take a picture."""
        shot = self.send("Page.captureScreenshot", captureBeyondViewport=whole, format="png")
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        """Close the page, and forget what it kept."""
        self._browser.send("Target.disposeBrowserContext", browserContextId=self._context)


@contextlib.contextmanager
def browser(*flags: str) -> Iterator[Browser]:
    """Start a browser, and end it."""
    with Browser(*flags) as made:
        yield made
