"""Who looked at recordings, and who switched what is kept, as an auditor reads it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from api.access import Identity
from api.recording_readings import ONE_LOOK, RecordingReadings
from contracts.errors import TransportUnavailable
from ingest.recorder.parts import Part
from tests.api.routes.test_recordings import CAMERA, CAMERAS, GATE, kept_parts
from tests.fakes.clock import START, ManualClock
from tests.fakes.web import FakeWeb, WebClient

WHO = Identity(
    user_id="u",
    name="admin",
    role="admin",
    credential_id="c",
    kind="session",
    how="link",
    expires_at=START,
)
AUDIT = f"{CAMERAS}/gate/audit"


@pytest.fixture
def parts(web: FakeWeb, clock: ManualClock, tmp_path: Path) -> list[Part]:
    return kept_parts(web, clock, tmp_path)


def looks(client: WebClient) -> list[dict[str, object]]:
    items: list[dict[str, object]] = client.get(f"{AUDIT}?action=recording.read").json()["items"]
    return items


def watch(client: WebClient, part: Part, **headers: str) -> int:
    return client.get(f"{GATE}/{part.part_id}.mp4", headers=headers).status_code


def test_who_looks_at_a_part_is_written_down(parts: list[Part], client: WebClient) -> None:
    token = client.post("/api/v1/tokens", json={"name": "exporter"}).json()["token"]
    watch(client, parts[0])
    watch(client, parts[1], Authorization=f"Bearer {token}")

    second, first = looks(client)

    assert (first["by"], first["signed_in_by"]) == ("admin", "link")
    assert first["after"] == {
        "part": parts[0].part_id,
        "start": "2026-03-01T11:55:00.000Z",
        "end": "2026-03-01T11:56:00.000Z",
    }
    assert (second["by"], second["signed_in_by"]) == ("admin", "exporter")
    assert second["before"] is None


def test_a_player_that_fetches_piece_by_piece_takes_one_look(
    parts: list[Part], client: WebClient, clock: ManualClock
) -> None:
    for piece in ("bytes=3-", "bytes=0-1", "bytes=2-"):
        assert watch(client, parts[0], Range=piece) == 206
    etag = client.get(f"{GATE}/{parts[0].part_id}.mp4").headers["ETag"]
    assert watch(client, parts[0], **{"If-None-Match": etag}) == 304
    assert len(looks(client)) == 1, "whichever piece was the first"

    clock.advance(ONE_LOOK.total_seconds())
    assert watch(client, parts[0], **{"If-None-Match": etag}) == 304, "shown once more from a cache"
    assert len(looks(client)) == 2


def test_pieces_that_are_asked_for_at_once_take_one_look(
    parts: list[Part], clock: ManualClock
) -> None:
    class Slow:
        def __init__(self) -> None:
            self.lines: list[object] = []
            self.both_write = threading.Barrier(2)

        def add_line(self, line: object) -> None:
            self.lines.append(line)
            with suppress(threading.BrokenBarrierError):  # nobody else writes: as it should be
                self.both_write.wait(timeout=0.2)

    audit = Slow()
    readings = RecordingReadings(audit, clock)  # type: ignore[arg-type]  # all that it uses
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(readings.note, parts[0], WHO) for _ in range(2)]:
            done.result()

    assert len(audit.lines) == 1


def test_another_sign_in_takes_another_look(parts: list[Part], client: WebClient) -> None:
    token = client.post("/api/v1/tokens", json={"name": "exporter"}).json()["token"]
    watch(client, parts[0])
    watch(client, parts[0], Authorization=f"Bearer {token}")

    assert len(looks(client)) == 2


def test_who_lists_parts_or_asks_for_none_has_not_looked(
    parts: list[Part], client: WebClient, stranger: WebClient
) -> None:
    client.get(GATE)
    assert client.get(f"{GATE}/20260301T115500000Z-none.mp4").status_code == 404
    assert watch(stranger, parts[0]) == 401

    assert looks(client) == []


def test_what_cannot_be_written_down_is_not_shown(
    parts: list[Part], client: WebClient, web: FakeWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_line: object) -> None:
        raise TransportUnavailable("the database is away")

    monkeypatch.setattr(web.history, "add_line", refuse)
    assert watch(client, parts[0]) == 503

    monkeypatch.undo()
    assert watch(client, parts[0]) == 200
    assert len(looks(client)) == 1


def test_all_that_was_done_about_a_camera_stands_in_one_list(
    parts: list[Part], client: WebClient
) -> None:
    client.patch(f"{CAMERAS}/gate", json={"record": True})
    watch(client, parts[0])
    client.patch(f"{CAMERAS}/gate", json={"audio": True})
    client.delete(f"{CAMERAS}/gate")

    items = client.get(AUDIT).json()["items"]

    assert [item["action"] for item in items] == [
        "camera.removed",
        "camera.keeping",
        "recording.read",
        "camera.keeping",
    ]
    assert items[1]["before"] == {"record": True, "audio": False}
    assert items[1]["after"] == {"record": True, "audio": True}
    assert len(client.get(f"{AUDIT}?limit=1").json()["items"]) == 1
    assert client.get(f"{CAMERAS}/other/audit").json()["items"] == []


def test_strangers_see_no_audit(stranger: WebClient, web: FakeWeb) -> None:
    web.history.save_camera(CAMERA)

    assert stranger.get(AUDIT).status_code == 401
