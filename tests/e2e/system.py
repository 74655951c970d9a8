"""A whole Vigil as its users start it, and an integrator's endpoint that listens to it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from contracts.clock import SystemClock

START_S = 180.0
"""Six stages that start at once take half a minute, and several on a machine with other work."""

ItemT = TypeVar("ItemT")
CLOCK = SystemClock()
MOTION = {"VIGIL_VISION__DETECTOR": "motion"}
"""The detector that surely sees the rendered yard's visitors: these tests are about the rest."""
_TOLD_MAX = 8_000


def wait_for(look: Callable[[], ItemT | None], *, within_s: float, what: str) -> ItemT:
    """Return what ``look`` finds, asking again until it finds something."""
    deadline_s = CLOCK.monotonic_s() + within_s
    while True:
        found = look()
        if found:
            return found
        assert CLOCK.monotonic_s() < deadline_s, f"{what} did not happen within {within_s} s"
        CLOCK.sleep(0.1)


class RunningVigil:
    """``vigil run`` in a process of its own, with all its stages; ``prefix`` is what starts it."""

    def __init__(
        self,
        data_dir: Path,
        settings_text: str,
        *,
        arguments: tuple[str, ...] = (),
        prefix: tuple[str, ...] = (),
    ) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        settings = data_dir.parent / "vigil.toml"
        settings.write_text(settings_text)
        self.output: list[str] = []
        self._process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "api", "run", "--settings", str(settings),
             "--port", "0", "--data-dir", str(data_dir), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **MOTION, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.client = self._sign_in()
        except BaseException:
            # Nobody will have it to stop it.
            self._process.terminate()
            self._process.wait(timeout=60)
            raise

    @property
    def text(self) -> str:
        return "".join(self.output)

    @property
    def pid(self) -> int:
        """Process id of the supervisor."""
        return self._process.pid

    def stage_pids(self) -> dict[str, int]:
        """Process id of each stage, by its command line; ``ingest-2`` is the second of ingest."""
        pids = {}
        for child in psutil.Process(self._process.pid).children():
            try:
                command = child.cmdline()
            except psutil.NoSuchProcess:  # it has just ended; a zombie is one of these
                continue
            if "--only" in command:
                stage = command[command.index("--only") + 1]
                group = command[command.index("--group") + 1] if "--group" in command else "1"
                pids[stage if group == "1" else f"{stage}-{group}"] = child.pid
        return pids

    def ingest_pids(self) -> dict[int, int]:
        """Process id of each ingest process, by its group of cameras."""
        pids = {}
        for name, pid in self.stage_pids().items():
            stage, _, group = name.partition("-")
            if stage == "ingest":
                pids[int(group or 1)] = pid
        return pids

    def kill_stage(self, stage: str) -> None:
        os.kill(self.stage_pids()[stage], signal.SIGKILL)

    def alerts(self, **where: str | int) -> list[dict[str, Any]]:
        answer = self.client.get("/api/v1/alerts", params={"limit": 100, **where})
        answer.raise_for_status()
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def kill(self) -> list[psutil.Process]:
        """Kill the supervisor alone, with no chance to clean up; what it leaves behind."""
        left = psutil.Process(self._process.pid).children()
        self.client.close()
        self._process.kill()
        self._process.wait(timeout=10)
        self._reader.join(timeout=5)
        return left

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Ask it to stop, as Ctrl-C does (SIGTERM: as a service manager does); its exit status."""
        self.client.close()
        self._process.send_signal(how)
        try:
            code = self._process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        self._reader.join(timeout=5)
        return code

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self.output.append(line)

    def _sign_in(self) -> httpx.Client:
        def found() -> re.Match[str] | None:
            assert self._process.poll() is None, f"vigil run ended:\n{self.text}"
            return re.search(r"(http://\S+?)/sign-in#link=(\S+)", self.text)

        base_url, link = wait_for(found, within_s=START_S, what="the sign-in link").groups()
        client = httpx.Client(base_url=base_url, timeout=10, headers={"Origin": base_url})
        client.post("/api/v1/sign-in", json={"link": link}).raise_for_status()
        return client


class Endpoint:
    """An integrator's webhook endpoint: keeps what it is sent, answers 204."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        received = self.received

        class Listener(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append(
                    ({name.lower(): value for name, value in self.headers.items()}, body)
                )
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


class EventStream:
    """A client of ``GET /api/v1/stream`` on a thread; keeps the events it was sent."""

    def __init__(self, vigil: RunningVigil) -> None:
        self.events: list[tuple[int, str, Mapping[str, Any]]] = []
        self._heard_at: list[datetime] = []
        cookies = dict(vigil.client.cookies)
        self._client = httpx.Client(base_url=vigil.client.base_url, cookies=cookies, timeout=30)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def named(self, name: str) -> list[Mapping[str, Any]]:
        return [content for _, kind, content in self.events if kind == name]

    def heard(self, name: str) -> list[tuple[datetime, Mapping[str, Any]]]:
        """When each event of this name came, and what it says."""
        pairs = zip(self._heard_at, self.events, strict=False)
        return [(at, content) for at, (_, kind, content) in pairs if kind == name]

    def close(self) -> None:
        self._client.close()
        self._thread.join(timeout=5)

    def _read(self) -> None:
        try:
            with self._client.stream("GET", "/api/v1/stream") as answer:
                for event in _parse(answer.iter_lines()):
                    self._heard_at.append(CLOCK.now())
                    self.events.append(event)
        except (httpx.HTTPError, RuntimeError, OSError):
            return  # closed, by us or by the server's end


def _parse(lines: Iterator[str]) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    number, name, content = 0, "", ""
    for line in lines:
        key, _, value = line.partition(": ")
        if key == "id":
            number = int(value)
        elif key == "event":
            name = value
        elif key == "data":
            content += value
        elif line == "" and content:
            yield number, name, json.loads(content)
            name, content = "", ""


@contextmanager
def running(
    data_dir: Path, settings_text: str, *, prefix: tuple[str, ...] = ()
) -> Iterator[RunningVigil]:
    """Start a whole Vigil and stop it at the end of the block, cleanly or the test fails."""
    vigil = RunningVigil(data_dir, settings_text, prefix=prefix)
    try:
        yield vigil
    except BaseException as error:
        error.add_note(f"what it said:\n{vigil.text[-_TOLD_MAX:]}")
        raise
    finally:
        code = vigil.stop()
    assert code == 0, vigil.text
