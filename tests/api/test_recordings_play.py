"""Parts of recordings, with and without sound and masks, played in a real browser from the API."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from contracts.geometry import Zone
from ingest.recorder.folder import RecordingFolder
from ingest.recorder.part_writer import PartWriter
from ingest.recorder.retention import Limits
from tests.api.test_clips_play import PLAY
from tests.fakes.chromium import NEEDS_CHROMIUM
from tests.fakes.clock import START
from tests.fakes.masked import LEFT
from tests.fakes.web import FakeWeb
from tests.fakes.web_server import RunningServer
from tests.ingest.rings import ring_of
from tests.ingest.sounding import write_sounding

PICTURES = 40

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("masks", [(), (LEFT,)], ids=["copied", "masked"])
@pytest.mark.parametrize("audio", ["", "aac", "libopus"])
def test_a_part_plays(
    web: FakeWeb, page: Page, tmp_path: Path, audio: str, masks: tuple[Zone, ...]
) -> None:
    suffix = ".mkv" if audio == "libopus" else ".mp4"
    path = write_sounding(tmp_path / f"source{suffix}", audio=audio or "aac", b_frames=2)
    ring = ring_of(path, has_audio=bool(audio))
    ring.mask(masks)
    web.recordings = tmp_path / "recordings"
    folder = RecordingFolder(web.recordings, clock=web.clock, limits=Limits(days=7.0))
    first, *rest = ring.stretches_after(0)
    writer = PartWriter(folder.begin("gate", START - timedelta(minutes=1)), first)
    for stretch in (first, *rest):
        writer.add(stretch)
    part = writer.publish()

    with RunningServer(web.app()) as server:
        page.context.clear_cookies()
        page.goto(f"{server.url}/sign-in#link={web.link_secret()}")
        page.wait_for_url(f"{server.url}/")
        url = f"/api/v1/cameras/gate/recordings/{part.part_id}.mp4"
        found: dict[str, Any] = page.evaluate(PLAY, [url, 4.0])
        page.goto("about:blank")

    assert found["how"] == "ended"
    assert found["decoded"] == PICTURES
    assert found["reachedS"] == pytest.approx(4.0, abs=0.3)
