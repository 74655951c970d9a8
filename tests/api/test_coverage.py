import itertools
import threading
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.history.watches import Watch
from api.coverage import Watcher, covered, covered_by_step, keep_watch
from contracts.cameras import Camera, CameraState, CameraStatus
from contracts.clock import SystemClock
from tests.fakes.clock import START
from tests.fakes.watches import InMemoryWatches
from tests.ingest.recordings import file_camera

SEEING, DEGRADED, BLIND = CameraState.SEEING, CameraState.DEGRADED, CameraState.BLIND


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def status(
    seconds: float,
    state: CameraState = SEEING,
    cause: str = "",
    *,
    camera_id: str = "gate",
    age_s: float = 0.0,
) -> CameraStatus:
    return CameraStatus(
        camera_id=camera_id, state=state, phase="live", updated_at=at(seconds - age_s), cause=cause
    )


def watch(from_s: float, to_s: float, state: CameraState = SEEING, cause: str = "") -> Watch:
    return Watch(
        camera_id="gate",
        started_at=at(from_s),
        ended_at=at(to_s),
        state=state,
        phase="live",
        cause=cause,
    )


def test_one_state_is_one_watch() -> None:
    watcher = Watcher()
    begun = [watcher.look([status(second)], at=at(second)) for second in range(60)]

    assert [len(watches) for watches in begun[:3]] == [1, 0, 0]
    assert watcher.open == [watch(0, 59)]


def test_a_change_ends_one_watch_where_the_next_begins() -> None:
    watcher = Watcher()
    watcher.look([status(0)], at=at(0))
    watcher.look([status(1)], at=at(1))

    changed = watcher.look([status(2, BLIND, "no frame for 6.0 s")], at=at(2))

    assert changed == [watch(0, 2), watch(2, 2, BLIND, "no frame for 6.0 s")]


def test_figures_that_change_are_no_change_of_cause() -> None:
    watcher = Watcher()
    watcher.look([status(0, BLIND, "no frame for 6.0 s")], at=at(0))

    assert watcher.look([status(1, BLIND, "no frame for 7.0 s")], at=at(1)) == []


@pytest.mark.parametrize("to_s", [4.0, -60.0])
def test_what_lies_between_looks_far_apart_is_unknown(to_s: float) -> None:
    watcher = Watcher()
    watcher.look([status(0)], at=at(0))

    changed = watcher.look([status(to_s)], at=at(to_s))

    assert changed == [watch(0, 0), watch(to_s, to_s)]


def test_an_ingestor_that_is_gone_does_not_look_like_health() -> None:
    watcher = Watcher()

    [begun] = watcher.look([status(10, SEEING, age_s=3.1)], at=at(10))

    assert (begun.state, begun.phase) == (BLIND, "unknown")
    assert begun.cause == "no ingest stage has reported on it"


def test_a_camera_that_is_removed_ends_its_watch() -> None:
    watcher = Watcher()
    watcher.look([status(0)], at=at(0))
    watcher.look([status(1)], at=at(1))

    assert watcher.look([], at=at(2)) == [watch(0, 1)]
    assert watcher.open == []


def test_an_interval_is_split_by_state() -> None:
    watches = [watch(0, 100), watch(100, 130, BLIND), watch(130, 140, DEGRADED), watch(150, 300)]

    found = covered(watches, at(50), at(200))

    assert (found.seeing_s, found.blind_s, found.degraded_s, found.unknown_s) == (100, 30, 10, 10)
    assert found.share == pytest.approx(110 / 150)


def test_steps_cover_the_interval() -> None:
    found = covered_by_step([watch(0, 90)], at(0), at(150), step=timedelta(seconds=60))

    assert [(part.starts_at, part.ends_at) for part in found] == [
        (at(0), at(60)),
        (at(60), at(120)),
        (at(120), at(150)),
    ]
    assert [part.share for part in found] == [1.0, 0.5, 0.0]


@given(
    looks=st.lists(
        st.tuples(st.floats(0.1, 10.0), st.sampled_from(CameraState)), min_size=1, max_size=40
    )
)
def test_seconds_add_up_and_none_is_counted_twice(looks: list[tuple[float, CameraState]]) -> None:
    watcher, kept, now_s = Watcher(), InMemoryWatches(), 0.0
    for step_s, state in looks:
        now_s += step_s
        kept.keep(watcher.look([status(now_s, state)], at=at(now_s)))
    kept.keep(watcher.open)
    watches = kept.between("gate", at(0), at(now_s))

    found = covered(watches, at(0), at(now_s))

    total_s = found.seeing_s + found.degraded_s + found.blind_s + found.unknown_s
    assert total_s == pytest.approx(now_s, abs=1e-3)
    assert all(a.ended_at <= b.started_at for a, b in itertools.pairwise(watches))


def test_a_database_that_was_away_gets_what_it_missed() -> None:
    kept, stop, looks = InMemoryWatches(), threading.Event(), 0
    kept.is_down = True

    def look(camera: Camera) -> CameraStatus:
        nonlocal looks
        looks += 1
        kept.is_down = looks < 2
        if looks == 2:
            stop.set()
        now = SystemClock().now()
        return CameraStatus(camera_id=camera.camera_id, state=SEEING, phase="live", updated_at=now)

    keep_watch(
        cameras=lambda: [file_camera("x")],
        status=look,
        watch_log=kept,
        clock=SystemClock(),
        stop=stop,
    )

    [found] = kept.kept.values()
    assert (found.ended_at - found.started_at).total_seconds() >= 0.9
