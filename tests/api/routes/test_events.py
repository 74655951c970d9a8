from dataclasses import replace

import pytest

from contracts.incidents import EvidenceItem, EvidenceKind, Incident
from tests.fakes.builders import incident
from tests.fakes.clock import ManualClock
from tests.fakes.web import FakeWeb, WebClient
from tests.fakes.web_alerts import finding

CLIP = bytes(range(256)) * 4
PATH = "/api/v1/events/ev_1"


def item(web: FakeWeb, kind: EvidenceKind, content: bytes, **fields: str) -> EvidenceItem:
    suffix = "mp4" if kind is EvidenceKind.CLIP else "jpg"
    return EvidenceItem(kind=kind, ref=web.evidence.put(content, suffix=suffix), **fields)  # type: ignore[arg-type]  # strings only


@pytest.fixture
def event(web: FakeWeb) -> Incident:
    """A stored event with two frames and a snapshot."""
    kept = incident(
        evidence=(
            item(web, EvidenceKind.SNAPSHOT, b"drawn", frame_id="f_20"),
            item(web, EvidenceKind.FRAME, b"plain", frame_id="f_20"),
            item(web, EvidenceKind.FRAME, b"earlier", frame_id="f_12"),
        )
    )
    web.history.store_incident(kept)
    return kept


def with_clip(web: FakeWeb) -> None:
    web.history.add_evidence("ev_1", item(web, EvidenceKind.CLIP, CLIP))


def test_an_event_names_its_frames_once_with_zones_and_objects(
    client: WebClient, event: Incident
) -> None:
    shown = client.get(PATH).json()

    assert {frame["frame_id"] for frame in shown["frames"]} == {"f_12", "f_20"}
    assert [frame["frame_id"] for frame in shown["frames"] if frame["is_decisive"]] == ["f_20"]
    assert not any(frame["is_drawn"] for frame in shown["frames"]), "the plain one is preferred"
    assert shown["zones"][0]["restricted"] is True
    assert shown["objects"][0]["track_id"] == event.tracks[0].track_id
    assert shown["start"].endswith("Z")


def test_events_are_listed(client: WebClient, event: Incident) -> None:
    page = client.get("/api/v1/events?camera=cam").json()

    assert [shown["event_id"] for shown in page["items"]] == [event.incident_id]
    assert client.get("/api/v1/events?camera=other").json()["items"] == []


def test_events_are_listed_by_their_own_states(client: WebClient, event: Incident) -> None:
    assert client.get(f"/api/v1/events?state={event.state}").json()["items"]
    assert client.get("/api/v1/events?state=closed").json()["items"] == []
    assert client.get("/api/v1/events?state=acknowledged").status_code == 422, "of alerts only"


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/snapshot.jpg", b"drawn"),
        ("/frames/f_20.jpg", b"plain"),
        ("/frames/f_12.jpg", b"earlier"),
    ],
)
def test_pictures_come_by_their_role(
    client: WebClient, event: Incident, path: str, content: bytes
) -> None:
    answer = client.get(PATH + path)

    assert answer.content == content
    assert answer.headers["Content-Type"] == "image/jpeg"
    known = {"If-None-Match": answer.headers["ETag"]}
    assert client.get(PATH + path, headers=known).status_code == 304


@pytest.mark.parametrize("path", ["/frames/f_99.jpg", "/frames/..%2Ff_20.jpg"])
def test_a_frame_that_is_not_kept_is_missing(client: WebClient, event: Incident, path: str) -> None:
    assert client.get(PATH + path).status_code == 404


def test_lost_evidence_is_a_problem_not_a_crash(
    web: FakeWeb, client: WebClient, event: Incident
) -> None:
    web.evidence.contents.clear()

    answer = client.get(f"{PATH}/snapshot.jpg")

    assert (answer.status_code, answer.json()["code"]) == (404, "evidence-missing")


