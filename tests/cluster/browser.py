"""A page in a real browser: Chromium without a window, over its DevTools protocol on two pipes."""

import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAMS = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
LONGEST = 60


def missing():
    """Why there is no browser; None when there is one."""
    if any(shutil.which(name) for name in PROGRAMS):
        return None
    return f"there is no browser: none of {', '.join(PROGRAMS)} (tools/setup tests)"


class Browser:
    """One page, and what happened while it was shown."""

    def __init__(self):
        program = next(path for path in map(shutil.which, PROGRAMS) if path)
        self.folder = tempfile.mkdtemp(prefix="confiture-browser.")
        to_child, self._to = _pipe()
        self._from, from_child = _pipe()
        # The protocol is spoken on descriptors 3 and 4: the shell puts the pipes there.
        self._process = subprocess.Popen(
            [
                "bash",
                "-c",
                f'exec 3<&{to_child} 4>&{from_child}; exec "$@"',
                "bash",
                program,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--remote-debugging-pipe",
                f"--user-data-dir={self.folder}",
                "about:blank",
            ],
            pass_fds=[to_child, from_child],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_child)
        os.close(from_child)
        self._buffer = b""
        self._number = 0
        self._session = None
        self.events = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ["Page", "Network", "Runtime", "Log", "Audits"]:
            self._call(f"{domain}.enable")

    def open(self, path):
        """Shows a file, or what a server of ours has at an address."""
        self.events.clear()
        self._call("Page.navigate", url=path if isinstance(path, str) else path.as_uri())
        self._until(lambda event: event["method"] == "Page.loadEventFired")
        # What the page would fetch late is asked for once it is idle.
        self.value("new Promise(done => setTimeout(done, 300))")

    def value(self, expression):
        """What an expression gives in the page."""
        result = self._call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def media(self, **features):
        """Shows the page as on paper (media="print") or in the dark (scheme="dark")."""
        scheme = features.get("scheme", "light")
        self._call(
            "Emulation.setEmulatedMedia",
            media=features.get("media", "screen"),
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def width(self, pixels):
        """Sets how wide the window is."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=pixels,
            height=800,
            deviceScaleFactor=1,
            mobile=False,
        )

    def requests(self):
        """Every address that was asked for."""
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def complaints(self):
        """Every error, warning and issue that the browser noted."""
        noted = {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"}
        noted |= {"Audits.issueAdded", "Page.javascriptDialogOpening"}
        return [event for event in self.events if event["method"] in noted]

    def capture(self, method, **parameters):
        """What Page.captureScreenshot or Page.printToPDF gives, in base64."""
        return self._call(f"Page.{method}", **parameters)["data"]

    def stop(self):
        """Ends it."""
        self._process.terminate()
        self._process.wait(timeout=LONGEST)
        os.close(self._to)
        os.close(self._from)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _call(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        answer = self._until(lambda message: message.get("id") == self._number)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def _until(self, wanted):
        for event in self.events:
            if wanted(event):
                return event
        end = time.monotonic() + LONGEST
        while True:
            message = self._read(end)
            if "method" in message:
                self.events.append(message)
            if wanted({"method": "", **message}):
                return message

    def _read(self, end):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(0, end - time.monotonic()))
            assert ready, "the browser does not answer"
            part = os.read(self._from, 1 << 16)
            assert part, "the browser has ended"
            self._buffer += part
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)


def _pipe():
    """A pipe whose numbers are out of the way of those that the browser wants."""
    ends = os.pipe()
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return moved
