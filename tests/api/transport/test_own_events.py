from api.transport.connection import RedisClient
from api.transport.own_events import RedisOwnEvents
from ingest.onvif.events import OwnEvent, OwnEventKind
from tests.fakes.clock import START


def event(number: int) -> OwnEvent:
    return OwnEvent(
        camera_id="gate", at=START, kind=OwnEventKind.TAMPER, topic=f"t/{number}", is_on=None
    )


def test_the_newest_come_first(client: RedisClient) -> None:
    events = RedisOwnEvents(client)
    for number in range(5):
        events.add(event(number))

    assert [one.topic for one in events.newest("gate", limit=2)] == ["t/4", "t/3"]
    assert events.newest("yard", limit=2) == []
