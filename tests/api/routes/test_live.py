import json

import pytest

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.queues import LiveBox, LivePicture
from tests.fakes.builders import header
from tests.fakes.web import FakeWeb, WebClient

PATH = "/api/v1/cameras/gate/latest.jpg"


@pytest.fixture(autouse=True)
def _gate(web: FakeWeb) -> None:
    source = SourceSettings(source_type=SourceType.SYNTHETIC, url="yard")
    web.history.save_camera(Camera(camera_id="gate", source=source))


def picture(seq: int, *, boxes: int = 1) -> LivePicture:
    return LivePicture(
        header=header(seq, camera_id="gate"),
        jpeg=b"\xff\xd8picture",
        boxes=tuple(
            LiveBox(
                track_id=f"t{n}", label="person", box=(0.1, 0.2, 0.33333333, 1.0), is_alerting=True
            )
            for n in range(boxes)
        ),
    )


def test_the_newest_picture_comes_with_its_tracks_and_time(web: FakeWeb, client: WebClient) -> None:
    web.pictures.pictures["gate"] = picture(7)

    answer = client.get(PATH)

    assert answer.content == b"\xff\xd8picture"
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Vigil-Captured-At"] == "2026-03-01T12:00:01.400Z"
    assert json.loads(answer.headers["X-Vigil-Boxes"]) == [
        {"track_id": "t0", "label": "person", "box": [0.1, 0.2, 0.3333, 1.0], "alerting": True}
    ]


def test_the_same_frame_is_not_sent_twice(web: FakeWeb, client: WebClient) -> None:
    web.pictures.pictures["gate"] = picture(7)
    etag = client.get(PATH).headers["ETag"]
    known = {"If-None-Match": etag}

    assert client.get(PATH, headers=known).status_code == 304
    web.pictures.pictures["gate"] = picture(8)
    assert client.get(PATH, headers=known).status_code == 200


def test_many_tracks_do_not_make_a_header_that_proxies_refuse(
    web: FakeWeb, client: WebClient
) -> None:
    web.pictures.pictures["gate"] = picture(7, boxes=500)

    assert len(client.get(PATH).headers["X-Vigil-Boxes"]) < 8000


def test_no_picture_yet_is_a_problem_with_a_time_to_retry(client: WebClient) -> None:
    answer = client.get(PATH)

    assert (answer.status_code, answer.json()["code"]) == (404, "no-picture")
    assert answer.headers["Retry-After"] == "1"


def test_without_the_queue_the_picture_is_temporarily_unavailable(
    web: FakeWeb, client: WebClient
) -> None:
    web.pictures.is_down = True

    answer = client.get(PATH)

    assert (answer.status_code, answer.json()["code"]) == (503, "temporarily-unavailable")
    assert answer.headers["Retry-After"] == "2"
