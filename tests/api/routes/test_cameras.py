from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.cameras import (
    Camera,
    CameraState,
    CameraStatus,
    CameraView,
    SourceSettings,
    SourceType,
)
from contracts.errors import ConfigError
from contracts.frames import EncodedFrame, FrameOutcome
from contracts.queues import LivePicture
from contracts.rules import SceneRules
from tests.fakes.builders import header
from tests.fakes.clock import START, ManualClock
from tests.fakes.web import FakeWeb, WebClient

URL = "rtsp://root:hunter2@192.0.2.7:554/stream?token=s3cret&ch=1"
GATE: Mapping[str, object] = {"id": "gate", "name": "Gate", "source": {"url": URL}}
SCENE = {
    "zones": [{"id": "dock", "polygon": [[0, 0], [1, 0], [1, 1]]}],
    "rules": [{"id": "night", "kind": "intrusion", "zone": "dock", "severity": "high"}],
}


def test_an_added_camera_is_stored_published_and_shown_without_secrets(
    web: FakeWeb, client: WebClient
) -> None:
    answer = client.post("/api/v1/cameras", json=GATE)

    assert answer.status_code == 201
    assert answer.headers["Location"] == "/api/v1/cameras/gate"
    assert answer.json()["source"] == {
        "type": "rtsp",
        "url": "rtsp://***@192.0.2.7:554/stream?token=***&ch=1",
        "evidence_url": "",
        "transport": "tcp",
        "looped": False,
    }
    assert [camera.source.url for camera in web.publisher.published[-1]] == [URL]


def test_a_main_stream_for_clips_is_kept_through_edits_and_shown_without_secrets(
    web: FakeWeb, client: WebClient
) -> None:
    main = "rtsp://admin:hunter2@192.0.2.7/main"
    source = {**GATE["source"], "evidence_url": main}  # type: ignore[dict-item]

    made = client.post("/api/v1/cameras", json={**GATE, "source": source})
    shown = made.json()["source"]["evidence_url"]
    client.patch("/api/v1/cameras/gate", json={"source": {"evidence_url": shown}, "name": "New"})

    assert shown == "rtsp://***@192.0.2.7/main"
    assert [camera.source.evidence_url for camera in web.publisher.published[-1]] == [main]


@pytest.mark.parametrize("path", ["/api/v1/cameras", "/api/v1/cameras/gate"])
def test_no_answer_shows_the_password(client: WebClient, path: str) -> None:
    client.post("/api/v1/cameras", json=GATE)

    text = client.get(path).text

    assert "hunter2" not in text
    assert "s3cret" not in text


@pytest.mark.parametrize(
    ("url", "source_type"),
    [
        ("rtsp://cam/1", "rtsp"),
        ("rtsps://cam/1", "rtsp"),
        ("/srv/clips/yard.mp4", "file"),
        ("synthetic:yard", "synthetic"),
    ],
)
def test_the_source_type_is_read_from_the_url(
    client: WebClient, url: str, source_type: str
) -> None:
    source = client.post("/api/v1/cameras", json={"source": {"url": url}}).json()["source"]

    assert (source["type"], source["url"]) == (source_type, url)


def test_an_id_is_made_from_the_name_and_stays_free(client: WebClient) -> None:
    body = {"name": "Loading dock (north)", "source": {"url": "synthetic:yard"}}

    ids = [client.post("/api/v1/cameras", json=body).json()["id"] for _ in range(3)]

    assert ids == ["loading-dock-north", "loading-dock-north-2", "loading-dock-north-3"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source": {"url": ""}}, "source.url"),
        ({"source": {"url": "ftp://cam/stream"}}, "source.url"),
        ({"source": {"url": "rtsp://"}}, "source.url"),
        ({"source": {"url": "rtsp://cam:port/"}}, "source.url"),
        ({"source": {"url": "rtsp://cam/a b"}}, "source.url"),
        ({"source": {"url": "rtsp://***@cam/1"}}, "source.url"),
        ({"source": {"url": "rtsp://cam/1", "type": "file"}}, "source.url"),
        ({"source": {}}, "source.url"),
        ({"analyze_fps": 0}, "analyze_fps"),
        ({"analyze_fps": 31}, "analyze_fps"),
        ({"tags": [""]}, "tags.0"),
        ({"fps": 3}, "fps"),
    ],
)
def test_a_bad_field_is_named(client: WebClient, change: dict[str, object], field: str) -> None:
    answer = client.post("/api/v1/cameras", json={**GATE, **change})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_bad_id_is_explained(client: WebClient) -> None:
    answer = client.post("/api/v1/cameras", json={**GATE, "id": "Gate 1"})

    assert answer.status_code == 422
    assert "camera id must be 1 to 63" in answer.json()["detail"]


