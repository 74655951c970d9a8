"""``POST /cameras/{id}/backtest``: answers, refusals, bounds."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from api.backtest import Question, Tried, question_of
from api.backtest_desk import LIMIT_S, BackTestDesk
from api.problems import Refusal
from contracts.cameras import Camera, SourceSettings, SourceType
from tests.fakes.clock import START, ManualClock
from tests.fakes.street_life import EVERY_KIND, street
from tests.fakes.track_archives import InMemoryTracks, archive_of
from tests.fakes.web import FakeWeb, WebClient
from vision.archive.columns import StoredTracks
from vision.archive.port import DamagedFile

PATH = "/api/v1/cameras/cam/backtest"
SPAN: Mapping[str, object] = {
    "from": START.isoformat(),
    "to": (START + timedelta(minutes=5)).isoformat(),
}


@pytest.fixture(autouse=True)
def _street(web: FakeWeb) -> None:
    """A camera with rules of every kind, and two minutes of tracks."""
    source = SourceSettings(source_type=SourceType.SYNTHETIC, url="yard")
    web.history.save_camera(Camera(camera_id="cam", source=source, scene=EVERY_KIND))
    web.tracks = archive_of(street(3, count=12, until_s=120.0))


def test_a_threshold_is_compared_with_the_present_one(client: WebClient) -> None:
    answer = client.post(PATH, json={**SPAN, "set": ["long.threshold_s=3"], "first": 2})

    assert answer.status_code == 200
    found = answer.json()
    rules = {rule["rule"]: rule for rule in found["rules"]}
    assert set(rules) == {"long"}
    assert rules["long"]["events"] > rules["long"]["events_now"]
    assert rules["long"]["days"][0]["day"] == "2026-03-01"
    assert found["incidents"] >= rules["long"]["incidents"]
    assert [event["rule"] for event in found["first"]] == ["long", "long"]
    assert found["first"][0]["threshold"] == 3.0


def test_without_a_body_it_is_the_last_day_as_it_is(client: WebClient, clock: ManualClock) -> None:
    clock.advance(3600.0)

    found = client.post(PATH).json()

    assert found["is_compared"] is False
    assert sum(rule["events"] for rule in found["rules"] if "events" in rule) > 0
    silent = {rule["kind"] for rule in found["rules"] if "not_replayed" in rule}
    assert {"tamper", "fall", "fight"} <= silent


def test_other_rules_are_tried_in_the_form_of_a_file(client: WebClient) -> None:
    scene = {
        "zones": [{"id": "all", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}],
        "rules": [{"id": "anywhere", "kind": "intrusion", "zone": "all"}],
    }

    found = client.post(PATH, json={**SPAN, "scene": scene, "only": ["anywhere"]}).json()

    [rule] = found["rules"]
    assert (rule["rule"], rule["events_now"]) == ("anywhere", 0)
    assert rule["events"] > 0


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"set": ["long"]}, 422, "must read rule.name=value"),
        ({"set": ["long.treshold_s=3"]}, 422, "unknown parameter(s) treshold_s"),
        ({"set": ["absent.threshold_s=3"]}, 422, "there is no rule 'absent'"),
        ({"only": ["absent"]}, 422, "there is no rule 'absent'"),
        ({"scene": {"rules": [{"id": "x", "kind": "y"}]}}, 422, "kind must be one of"),
        ({"hours": 1}, 422, "either hours or from"),
        ({"to": START.isoformat()}, 422, "must lie before"),
        ({"to": (START + timedelta(days=8)).isoformat()}, 422, "7 days"),
        ({"fps": 1}, 422, "fps"),
        ({"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}, 404, "2026-03-01 12:00"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    client: WebClient, body: dict[str, object], status: int, said: str
) -> None:
    answer = client.post(PATH, json={**SPAN, **body})

    assert answer.status_code == status
    assert said in answer.json()["detail"]


def test_a_camera_that_is_not_there(client: WebClient) -> None:
    assert client.post("/api/v1/cameras/gate/backtest").status_code == 404


def test_nobody_asks_without_signing_in(stranger: WebClient) -> None:
    assert stranger.post(PATH).status_code == 401


class SlowClock(ManualClock):
    """Each look at it takes a while."""

    def monotonic_s(self) -> float:
        self.advance(LIMIT_S)
        return super().monotonic_s()


def test_a_question_that_takes_too_long_is_given_up(web: FakeWeb) -> None:
    web.clock = SlowClock()

    with WebClient(web.app()) as client:
        client.sign_in(web)
        answer = client.post(PATH, json=SPAN)

    assert (answer.status_code, answer.json()["code"]) == (503, "back-test-too-long")


class NosyTracks(InMemoryTracks):
    """Asks a question of its own while it is read."""

    desk: BackTestDesk
    question: Question

    def read(
        self, camera_id: str, *, start: datetime, end: datetime
    ) -> Iterator[StoredTracks | DamagedFile]:
        self.desk.ask(self.question)
        yield from super().read(camera_id, start=start, end=end)


def test_one_question_is_answered_at_a_time() -> None:
    tracks = NosyTracks()
    tracks.desk = BackTestDesk(tracks, close_after_s=10.0, time_zone=UTC, clock=ManualClock())
    span = (START, START + timedelta(hours=1))
    tracks.question = question_of("cam", EVERY_KIND, Tried(), span=span)

    with pytest.raises(Refusal) as refused:
        tracks.desk.ask(tracks.question)

    assert refused.value.problem.code == "back-test-running"
