"""What cameras say by themselves, heard from a real server on loopback."""

import threading
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.clock import SystemClock
from contracts.settings import IngestSettings
from ingest.onvif.device import OnvifDevice
from ingest.onvif.events import OwnEvent, OwnEventKind, PullPoint
from ingest.onvif.listener import EventListener
from ingest.onvif.soap import SoapFault
from tests.fakes.clock import ManualClock
from tests.onvif_device import OnvifServer
from tests.onvif_events import TalkingServer, message

LOGIN: dict[str, Any] = {"user": "admin", "password": "hunter2"}
MOTION = "tns1:RuleEngine/CellMotionDetector/Motion"


def point_of(server: OnvifServer, clock: ManualClock | None = None) -> PullPoint:
    device = OnvifDevice(url=server.url, timeout_s=5.0, clock=SystemClock())
    return PullPoint(services=device.services, camera_id="gate", clock=clock or SystemClock())


def heard(*said: str) -> list[OwnEvent]:
    with TalkingServer(**LOGIN, named_host="192.0.2.9", said=deque(said)) as server:
        point = point_of(server)
        assert point.open()
        found = [event for _ in said for event in point.pull()]
        point.close()
        assert server.asked[-1] == "Unsubscribe"
    return found


def test_a_camera_says_motion_and_its_end() -> None:
    found = heard(message(MOTION, "true", item="IsMotion"), message(MOTION, "false"))

    assert [(one.kind, one.is_on) for one in found] == [
        (OwnEventKind.MOTION, True),
        (OwnEventKind.MOTION, False),
    ]
    assert found[0].topic == "RuleEngine/CellMotionDetector/Motion"
    assert found[0].said_at == datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
    assert found[0].source == "source-1"


def test_states_that_are_repeated_or_were_never_on_are_no_news() -> None:
    found = heard(
        message(MOTION, "false"), message(MOTION, "1"), message(MOTION, "true") * 3, message(MOTION)
    )

    assert [one.is_on for one in found] == [True]


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("tns1:VideoSource/MotionAlarm", OwnEventKind.MOTION),
        ("tns1:VideoSource/GlobalSceneChange/ImagingService", OwnEventKind.TAMPER),
        ("tns1:RuleEngine/TamperDetector/Tamper", OwnEventKind.TAMPER),
        ("tns1:VideoSource/ImageTooBlurry/AnalyticsService", OwnEventKind.POOR_PICTURE),
        ("tns1:VideoSource/SignalLoss", OwnEventKind.SIGNAL_LOSS),
        ("tns1:Device/Trigger/tnsacme:Relay", OwnEventKind.OTHER),
    ],
)
def test_topics_come_to_kinds(topic: str, kind: OwnEventKind) -> None:
    assert [one.kind for one in heard(message(topic))] == [kind]


def test_what_has_no_state_or_time_is_told_as_it_is() -> None:
    [found] = heard(message("a:Doorbell/Rang", "front", item="Button", at="yesterday"))

    assert (found.kind, found.is_on, found.said_at) == (OwnEventKind.OTHER, None, None)


def test_a_subscription_is_renewed_before_the_device_forgets_it() -> None:
    clock = ManualClock()
    with TalkingServer(**LOGIN) as server:
        point = point_of(server, clock)
        point.open()
        point.pull()
        assert "Renew" not in server.asked
        clock.advance(61.0)
        point.pull()
        assert server.asked.count("Renew") == 1


def test_a_device_without_events_is_left_alone() -> None:
    with OnvifServer() as server:
        assert not point_of(server).open()
        assert listen(server, until=1) == []

        assert server.asked.count("CreatePullPointSubscription") == 2


def test_a_device_that_takes_no_more_subscribers_says_why() -> None:
    with TalkingServer(has_events=False) as server, pytest.raises(SoapFault, match="too many"):
        point_of(server).open()


def listen(
    server: OnvifServer, *, until: int, seconds: float = 8.0, url: str = ""
) -> list[OwnEvent]:
    """Run a listener until it told so much, or for some seconds."""
    found: list[OwnEvent] = []
    stop = threading.Event()
    listener = EventListener(
        camera=Camera(
            camera_id="gate",
            source=SourceSettings(source_type=SourceType.ONVIF, url=url or server.url),
        ),
        settings=IngestSettings(),
        clock=SystemClock(),
        tell=found.append,
    )
    thread = threading.Thread(target=listener.run, args=(stop,))
    thread.start()
    ends_s = time.monotonic() + seconds
    while len(found) < until and time.monotonic() < ends_s and thread.is_alive():
        time.sleep(0.02)
    stop.set()
    thread.join(10.0)
    assert not thread.is_alive()
    return found


def test_a_loop_hears_events_and_stops(capsys: pytest.CaptureFixture[str]) -> None:
    with TalkingServer(**LOGIN, said=deque([message(MOTION)])) as server:
        found = listen(server, until=1)

        assert server.asked[-1] == "Unsubscribe"
    assert [one.kind for one in found] == [OwnEventKind.MOTION]
    assert "hunter2" not in capsys.readouterr().out


def test_a_detector_that_flutters_is_not_told_for_ever() -> None:
    said = "".join(message(MOTION, "true" if n % 2 else "false") for n in range(1, 62))
    with TalkingServer(**LOGIN, said=deque([said])) as server:
        found = listen(server, until=31, seconds=2.0)

    assert len(found) == 30


def test_a_refused_password_is_not_tried_again_soon(capsys: pytest.CaptureFixture[str]) -> None:
    with TalkingServer(**LOGIN) as server:
        url = server.url.replace("hunter2", "another")
        assert listen(server, until=1, seconds=2.0, url=url) == []

        assert server.refused == 1
    assert "another" not in capsys.readouterr().out


def test_a_clock_that_is_hours_off_is_told_as_it_says() -> None:
    with TalkingServer(**LOGIN, clock_ahead=timedelta(hours=3), said=deque([message(MOTION)])) as s:
        point = point_of(s)
        point.open()
        [found] = point.pull()

    assert found.said_at == datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
