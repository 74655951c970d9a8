import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from api.camera_audit import KEEPING_CHANGED
from contracts.cameras import (
    Camera,
    CameraState,
    CameraStatus,
    RecordingStatus,
    SourceSettings,
    SourceType,
)
from ingest.recorder.folder import RecordingFolder
from ingest.recorder.parts import Part
from ingest.recorder.retention import Limits
from tests.fakes.clock import START, ManualClock
from tests.fakes.web import FakeWeb, WebClient

CAMERAS = "/api/v1/cameras"
GATE = f"{CAMERAS}/gate/recordings"
CAMERA = Camera(
    camera_id="gate", source=SourceSettings(source_type=SourceType.SYNTHETIC, url="yard")
)


def kept_parts(web: FakeWeb, clock: ManualClock, tmp_path: Path) -> list[Part]:
    """Five minutes of the camera ``gate``, until now."""
    web.recordings = tmp_path / "recordings"
    web.history.save_camera(CAMERA)
    folder = RecordingFolder(web.recordings, clock=clock, limits=Limits(days=7.0))
    kept: list[Part] = []
    for minutes in range(5, 0, -1):
        file = folder.begin("gate", START - timedelta(minutes=minutes))
        file.write(f"minute {minutes}".encode())
        kept.append(file.publish(60.0))
    return kept


@pytest.fixture
def parts(web: FakeWeb, clock: ManualClock, tmp_path: Path) -> list[Part]:
    return kept_parts(web, clock, tmp_path)


def ids(client: WebClient, query: str = "") -> list[str]:
    return [item["id"] for item in client.get(f"{GATE}{query}").json()["items"]]


def test_parts_are_listed_oldest_first(parts: list[Part], client: WebClient) -> None:
    page = client.get(GATE).json()

    assert [item["id"] for item in page["items"]] == [part.part_id for part in parts]
    assert page["next_cursor"] is None
    first = page["items"][0]
    assert (first["start"], first["end"]) == (
        "2026-03-01T11:55:00.000Z",
        "2026-03-01T11:56:00.000Z",
    )
    assert (first["duration_s"], first["size_bytes"]) == (60.0, 8)


def test_parts_of_a_time_are_listed(parts: list[Part], client: WebClient) -> None:
    query = "?from=2026-03-01T11:56:30Z&to=2026-03-01T11:58:00Z"

    assert ids(client, query) == [parts[1].part_id, parts[2].part_id]


def test_pages_follow_each_other(parts: list[Part], client: WebClient) -> None:
    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        page = client.get(f"{GATE}?limit=2&cursor={cursor}").json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]

    assert seen == [part.part_id for part in parts]
    assert cursor is None


def test_a_part_is_fetched_whole_or_in_bytes(parts: list[Part], client: WebClient) -> None:
    [item, *_] = client.get(GATE).json()["items"]

    whole = client.get(item["url"])
    assert whole.content == b"minute 5"
    assert whole.headers["content-type"] == "video/mp4"
    assert hashlib.sha256(whole.content).hexdigest() == item["sha256"] == parts[0].digest
    some = client.get(item["url"], headers={"Range": "bytes=0-5"})
    assert (some.status_code, some.content) == (206, b"minute")
    again = client.get(item["url"], headers={"If-None-Match": whole.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "from"),
        ("?from=2020-03-02T00:00:00Z", "from"),
        ("?cursor=nonsense", "cursor"),
    ],
)
def test_what_cannot_be_asked_is_said(
    parts: list[Part], client: WebClient, query: str, field: str
) -> None:
    answer = client.get(f"{GATE}{query}")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert parts


def test_what_is_not_there_is_not_found(parts: list[Part], client: WebClient) -> None:
    lost = parts[0].part_id[:-1] + "0"
    assert parts[0].part_id != lost

    for path in (f"{GATE}/{lost}.mp4", f"{GATE}/x.mp4", f"{CAMERAS}/roof/recordings"):
        assert client.get(path).status_code == 404
    assert client.get(f"{CAMERAS}/A.B/recordings").status_code == 404


def test_recordings_of_a_removed_camera_are_still_there(
    parts: list[Part], client: WebClient, web: FakeWeb
) -> None:
    web.history.remove_camera("gate")

    assert ids(client) == [part.part_id for part in parts]


def test_strangers_see_nothing(parts: list[Part], stranger: WebClient) -> None:
    assert stranger.get(GATE).status_code == 401
    assert stranger.get(f"{GATE}/{parts[0].part_id}.mp4").status_code == 401


def test_recording_is_switched_on_and_off(client: WebClient, web: FakeWeb) -> None:
    web.history.save_camera(CAMERA)
    assert client.get(f"{CAMERAS}/gate").json()["record"] is False

    changed = client.patch(f"{CAMERAS}/gate", json={"record": True}).json()

    assert (changed["record"], changed["version"]) == (True, 2)
    stored = web.history.camera("gate")
    assert stored is not None
    assert stored.is_recorded
    assert client.patch(f"{CAMERAS}/gate", json={"name": "Gate"}).json()["record"] is True


def test_who_switches_recording_or_sound_is_written_down(client: WebClient, web: FakeWeb) -> None:
    web.history.save_camera(CAMERA)
    client.patch(f"{CAMERAS}/gate", json={"record": True, "audio": True, "name": "Gate"})
    client.patch(f"{CAMERAS}/gate", json={"name": "North gate"})
    client.patch(f"{CAMERAS}/gate", json={"audio": False})
    body = {"id": "yard", "source": {"url": "synthetic:yard"}, "record": True}
    client.post(CAMERAS, json=body)

    lines = web.history.audit_lines("gate", action=KEEPING_CHANGED, limit=9)
    assert [(line.before, line.after) for line in lines] == [
        ({"record": True, "audio": True}, {"record": True, "audio": False}),
        ({"record": False, "audio": False}, {"record": True, "audio": True}),
    ]
    [line] = web.history.audit_lines("yard", action=KEEPING_CHANGED, limit=9)
    assert line.after == {"record": True, "audio": False}


def test_a_camera_says_how_its_recording_is_doing(client: WebClient, web: FakeWeb) -> None:
    web.history.save_camera(CAMERA)
    assert client.get(f"{CAMERAS}/gate").json()["status"]["recording"] is None
    web.statuses.said["gate"] = CameraStatus(
        camera_id="gate",
        state=CameraState.SEEING,
        phase="live",
        updated_at=START,
        recording=RecordingStatus(since=START, size_bytes=7, oldest_at=START),
    )

    assert client.get(f"{CAMERAS}/gate").json()["status"]["recording"] == {
        "recording_since": "2026-03-01T12:00:00.000Z",
        "oldest_at": "2026-03-01T12:00:00.000Z",
        "size_bytes": 7,
        "problem": "",
    }
