from dataclasses import replace
from datetime import timedelta

from alerts.history.sql import History
from alerts.history.watches import Watch
from contracts.cameras import CameraState
from tests.fakes.clock import START


def watch(from_s: float, to_s: float, *, camera_id: str = "gate") -> Watch:
    return Watch(
        camera_id=camera_id,
        started_at=START + timedelta(seconds=from_s),
        ended_at=START + timedelta(seconds=to_s),
        state=CameraState.BLIND,
        phase="stalled",
        cause="no frame for 6 s",
    )


def test_watches_come_back_whole_and_in_order(history: History) -> None:
    history.watches.keep([watch(60, 90), watch(0, 60), watch(0, 60, camera_id="yard")])

    found = history.watches.between("gate", START, START + timedelta(hours=1))

    assert found == [watch(0, 60), watch(60, 90)]


def test_a_watch_that_grew_replaces_itself(history: History) -> None:
    history.watches.keep([watch(0, 60)])
    history.watches.keep([replace(watch(0, 60), ended_at=START + timedelta(seconds=70))])

    assert history.watches.between("gate", START, START + timedelta(hours=1)) == [watch(0, 70)]


def test_only_what_reaches_into_the_time_is_returned(history: History) -> None:
    history.watches.keep([watch(0, 60), watch(60, 120), watch(120, 180)])

    inside = history.watches.between(
        "gate", START + timedelta(seconds=60), START + timedelta(seconds=120)
    )

    assert inside == [watch(60, 120)]


def test_old_watches_are_forgotten(history: History) -> None:
    history.watches.keep([watch(0, 60), watch(60, 120)])

    assert history.watches.forget_before(START + timedelta(seconds=61)) == 1
    assert history.watches.between("gate", START, START + timedelta(hours=1)) == [watch(60, 120)]
