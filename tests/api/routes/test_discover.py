import threading

import pytest

from api.probing import Seeker
from api.problems import Refusal
from ingest.onvif.discovery import FoundDevice
from tests.fakes.web import FakeWeb, WebClient

GATE = FoundDevice(address="192.168.1.7", url="onvif://192.168.1.7/onvif/device_service", name="A")


def test_what_answers_is_listed_with_the_camera_that_it_is() -> None:
    web = FakeWeb()
    web.devices = [GATE]
    with WebClient(web.app()) as client:
        client.sign_in(web)
        source = {"url": "rtsp://admin:hunter2@192.168.1.7/live"}
        client.post("/api/v1/cameras", json={"id": "gate", "source": source})
        answer = client.post("/api/v1/cameras/discover", json={})

    assert answer.status_code == 200, answer.text
    [found] = answer.json()["items"]
    assert (found["url"], found["name"], found["camera_id"]) == (GATE.url, "A", "gate")
    assert "hunter2" not in answer.text


def test_it_listens_for_some_seconds_at_most() -> None:
    web = FakeWeb()
    with WebClient(web.app()) as client:
        answer = client.sign_in(web).post("/api/v1/cameras/discover", json={"seconds": 60})

    assert answer.status_code == 422


def test_one_look_at_a_time() -> None:
    begun, end = threading.Event(), threading.Event()

    def look(_wait_s: float) -> list[FoundDevice]:
        begun.set()
        end.wait()
        return [GATE]

    seeker = Seeker(look)
    first = threading.Thread(target=seeker.discover, args=(1.0,))
    first.start()
    begun.wait()
    with pytest.raises(Refusal, match="somebody is looking already"):
        seeker.discover(1.0)
    end.set()
    first.join()
    assert seeker.discover(1.0) == [GATE]
