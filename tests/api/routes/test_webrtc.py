"""WHIP and WHEP as HTTP; what stands behind is scripted."""

import pytest

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.errors import TransportUnavailable
from ingest.webrtc.signals import SDP_BYTES_MAX, Signal, SignalAnswer, SignalKind
from tests.fakes.web import FakeWeb, ScriptedSignals, WebClient

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": '"e1"'}
OFFER = b"v=0\r\n"
WHIP = "/api/v1/cameras/phone/whip"
WHEP = "/api/v1/cameras/phone/whep"
ANSWER = SignalAnswer(
    status=201,
    session_id="5e55",
    sdp="v=0\r\nanswer",
    etag='"e1"',
    links=('<stun:stun.example.net>; rel="ice-server"',),
)


@pytest.fixture
def signals(web: FakeWeb) -> ScriptedSignals:
    """The ingest stage behind the app, with a camera to publish to and one of its own source."""
    for camera_id, source_type in (
        ("phone", SourceType.WEBRTC),
        ("yard", SourceType.SYNTHETIC),
        ("off", SourceType.WEBRTC),
    ):
        web.history.save_camera(
            Camera(
                camera_id=camera_id,
                source=SourceSettings(
                    source_type=source_type, url="yard" if camera_id == "yard" else ""
                ),
                is_enabled=camera_id != "off",
            )
        )
    assert isinstance(web.signals, ScriptedSignals)
    web.signals.answers = {SignalKind.PUBLISH: ANSWER, SignalKind.WATCH: ANSWER}
    return web.signals


@pytest.mark.parametrize(("path", "kind"), [(WHIP, SignalKind.PUBLISH), (WHEP, SignalKind.WATCH)])
def test_an_offer_is_answered_with_a_session(
    client: WebClient, signals: ScriptedSignals, path: str, kind: SignalKind
) -> None:
    answer = client.post(path, content=OFFER, headers=SDP)

    [asked] = signals.asked
    assert (asked.kind, asked.camera_id, asked.sdp) == (kind, "phone", "v=0\r\n")
    assert asked.ends_at is not None, "a session ends with the sign-in"
    assert answer.status_code == 201
    assert answer.headers["Content-Type"].startswith("application/sdp")
    assert answer.text == ANSWER.sdp
    assert answer.headers["Location"] == f"{path}/5e55"
    assert answer.headers["ETag"] == '"e1"'
    assert answer.headers["Link"] == ANSWER.links[0]
    assert answer.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"


def test_a_session_is_ended_and_given_candidates_by_its_address(
    client: WebClient, signals: ScriptedSignals
) -> None:
    patched = client.patch(f"{WHIP}/5e55", content=b"a=ice-ufrag:x", headers=FRAGMENT)
    ended = client.delete(f"{WHEP}/5e55")

    assert (patched.status_code, ended.status_code) == (204, 200)
    trickle, end = signals.asked
    assert (trickle.kind, trickle.is_publisher, trickle.etag) == (SignalKind.TRICKLE, True, '"e1"')
    assert (end.kind, end.is_publisher, end.session_id) == (SignalKind.END, False, "5e55")


@pytest.mark.parametrize("path", [WHIP, WHEP])
def test_another_media_type_is_refused_with_the_one_wanted(
    client: WebClient, signals: ScriptedSignals, path: str
) -> None:
    answer = client.post(path, json={"sdp": "v=0"})

    assert answer.status_code == 415
    assert answer.headers["Accept-Post"] == "application/sdp"
    assert client.patch(f"{path}/1", content=b"x", headers=SDP).status_code == 415
    assert signals.asked == []


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        pytest.param(b"v=0" + b"x" * SDP_BYTES_MAX, 413, "body-too-large", id="too long"),
        pytest.param(b"v=0" + b"x" * 2_000_000, 413, "body-too-large", id="huge"),
        pytest.param(b"v=0\xff\xfe", 400, "sdp-malformed", id="not UTF-8"),
    ],
)
def test_a_body_that_can_be_no_offer_goes_no_further(
    client: WebClient, signals: ScriptedSignals, content: bytes, status: int, code: str
) -> None:
    answer = client.post(WHIP, content=content, headers=SDP)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert signals.asked == []


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/cameras/none/whip", 404, "not-found"),
        ("/api/v1/cameras/none/whep", 404, "not-found"),
        ("/api/v1/cameras/yard/whip", 409, "not-a-webrtc-camera"),
        ("/api/v1/cameras/off/whip", 409, "camera-off"),
        ("/api/v1/cameras/off/whep", 409, "camera-off"),
    ],
)
def test_a_camera_that_cannot_is_said_without_asking_anybody(
    client: WebClient, signals: ScriptedSignals, path: str, status: int, code: str
) -> None:
    answer = client.post(path, content=OFFER, headers=SDP)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert signals.asked == []


