from dataclasses import replace

import pytest

from api.transport.connection import connect
from api.transport.journal import KEPT, RedisJournal
from contracts.cameras import CameraState
from contracts.errors import TransportUnavailable
from ingest.changes import CameraChange
from tests.fakes.clock import START
from vision.attention import RungChange

CHANGE = CameraChange(
    camera_id="gate",
    at=START,
    before="live",
    after="stalled",
    state=CameraState.BLIND,
    cause="no frame for 6.0 s",
    lasted_s=61.0,
)


def test_changes_come_back_newest_first(redis_url: str) -> None:
    journal = RedisJournal(connect(redis_url))
    changes = [replace(CHANGE, lasted_s=float(number)) for number in range(5)]
    for change in changes:
        journal.add(change)
    journal.add(replace(CHANGE, camera_id="yard"))

    newest = journal.newest("gate", limit=2)
    assert [found.lasted_s for found in newest] == [4.0, 3.0]
    assert [(found.before, found.after) for found in newest] == 2 * [("live", "stalled")]


def test_steps_of_the_ladder_stand_among_them(redis_url: str) -> None:
    journal = RedisJournal(connect(redis_url))
    step = RungChange(
        camera_id="gate",
        at=START,
        before="everything",
        after="half",
        state=CameraState.DEGRADED,
        cause="this machine is too busy",
        lasted_s=12.0,
    )
    journal.add(CHANGE)
    journal.add(step)

    assert [found.after for found in journal.newest("gate", limit=9)] == ["half", "stalled"]


def test_changes_of_carrier_stand_among_them(redis_url: str) -> None:
    journal = RedisJournal(connect(redis_url))
    change = replace(CHANGE, before="udp", after="tcp", cause="by UDP 46% arrived damaged")
    journal.add(change)

    [found] = journal.newest("gate", limit=9)
    assert (found.before, found.after, found.cause) == ("udp", "tcp", change.cause)


def test_old_changes_make_room(redis_url: str) -> None:
    journal = RedisJournal(connect(redis_url))
    for _ in range(3 * KEPT):
        journal.add(CHANGE)

    assert KEPT <= len(journal.newest("gate", limit=10 * KEPT)) < 2 * KEPT


def test_a_redis_that_is_away_stops_no_camera() -> None:
    journal = RedisJournal(connect("redis://127.0.0.1:1/0"))

    journal.add(CHANGE)

    with pytest.raises(TransportUnavailable):
        journal.newest("gate", limit=1)