def test_without_a_snapshot_the_decisive_frame_stands_in(web: FakeWeb, client: WebClient) -> None:
    frames = [
        item(web, EvidenceKind.FRAME, name.encode(), frame_id=frame_id)
        for frame_id, name in (("f_12", "earlier"), ("f_20", "plain"), ("f_24", "later"))
    ]
    web.history.store_incident(incident(evidence=tuple(frames)))

    assert client.get(f"{PATH}/snapshot.jpg").content == b"plain"


def test_an_event_without_any_picture_says_so(web: FakeWeb, client: WebClient) -> None:
    lost = EvidenceItem(kind=EvidenceKind.FRAME, frame_id="f_20", problem="the disk is full")
    web.history.store_incident(incident(evidence=(lost,)))

    assert client.get(f"{PATH}/snapshot.jpg").json()["code"] == "evidence-missing"
    assert client.get(PATH).json()["frames"] == []


@pytest.mark.parametrize(
    ("wanted", "status", "span"),
    [
        pytest.param("bytes=0-", 206, (0, 1024), id="all, as browsers begin"),
        pytest.param("bytes=100-199", 206, (100, 200), id="a part"),
        pytest.param("bytes=1000-9999", 206, (1000, 1024), id="past the end"),
        pytest.param("bytes=-24", 206, (1000, 1024), id="the last bytes"),
        pytest.param("bytes=-9999", 206, (0, 1024), id="more than all of the last bytes"),
        pytest.param("bytes=0-0", 206, (0, 1), id="one byte"),
        pytest.param("bytes=5-4", 200, (0, 1024), id="turned round is ignored"),
        pytest.param("bytes=0-1,4-5", 200, (0, 1024), id="several are answered with the whole"),
        pytest.param("lines=0-1", 200, (0, 1024), id="another unit is ignored"),
        pytest.param("bytes=-", 200, (0, 1024), id="nothing is ignored"),
    ],
)
def test_a_clip_is_sent_whole_or_in_part(
    web: FakeWeb,
    client: WebClient,
    event: Incident,
    wanted: str,
    status: int,
    span: tuple[int, int],
) -> None:
    with_clip(web)

    answer = client.get(f"{PATH}/clip.mp4", headers={"Range": wanted})

    assert answer.status_code == status
    assert answer.content == CLIP[slice(*span)]
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Type"] == "video/mp4"
    if status == 206:
        assert answer.headers["Content-Range"] == f"bytes {span[0]}-{span[1] - 1}/1024"


@pytest.mark.parametrize("wanted", ["bytes=1024-", "bytes=9999-10000", "bytes=-0"])
def test_a_range_outside_is_refused(
    web: FakeWeb, client: WebClient, event: Incident, wanted: str
) -> None:
    with_clip(web)

    answer = client.get(f"{PATH}/clip.mp4", headers={"Range": wanted})

    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */1024"


def test_a_part_of_another_version_is_not_mixed_in(
    web: FakeWeb, client: WebClient, event: Incident
) -> None:
    with_clip(web)

    answer = client.get(f"{PATH}/clip.mp4", headers={"Range": "bytes=0-9", "If-Range": '"another"'})

    assert (answer.status_code, len(answer.content)) == (200, 1024)


def test_a_clip_that_is_being_made_is_pending(client: WebClient, event: Incident) -> None:
    answer = client.get(f"{PATH}/clip.mp4")

    assert (answer.status_code, answer.json()["code"]) == (404, "clip-pending")
    assert answer.headers["Retry-After"] == "2"
    assert client.get(PATH).json()["clip"]["state"] == "pending"


def test_a_clip_that_cannot_be_made_says_why(
    web: FakeWeb, client: WebClient, event: Incident
) -> None:
    web.history.add_evidence(
        "ev_1", EvidenceItem(kind=EvidenceKind.CLIP, problem="the ring was empty")
    )

    answer = client.get(f"{PATH}/clip.mp4")

    assert (answer.status_code, answer.json()["code"]) == (404, "clip-unavailable")
    assert answer.json()["detail"] == "the ring was empty"


