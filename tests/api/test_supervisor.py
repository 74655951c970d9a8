import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.supervisor import (
    FIRST_WAIT_S,
    HEALTHY_AFTER_S,
    LONGEST_WAIT_S,
    PATIENCE_MAX_S,
    SILENT_AFTER_S,
    Patience,
    RestartPlan,
    Supervisor,
)
from contracts.clock import Clock, SystemClock

WAITS_FOR_STDIN = "import sys; sys.stdin.read()"


def wait_until(condition: Callable[[], bool], *, within_s: float = 10.0) -> None:
    clock = SystemClock()
    deadline_s = clock.monotonic_s() + within_s
    while not condition():
        assert clock.monotonic_s() < deadline_s, "it did not happen in time"
        clock.sleep(0.02)


class FastClock(SystemClock):
    """A hundred seconds pass in one."""

    def monotonic_s(self) -> float:
        return 100.0 * super().monotonic_s()


class Running:
    def __init__(
        self, script: str, *arguments: str, is_silent: bool = False, clock: Clock | None = None
    ) -> None:
        self.stop = threading.Event()
        self.supervisor = Supervisor(
            ["one", "two"],
            environment=dict(os.environ),
            clock=clock or SystemClock(),
            is_silent=lambda _pid: is_silent,
            command=lambda _stage, _restarts: [sys.executable, "-c", script, *arguments],
        )
        self.thread = threading.Thread(target=self.supervisor.run, args=(self.stop,))
        self.thread.start()

    def end(self) -> None:
        self.stop.set()
        self.thread.join(timeout=20)
        assert not self.thread.is_alive()


@pytest.fixture
def running() -> Iterator[Running]:
    started = Running(WAITS_FOR_STDIN)
    wait_until(lambda: len(started.supervisor.pids) == 2)
    yield started
    started.end()


def test_a_killed_stage_comes_back_and_the_other_is_left_alone(running: Running) -> None:
    before = running.supervisor.pids
    os.kill(before["one"], signal.SIGKILL)

    wait_until(lambda: running.supervisor.pids.get("one", before["one"]) != before["one"])

    assert running.supervisor.pids["two"] == before["two"]
    assert running.supervisor.restarts == {"one": 1, "two": 0}


def test_stopping_ends_every_stage(running: Running) -> None:
    pids = running.supervisor.pids.values()

    running.end()

    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_stage_that_keeps_failing_is_tried_ever_later() -> None:
    plan = RestartPlan()
    waits = [plan.wait_after(ran_s=0.1) for _ in range(12)]
    assert waits[:3] == [FIRST_WAIT_S, 2 * FIRST_WAIT_S, 4 * FIRST_WAIT_S]
    assert waits[-1] == LONGEST_WAIT_S


def test_a_stage_that_ran_long_starts_again_at_once() -> None:
    plan = RestartPlan()
    for _ in range(5):
        plan.wait_after(ran_s=0.1)
    assert plan.wait_after(ran_s=HEALTHY_AFTER_S) == FIRST_WAIT_S


def test_a_stage_that_starts_slowly_is_given_more_time_each_time() -> None:
    """On a machine under load a stage took 25 s to start and was killed after 20 s, for ever."""
    patience = Patience()
    limits = []
    for _ in range(8):
        limits.append(patience.limit_s)
        patience.killed()

    assert limits[:3] == [SILENT_AFTER_S, 2 * SILENT_AFTER_S, 4 * SILENT_AFTER_S]
    assert limits[-1] == PATIENCE_MAX_S


def test_a_stage_that_is_heard_has_as_little_time_as_any() -> None:
    patience = Patience()
    patience.killed()
    patience.heard()

    assert patience.limit_s == SILENT_AFTER_S


def test_a_silent_stage_is_killed_and_started_again() -> None:
    started = Running(WAITS_FOR_STDIN, is_silent=True, clock=FastClock())
    try:
        wait_until(lambda: started.supervisor.restarts["one"] >= 2)
    finally:
        started.end()


def test_a_stage_ends_when_its_supervisor_is_gone(tmp_path: Path) -> None:
    """``kill -9`` of the supervisor must not leave stages behind that watch the same cameras."""
    script = (
        "import threading; from api.supervisor import stop_with_parent; "
        "stop = threading.Event(); stop_with_parent(stop); stop.wait(20); "
        f"open({str(tmp_path / 'ended')!r}, 'w').close()"
    )
    started = Running(script)
    wait_until(lambda: len(started.supervisor.pids) == 2)
    started.end()
    assert not (tmp_path / "ended").exists()

    child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE)
    assert child.stdin is not None
    child.stdin.close()
    child.wait(timeout=10)
    assert (tmp_path / "ended").exists()


def test_processes_come_and_go_with_what_is_wanted() -> None:
    wanted = ["one"]
    stop = threading.Event()
    supervisor = Supervisor(
        wanted,
        environment=dict(os.environ),
        clock=SystemClock(),
        is_silent=lambda _pid: False,
        wanted=lambda: list(wanted),
        command=lambda _stage, _restarts: [sys.executable, "-c", WAITS_FOR_STDIN],
    )
    thread = threading.Thread(target=supervisor.run, args=(stop,))
    thread.start()
    wait_until(lambda: set(supervisor.pids) == {"one"})
    first = supervisor.pids["one"]

    wanted.append("one-2")
    wait_until(lambda: set(supervisor.pids) == {"one", "one-2"})
    wanted.remove("one-2")
    wait_until(lambda: set(supervisor.pids) == {"one"})

    assert supervisor.pids["one"] == first
    stop.set()
    thread.join(timeout=20)