def test_a_refusal_is_passed_on_with_its_reason(
    client: WebClient, signals: ScriptedSignals
) -> None:
    signals.answers[SignalKind.WATCH] = SignalAnswer(
        status=503, problem="too-many-viewers", detail="4 people watch", retry_after_s=10
    )

    answer = client.post(WHEP, content=OFFER, headers=SDP)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    assert answer.json()["code"] == "too-many-viewers"
    assert answer.json()["detail"] == "4 people watch"


def test_an_ingest_stage_that_is_not_there_is_said(
    client: WebClient, signals: ScriptedSignals
) -> None:
    signals.is_there = False

    answer = client.post(WHIP, content=OFFER, headers=SDP)

    assert (answer.status_code, answer.json()["code"]) == (503, "ingest-not-there")


class _Down:
    def ask(self, signal: Signal) -> SignalAnswer:
        raise TransportUnavailable("asking: told to be down")


def test_a_queue_that_is_away_is_said(web: FakeWeb, signals: ScriptedSignals) -> None:
    del signals
    web.signals = _Down()
    with WebClient(web.app()) as client:
        client.sign_in(web)
        answer = client.post(WHIP, content=OFFER, headers=SDP)

    assert (answer.status_code, answer.json()["code"]) == (503, "temporarily-unavailable")


def test_nobody_publishes_or_watches_without_signing_in(
    stranger: WebClient, signals: ScriptedSignals
) -> None:
    answers = [
        stranger.post(WHIP, content=OFFER, headers=SDP),
        stranger.post(WHEP, content=OFFER, headers=SDP),
        stranger.patch(f"{WHIP}/1", content=OFFER, headers=FRAGMENT),
        stranger.delete(f"{WHIP}/1"),
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert signals.asked == []


def test_a_token_publishes_from_a_page_of_another_origin_and_a_cookie_does_not(
    client: WebClient, signals: ScriptedSignals, web: FakeWeb
) -> None:
    token = client.post("/api/v1/tokens", json={"name": "obs"}).json()["token"]
    elsewhere = {**SDP, "Origin": "https://studio.example", "Sec-Fetch-Site": "cross-site"}
    by_cookie = client.post(WHIP, content=OFFER, headers=elsewhere)
    with WebClient(web.app()) as other:
        bearer = {**elsewhere, "Authorization": f"Bearer {token}"}
        by_token = other.post(WHIP, content=OFFER, headers=bearer)

    assert by_cookie.status_code == 403
    assert by_token.status_code == 201
    assert by_token.headers["Access-Control-Allow-Origin"] == "*"
    assert "Location" in by_token.headers["Access-Control-Expose-Headers"]
    assert len(signals.asked) == 1


@pytest.mark.parametrize("path", [WHIP, WHEP, f"{WHIP}/5e55"])
def test_a_browser_may_ask_beforehand_without_a_token(stranger: WebClient, path: str) -> None:
    answer = stranger.request(
        "OPTIONS",
        path,
        headers={
            "Origin": "https://studio.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )

    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    if path == WHIP:
        assert answer.headers["Accept-Post"] == "application/sdp"


def test_other_paths_stay_closed_to_other_origins(client: WebClient) -> None:
    answer = client.get("/api/v1/cameras", headers={"Origin": "https://studio.example"})

    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_other_methods_are_refused(client: WebClient, method: str) -> None:
    assert client.request(method, WHIP).status_code == 405


def test_a_camera_that_is_published_to_is_added_without_an_address(client: WebClient) -> None:
    by_type = client.post("/api/v1/cameras", json={"name": "A", "source": {"type": "webrtc"}})
    by_url = client.post("/api/v1/cameras", json={"name": "B", "source": {"url": "webrtc:"}})
    wrong = client.post(
        "/api/v1/cameras",
        json={"name": "C", "source": {"type": "webrtc", "url": "rtsp://us:hunter2@x/"}},
    )

    assert [made.json()["source"]["type"] for made in (by_type, by_url)] == ["webrtc"] * 2
    assert by_url.json()["source"]["url"] == "webrtc:"
    assert wrong.status_code == 422
    assert "hunter2" not in wrong.text
    changed = client.patch(
        f"/api/v1/cameras/{by_url.json()['id']}", json={"source": {"url": "webrtc:"}}
    )
    assert changed.status_code == 200
