"""Runs every stage as its own process and brings back those that die.

The decision when to start again is ``RestartPlan`` (pure); ``Supervisor`` does the rest.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from contracts.clock import Clock

log = structlog.get_logger()

STAGES: Final = ("ingest", "vision", "moe_core", "alerts", "api")
FIRST_WAIT_S: Final = 0.2
LONGEST_WAIT_S: Final = 30.0
HEALTHY_AFTER_S: Final = 30.0
"""A stage that ran this long had recovered: its next failure is a first one again."""
SILENT_AFTER_S: Final = 20.0
"""A stage without heartbeat for this long hangs and is killed."""
PATIENCE_MAX_S: Final = 320.0
_STOP_WAIT_S: Final = 12.0
_POLL_S: Final = 0.1
_FOLLOW_EVERY_S: Final = 2.0


class RestartPlan:
    """When a process that died is started again: at once the first time, then ever later."""

    def __init__(self) -> None:
        self._failures = 0

    def wait_after(self, *, ran_s: float) -> float:
        """Return the seconds to wait before the next start.

        Args:
            ran_s: How long the process had run.
        """
        if ran_s >= HEALTHY_AFTER_S:
            self._failures = 0
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0**self._failures)
        self._failures += 1
        return wait_s


class Patience:
    """How long a process may run without having been heard: on a busy machine starting takes long.

    It doubles each time one was killed for its silence, until one is heard; else a machine that is
    slow to start a stage would never have it.
    """

    def __init__(self) -> None:
        self._killed = 0

    @property
    def limit_s(self) -> float:
        """Seconds from the start after which silence counts."""
        return min(PATIENCE_MAX_S, SILENT_AFTER_S * 2.0**self._killed)

    def killed(self) -> None:
        """Note that one was silent for too long."""
        self._killed += 1

    def heard(self) -> None:
        """Note that one works."""
        self._killed = 0


@dataclass(slots=True, kw_only=True)
class _Child:
    """One stage's process and its story."""

    stage: str
    plan: RestartPlan = field(default_factory=RestartPlan)
    patience: Patience = field(default_factory=Patience)
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    start_due_s: float = 0.0
    restarts: int = 0


class Supervisor:
    """Starts, watches, restarts and stops the stage processes.

    Args:
        stages: Which to run. ``ingest-2`` is a second process of the stage ``ingest``.
        environment: Of the stage processes; settings travel in it, secrets never on a command
            line.
        clock: For waiting and back-off.
        is_silent: Says whether a running stage has stopped sending heartbeats.
        wanted: Says every few seconds which to run from now on.
        command: What starts a stage, given its name and how often it was brought back; for tests.
    """

    def __init__(
        self,
        stages: Sequence[str],
        *,
        environment: Mapping[str, str],
        clock: Clock,
        is_silent: Callable[[int], bool],
        wanted: Callable[[], Sequence[str]] | None = None,
        command: Callable[[str, int], list[str]] | None = None,
    ) -> None:
        self._children = [_Child(stage=stage) for stage in stages]
        self._environment = dict(environment)
        self._clock = clock
        self._is_silent = is_silent
        self._wanted = wanted
        self._followed_s = clock.monotonic_s()
        self._command = command or _stage_command

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the stages that run now."""
        return {
            child.stage: child.process.pid
            for child in self._children
            if child.process is not None and child.process.poll() is None
        }

    @property
    def restarts(self) -> dict[str, int]:
        """How often each stage was brought back."""
        return {child.stage: child.restarts for child in self._children}

    def run(self, stop: threading.Event) -> None:
        """Keep the stages alive until ``stop``, then stop them in the order of the flow."""
        try:
            while not stop.is_set():
                self._follow()
                for child in self._children:
                    self._tend(child)
                stop.wait(_POLL_S)
        finally:
            self._stop_all()

    def _follow(self) -> None:
        """Begin with processes that are wanted now, and stop those that are not any more."""
        now_s = self._clock.monotonic_s()
        if self._wanted is None or now_s - self._followed_s < _FOLLOW_EVERY_S:
            return
        self._followed_s = now_s
        wanted = self._wanted()
        known = [child.stage for child in self._children]
        self._children += [_Child(stage=stage) for stage in wanted if stage not in known]
        self._stop([child for child in self._children if child.stage not in wanted])
        self._children = [child for child in self._children if child.stage in wanted]

    def _tend(self, child: _Child) -> None:
        now_s = self._clock.monotonic_s()
        if child.process is None:
            if now_s >= child.start_due_s:
                self._start(child)
            return
        code = child.process.poll()
        ran_s = now_s - child.started_s
        if code is None:
            if ran_s > child.patience.limit_s:
                self._listen(child, child.process, ran_s)
            return
        wait_s = child.plan.wait_after(ran_s=ran_s)
        _close_input(child.process)
        child.process = None
        child.restarts += 1
        child.start_due_s = now_s + wait_s
        log.error(
            "stage ended, starting it again",
            stage=child.stage,
            ended_by=_ended_by(code),
            ran_s=round(ran_s, 1),
            wait_s=round(wait_s, 1),
        )

    def _listen(self, child: _Child, process: "subprocess.Popen[bytes]", ran_s: float) -> None:
        """Kill what is not heard of."""
        if not self._is_silent(process.pid):
            child.patience.heard()
            return
        log.error(
            "stage hangs, killing it",
            stage=child.stage,
            pid=process.pid,
            ran_s=round(ran_s, 1),
            patience_s=child.patience.limit_s,
        )
        child.patience.killed()
        process.kill()
        process.wait()

    def _start(self, child: _Child) -> None:
        child.started_s = self._clock.monotonic_s()
        child.process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            self._command(child.stage, child.restarts),
            env=self._environment,
            stdin=subprocess.PIPE,  # its end tells the stage that we are gone
            start_new_session=True,  # Ctrl-C comes to us alone; we stop the stages in order
        )
        log.debug("stage started", stage=child.stage, pid=child.process.pid)

    def _stop_all(self) -> None:
        self._stop(self._children)

    def _stop(self, children: Sequence[_Child]) -> None:
        running = [child for child in children if child.process is not None]
        for child in running:
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        deadline_s = self._clock.monotonic_s() + _STOP_WAIT_S
        for child in running:
            if child.process is None:
                continue
            try:
                child.process.wait(timeout=max(0.1, deadline_s - self._clock.monotonic_s()))
            except subprocess.TimeoutExpired:
                log.warning("stage did not stop in time, killing it", stage=child.stage)
                child.process.kill()
                child.process.wait()
            _close_input(child.process)
            child.process = None


def stop_on_signals(stop: threading.Event) -> None:
    """Set ``stop`` at SIGINT and SIGTERM; a second SIGINT ends the process at once."""

    def ask(number: int, _frame: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            os._exit(130)
        stop.set()

    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)


def stop_with_parent(stop: threading.Event) -> None:
    """Set ``stop`` when the supervisor at the other end of standard input is gone."""

    def watch() -> None:
        # The descriptor, not sys.stdin: a daemon thread that holds its lock breaks the shutdown.
        while os.read(0, 1):
            continue
        stop.set()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _stage_command(name: str, restarts: int) -> list[str]:
    stage, _, group = name.partition("-")
    command = [sys.executable, "-m", "api", "run", "--only", stage, "--supervised", str(restarts)]
    return [*command, "--group", group or "1"] if stage == "ingest" else command


def _close_input(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()


def _ended_by(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit {code}"