@pytest.mark.parametrize("stream", ["", "main", "sub"])
def test_a_clip_says_which_stream_it_was_cut_from(
    web: FakeWeb, client: WebClient, event: Incident, stream: str
) -> None:
    web.history.add_evidence("ev_1", item(web, EvidenceKind.CLIP, CLIP, stream=stream))

    assert client.get(PATH).json()["clip"]["stream"] == stream
    listed = client.get(f"{PATH}/evidence").json()
    assert listed["clip"]["stream"] == stream
    assert [one["stream"] for one in listed["items"] if one["kind"] == "clip"] == [stream]


def test_a_still_is_shown_and_listed(web: FakeWeb, client: WebClient, event: Incident) -> None:
    assert client.get(PATH).json()["still"] is None
    ref = web.evidence.put(b"\xff\xd8 all of it", suffix="jpg")
    web.history.add_evidence("ev_1", EvidenceItem(kind=EvidenceKind.STILL, ref=ref))

    url = client.get(PATH).json()["still"]

    assert url == f"{PATH}/still.jpg"
    answer = client.get(url)
    assert answer.content == b"\xff\xd8 all of it"
    assert answer.headers["content-type"] == "image/jpeg"
    listed = client.get(f"{PATH}/evidence").json()["items"]
    assert [item["url"] for item in listed if item["kind"] == "still"] == [url]


def test_a_still_that_is_not_kept_says_why(
    web: FakeWeb, client: WebClient, event: Incident
) -> None:
    assert client.get(f"{PATH}/still.jpg").status_code == 404
    web.history.add_evidence("ev_1", EvidenceItem(kind=EvidenceKind.STILL, problem="all damaged"))

    answer = client.get(f"{PATH}/still.jpg")

    assert answer.status_code == 404
    assert "all damaged" in answer.json()["detail"]


def test_a_clip_is_not_awaited_for_ever(
    clock: ManualClock, client: WebClient, event: Incident
) -> None:
    clock.advance(3600)

    assert client.get(f"{PATH}/clip.mp4").json()["code"] == "clip-unavailable"


def test_tracks_come_point_by_point(client: WebClient, event: Incident) -> None:
    [track] = client.get(f"{PATH}/tracks").json()["tracks"]

    assert len(track["points"]) == len(event.tracks[0].points)
    assert track["points"][0]["frame_id"] == "f_0"


def test_the_reasoning_comes_claim_by_claim(
    web: FakeWeb, client: WebClient, event: Incident
) -> None:
    assert client.get(f"{PATH}/reasoning").json()["code"] == "not-reasoned"
    web.history.store_finding(finding(event))

    shown = client.get(f"{PATH}/reasoning").json()

    assert shown["event_id"] == "ev_1"
    assert [claim["id"] for claim in shown["reasoning"]["claims"]] == [
        f"c{number}" for number in range(1, 7)
    ]
    assert shown["created_at"].endswith("Z")


def test_evidence_is_listed_with_its_digest_and_facts(client: WebClient, event: Incident) -> None:
    shown = client.get(f"{PATH}/evidence").json()

    assert shown["items"][0]["digest"].startswith("sha256:")
    assert len(shown["facts"]) == len(event.facts)


def test_what_could_not_be_kept_says_why(web: FakeWeb, client: WebClient) -> None:
    lost = EvidenceItem(kind=EvidenceKind.FRAME, frame_id="f_20", problem="the disk is full")
    web.history.store_incident(replace(incident(), evidence=(lost,)))

    [shown] = client.get(f"{PATH}/evidence").json()["items"]

    assert (shown["problem"], shown["url"]) == ("the disk is full", None)


@pytest.mark.parametrize(
    "path", ["", "/tracks", "/reasoning", "/evidence", "/snapshot.jpg", "/clip.mp4"]
)
def test_an_unknown_event_is_not_found(client: WebClient, path: str) -> None:
    assert client.get(f"/api/v1/events/ev_none{path}").status_code == 404
