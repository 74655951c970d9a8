from collections.abc import Iterator
from datetime import timedelta

import pytest

from alerts.history.watches import Watch
from contracts.cameras import CameraState
from ingest.changes import CameraChange
from tests.fakes.clock import START
from tests.fakes.web import FakeWeb, WebClient
from tests.ingest.recordings import file_camera


@pytest.fixture
def web() -> FakeWeb:
    web = FakeWeb()
    web.history.save_camera(file_camera("clip.mp4"))
    return web


@pytest.fixture
def client(web: FakeWeb) -> Iterator[WebClient]:
    with WebClient(web.app()) as client:
        yield client.sign_in(web)


def watch(from_s: float, to_s: float, state: CameraState, cause: str = "") -> Watch:
    return Watch(
        camera_id="gate",
        started_at=START + timedelta(seconds=from_s),
        ended_at=START + timedelta(seconds=to_s),
        state=state,
        phase="live",
        cause=cause,
    )


def test_coverage_by_interval_with_its_gaps(web: FakeWeb, client: WebClient) -> None:
    web.watches.keep(
        [watch(-7200, -1800, CameraState.SEEING), watch(-1800, -900, CameraState.BLIND, "covered")]
    )

    answer = client.get("/api/v1/cameras/gate/coverage?from=2026-03-01T10:00:00Z&step_s=3600")

    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["total"] == {
        "start": "2026-03-01T10:00:00.000Z",
        "end": "2026-03-01T12:00:00.000Z",
        "covered": 0.75,
        "seeing_s": 5400.0,
        "degraded_s": 0.0,
        "blind_s": 900.0,
        "unknown_s": 900.0,
    }
    assert [step["covered"] for step in found["steps"]] == [1.0, 0.5]
    assert found["gaps"] == [
        {
            "start": "2026-03-01T11:30:00.000Z",
            "end": "2026-03-01T11:45:00.000Z",
            "state": "blind",
            "phase": "live",
            "cause": "covered",
        }
    ]


def test_without_an_interval_it_is_the_last_day(client: WebClient) -> None:
    found = client.get("/api/v1/cameras/gate/coverage").json()

    assert found["total"]["start"] == "2026-02-28T12:00:00.000Z"
    assert len(found["steps"]) == 24
    assert found["total"]["unknown_s"] == 86_400.0


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-03-01T12:00:00Z",
        "from=2026-03-01T11:00:00Z&to=2026-03-01T10:00:00Z",
        "from=2024-03-01T11:00:00Z",
        "from=2026-02-01T11:00:00Z&step_s=10",
        "step_s=1",
    ],
)
def test_intervals_that_make_no_sense_are_refused(client: WebClient, query: str) -> None:
    assert client.get(f"/api/v1/cameras/gate/coverage?{query}").status_code == 422


def test_changes_are_listed(web: FakeWeb, client: WebClient) -> None:
    web.changes.append(
        CameraChange(
            camera_id="gate",
            at=START,
            before="live",
            after="stalled",
            state=CameraState.BLIND,
            cause="no frame for 6.0 s",
            lasted_s=61.26,
        )
    )

    assert client.get("/api/v1/cameras/gate/changes").json()["items"] == [
        {
            "at": "2026-03-01T12:00:00.000Z",
            "before": "live",
            "after": "stalled",
            "state": "blind",
            "cause": "no frame for 6.0 s",
            "lasted_s": 61.3,
        }
    ]


@pytest.mark.parametrize("path", ["coverage", "changes"])
def test_a_camera_that_is_not_there(client: WebClient, path: str) -> None:
    assert client.get(f"/api/v1/cameras/nobody/{path}").status_code == 404