def test_a_second_camera_of_the_same_id_is_refused(client: WebClient) -> None:
    client.post("/api/v1/cameras", json=GATE)

    answer = client.post("/api/v1/cameras", json={**GATE, "name": "Other"})

    assert (answer.status_code, answer.json()["code"]) == (409, "camera-exists")


@pytest.mark.parametrize("body", [GATE, {"name": "Gate", "source": {"url": URL}}])
def test_the_same_request_under_one_key_adds_one_camera(
    web: FakeWeb, client: WebClient, body: dict[str, object]
) -> None:
    key = {"Idempotency-Key": "k1"}

    first = client.post("/api/v1/cameras", json=body, headers=key)
    again = client.post("/api/v1/cameras", json=body, headers=key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert len(web.history.cameras()) == 1


def test_another_body_under_the_same_key_is_refused(client: WebClient) -> None:
    key = {"Idempotency-Key": "k1"}
    client.post("/api/v1/cameras", json={"name": "A", "source": {"url": URL}}, headers=key)

    answer = client.post("/api/v1/cameras", json={"source": {"url": "x.mp4"}}, headers=key)

    assert answer.status_code == 409


def test_a_change_raises_the_version_and_keeps_the_rest(web: FakeWeb, client: WebClient) -> None:
    client.post("/api/v1/cameras", json=GATE)

    changed = client.patch("/api/v1/cameras/gate", json={"name": "Main gate", "analyze_fps": 8})

    assert (changed.json()["version"], changed.json()["name"]) == (2, "Main gate")
    stored = web.history.camera("gate")
    assert stored is not None
    assert stored.source.url == URL
    assert web.publisher.published[-1] == (stored,)


def test_a_change_of_nothing_is_no_new_version(client: WebClient) -> None:
    client.post("/api/v1/cameras", json=GATE)

    assert client.patch("/api/v1/cameras/gate", json={"name": "Gate"}).json()["version"] == 1


def test_the_url_as_shown_stands_for_the_one_stored(web: FakeWeb, client: WebClient) -> None:
    shown = client.post("/api/v1/cameras", json=GATE).json()["source"]["url"]

    client.patch("/api/v1/cameras/gate", json={"source": {"url": shown, "transport": "udp"}})

    stored = web.history.camera("gate")
    assert stored is not None
    assert (stored.source.url, stored.source.transport) == (URL, "udp")


def test_the_shown_url_of_another_host_is_not_taken_for_credentials(client: WebClient) -> None:
    client.post("/api/v1/cameras", json=GATE)

    answer = client.patch("/api/v1/cameras/gate", json={"source": {"url": "rtsp://***@evil/1"}})

    assert answer.status_code == 422


def test_a_removed_camera_is_gone_and_the_stages_know(web: FakeWeb, client: WebClient) -> None:
    client.post("/api/v1/cameras", json=GATE)

    assert client.delete("/api/v1/cameras/gate").status_code == 204

    assert client.get("/api/v1/cameras/gate").status_code == 404
    assert client.delete("/api/v1/cameras/gate").status_code == 404
    assert web.publisher.published[-1] == ()


def test_a_change_is_kept_when_the_stages_cannot_be_told(web: FakeWeb, client: WebClient) -> None:
    web.publisher.is_down = True

    assert client.post("/api/v1/cameras", json=GATE).status_code == 201
    assert web.history.camera("gate") is not None


def test_cameras_are_listed_by_page_tag_and_state(web: FakeWeb, client: WebClient) -> None:
    for name in ("a", "b", "c"):
        source = SourceSettings(source_type=SourceType.SYNTHETIC, url="yard")
        tags = ("yard",) if name != "b" else ()
        web.history.save_camera(Camera(camera_id=name, source=source, tags=tags))
    arrives(web, "c")

    first = client.get("/api/v1/cameras?limit=2").json()
    second = client.get(f"/api/v1/cameras?limit=2&cursor={first['next_cursor']}").json()

    assert [camera["id"] for camera in first["items"]] == ["a", "b"]
    assert [camera["id"] for camera in second["items"]] == ["c"]
    assert second["next_cursor"] is None
    tagged = client.get("/api/v1/cameras?tag=yard").json()["items"]
    assert [camera["id"] for camera in tagged] == ["a", "c"]
    seeing = client.get("/api/v1/cameras?state=seeing").json()["items"]
    assert [camera["id"] for camera in seeing] == ["c"]


def arrives(web: FakeWeb, camera_id: str, view: CameraView | None = None) -> None:
    """Ingest gets the camera's frames, and vision looks at them."""
    web.statuses.said[camera_id] = status_of(camera_id)
    web.pictures.pictures[camera_id] = LivePicture(
        header=header(7, camera_id=camera_id), jpeg=b"", boxes=(), view=view or CameraView()
    )


def status_of(camera_id: str) -> CameraStatus:
    return CameraStatus(
        camera_id=camera_id,
        state=CameraState.SEEING,
        phase="live",
        updated_at=START,
        source_fps=14.987,
        last_frame_at=START,
        reconnects=2,
    )


def test_the_status_accounts_for_every_frame(
    web: FakeWeb, clock: ManualClock, client: WebClient
) -> None:
    client.post("/api/v1/cameras", json=GATE)
    arrives(web, "gate")
    for seq in range(20):
        web.frames.put(EncodedFrame(header=header(seq, camera_id="gate"), jpeg=b""))
    for queued, outcome in zip(
        web.frames.take(["gate"], timeout_s=0),
        (FrameOutcome.ANALYSED, FrameOutcome.GATED, FrameOutcome.EXPIRED),
        strict=False,
    ):
        web.frames.settle(queued, outcome)
    clock.advance(0.25)

    status = client.get("/api/v1/cameras/gate/status").json()

    assert (status["state"], status["fps"], status["last_frame_age_s"]) == ("seeing", 14.99, 0.25)
    frames = status["frames"]
    assert frames["dropped_by_reason"] == {"queue_full": 4, "expired": 1}
    total = frames["analysed"] + frames["gated"] + frames["dropped"] + frames["queued"]
    assert frames["received"] == total == 20
    assert frames["balanced"] is True


def test_what_vision_sees_decides_where_frames_arrive(web: FakeWeb, client: WebClient) -> None:
    client.post("/api/v1/cameras", json=GATE)
    covered = CameraView(state=CameraState.BLIND, cause="covered view", coverage=0.98765)
    arrives(web, "gate", covered)

    status = client.get("/api/v1/cameras/gate/status").json()

    assert (status["state"], status["cause"]) == ("blind", "covered view")
    assert (status["phase"], status["coverage"]) == ("live", 0.9877)
    blind = client.get("/api/v1/cameras?state=blind").json()["items"]
    assert [camera["id"] for camera in blind] == ["gate"]


def test_a_view_that_is_well_does_not_hide_that_frames_are_damaged(
    web: FakeWeb, client: WebClient
) -> None:
    client.post("/api/v1/cameras", json=GATE)
    arrives(web, "gate", CameraView(coverage=1.0))
    damaged = replace(status_of("gate"), state=CameraState.DEGRADED, cause="damaged pictures")
    web.statuses.said["gate"] = damaged

    status = client.get("/api/v1/cameras/gate/status").json()

    assert (status["state"], status["cause"]) == ("degraded", "damaged pictures")


def test_a_camera_that_nobody_looks_at_is_blind(web: FakeWeb, client: WebClient) -> None:
    client.post("/api/v1/cameras", json=GATE)
    web.statuses.said["gate"] = status_of("gate")

    status = client.get("/api/v1/cameras/gate/status").json()

    assert (status["state"], status["coverage"]) == ("blind", None)
    assert "no vision stage has looked at it" in status["cause"]


def test_silence_of_the_ingest_stage_is_blindness(client: WebClient) -> None:
    client.post("/api/v1/cameras", json=GATE)

    status = client.get("/api/v1/cameras/gate").json()["status"]

    assert (status["state"], status["cause"]) == ("blind", "no ingest stage has reported on it")


def test_cameras_are_listed_while_the_queue_is_away(web: FakeWeb, client: WebClient) -> None:
    client.post("/api/v1/cameras", json=GATE)
    web.statuses.is_down = True

    [camera] = client.get("/api/v1/cameras").json()["items"]

    assert camera["status"]["cause"] == "the queue (Redis) cannot be reached"


def test_a_camera_that_is_switched_off_says_so(client: WebClient) -> None:
    client.post("/api/v1/cameras", json={**GATE, "enabled": False})

    assert client.get("/api/v1/cameras/gate").json()["status"]["phase"] == "disabled"


def test_a_scene_comes_back_as_it_was_put(web: FakeWeb, client: WebClient) -> None:
    client.post("/api/v1/cameras", json=GATE)

    put = client.put("/api/v1/cameras/gate/scene", json=SCENE)

    assert put.status_code == 200
    assert client.get("/api/v1/cameras/gate/scene").json() == put.json()
    assert put.json()["rules"][0]["zone"] == "dock"
    assert client.get("/api/v1/cameras/gate").json()["version"] == 2


def test_everything_wrong_with_a_scene_is_listed_at_once(client: WebClient) -> None:
    client.post("/api/v1/cameras", json=GATE)
    bad = {
        "zones": [{"id": "dock", "polygon": [[0, 0], [1, 0]]}],
        "rules": [{"id": "night", "kind": "intrude", "zone": "dock"}],
    }

    answer = client.put("/api/v1/cameras/gate/scene", json=bad)

    assert answer.status_code == 422
    assert "at least 3 points, got 2" in answer.json()["detail"]
    assert "kind must be one of" in answer.json()["detail"]


def test_rules_that_their_kind_refuses_are_not_stored(web: FakeWeb) -> None:
    def refuse(scene: SceneRules) -> None:
        raise ConfigError(f"rule {scene.rules[0].rule_id}: unknown parameter")

    with WebClient(web.app(check_scene=refuse)) as client:
        client.sign_in(web).post("/api/v1/cameras", json=GATE)
        answer = client.put("/api/v1/cameras/gate/scene", json=SCENE)

    assert answer.status_code == 422
    stored = web.history.camera("gate")
    assert stored is not None
    assert stored.scene == SceneRules()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/status"),
        ("GET", "/scene"),
        ("PUT", "/scene"),
        ("GET", "/latest.jpg"),
    ],
)
def test_an_unknown_camera_is_not_found(client: WebClient, method: str, path: str) -> None:
    body: dict[str, str] | None = None if method == "GET" else {}

    assert client.request(method, f"/api/v1/cameras/none{path}", json=body).status_code == 404


def test_the_age_of_a_frame_from_a_clock_ahead_is_not_negative(
    web: FakeWeb, clock: ManualClock, client: WebClient
) -> None:
    client.post("/api/v1/cameras", json=GATE)
    ahead = status_of("gate")
    web.statuses.said["gate"] = ahead
    clock.step_wall(-timedelta(seconds=5).total_seconds())

    assert client.get("/api/v1/cameras/gate").json()["status"]["last_frame_age_s"] == 0
