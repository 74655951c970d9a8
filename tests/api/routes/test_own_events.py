from datetime import timedelta

from ingest.onvif.events import OwnEvent, OwnEventKind
from tests.fakes.clock import START
from tests.fakes.web import FakeWeb, WebClient

MOTION = OwnEvent(
    camera_id="gate",
    at=START,
    said_at=START - timedelta(hours=1),
    kind=OwnEventKind.MOTION,
    topic="VideoSource/MotionAlarm",
    is_on=True,
    source="source-1",
)


def test_what_a_camera_said_is_listed() -> None:
    web = FakeWeb()
    web.own_events = [MOTION]
    with WebClient(web.app()) as client:
        client.sign_in(web)
        source = {"url": "onvif://admin:hunter2@192.168.1.7"}
        client.post("/api/v1/cameras", json={"id": "gate", "source": source})
        answer = client.get("/api/v1/cameras/gate/own-events?limit=5")
        absent = client.get("/api/v1/cameras/yard/own-events")

    assert absent.status_code == 404
    [found] = answer.json()["items"]
    assert (found["kind"], found["on"], found["topic"]) == (
        "motion",
        True,
        "VideoSource/MotionAlarm",
    )
    assert found["at"] > found["said_at"]
