"""Sound that a real browser, and FFmpeg, publish: in clips and recordings, and played back."""

import base64
import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import av
import pytest
from playwright.sync_api import Page, expect

from contracts.clock import SystemClock
from contracts.settings import WebRtcSettings
from ingest.clips import make_clip
from ingest.recorder.camera_recorder import CameraRecorder
from ingest.recorder.folder import RecordingFolder
from ingest.recorder.retention import Limits
from tests.fakes.chromium import NEEDS_CHROMIUM
from tests.fakes.flashing import HEARD, PUBLISH_FLASHES
from tests.fakes.mp4_parts import whole_parts
from tests.fakes.web import FakeWeb, WebClient
from tests.fakes.web_server import RunningServer
from tests.ingest.webrtc.beeps import apart_s
from tests.ingest.webrtc.peers import Bench

WHIP = "/api/v1/cameras/gate/whip"
APART_MAX_S = 0.1
CLOCK = SystemClock()

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def clock() -> SystemClock:
    """Browsers have no other."""
    return SystemClock()


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench(webrtc=WebRtcSettings(viewers=2), keeps_audio=True)
    yield made
    made.end()


@pytest.fixture
def site(web: FakeWeb, bench: Bench) -> FakeWeb:
    """A web whose camera is that of the bench."""
    web.show_publisher(bench.camera, bench.inbox)
    return web


def clip_of(bench: Bench, seconds: float) -> bytes:
    last_at, run_id = bench.status().last_frame_at, bench.status().run_id
    assert last_at is not None
    return make_clip(bench.ring.cover(run_id, last_at - timedelta(seconds=seconds), last_at))


def test_picture_and_sound_of_a_browser_belong_together(
    page: Page,
    bench: Bench,
    server: RunningServer,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    page.goto(f"{server.url}/account")
    page.mouse.click(5, 5)  # a page that nobody has touched may make no sound
    page.evaluate(PUBLISH_FLASHES, WHIP)
    bench.until(lambda: bench.received > 240)
    clip = tmp_path / "clip.mp4"

    clip.write_bytes(clip_of(bench, 5.0))

    record_property("sound_late_ms", round(1000 * apart_s(clip)))
    assert apart_s(clip) == pytest.approx(0.0, abs=APART_MAX_S)


def length_s(content: bytes) -> float:
    """Seconds of picture in a part, by its packets."""
    with av.open(io.BytesIO(content), "r") as container:
        stream = container.streams.video[0]
        times = [packet.pts for packet in container.demux(stream) if packet.pts is not None]
        assert stream.time_base is not None
        return float((max(times) - min(times)) * stream.time_base)


def test_the_part_that_a_kill_left_plays_with_its_sound(
    page: Page, bench: Bench, server: RunningServer, tmp_path: Path
) -> None:
    folder = RecordingFolder(tmp_path, clock=CLOCK, limits=Limits(days=7.0))
    recorder = CameraRecorder("gate", ring=bench.ring, folder=folder, clock=CLOCK)
    page.goto(f"{server.url}/account")
    page.mouse.click(5, 5)
    page.evaluate(PUBLISH_FLASHES, WHIP)

    def has_parts() -> bool:
        recorder.step()
        return any(len(whole_parts(path.read_bytes())) >= 6 for path in tmp_path.rglob("*.part"))

    bench.until(has_parts)
    [left] = tmp_path.rglob("*.part")  # nobody finished it
    content = left.read_bytes()
    content = content[: whole_parts(content)[-1]]

    recorder.close()
    player = page.context.new_page()  # Vigil's own pages may play nothing that is not of its origin

    found = player.evaluate(HEARD, base64.b64encode(content).decode())

    assert found["how"] == "ended"
    assert found["seconds"] == pytest.approx(length_s(content), abs=0.5)
    assert found["pictures"] > 50
    assert found["soundBytes"] > 1000


def test_the_publish_page_sends_the_devices_microphone_where_its_sound_is_kept(
    page: Page, bench: Bench, server: RunningServer, tmp_path: Path
) -> None:
    page.goto(f"{server.url}/cameras/gate/publish")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Published, with sound.")).to_be_visible(timeout=15_000)
    bench.until(lambda: bench.received > 60)
    threading.Event().wait(0.5)
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(clip_of(bench, 2.0))

    with av.open(str(clip)) as container:
        assert sum(packet.size > 0 for packet in container.demux(audio=0)) > 30


def test_the_publish_page_leaves_the_microphone_alone_where_no_sound_is_kept(
    page: Page, bench: Bench, site: FakeWeb, server: RunningServer
) -> None:
    silent = replace(bench.camera, name="Phone", keeps_audio=False)
    site.history.save_camera(silent)
    bench.cameras.open(silent)
    page.goto(f"{server.url}/cameras/gate/publish")
    asked = "(() => { const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);"
    asked += " window.asked = []; navigator.mediaDevices.getUserMedia = (what) => {"
    asked += " window.asked.push(what.audio); return ask(what); }; })()"
    page.evaluate(asked)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Published. Keep this page open.")).to_be_visible(timeout=15_000)

    assert page.evaluate("window.asked") == [False]
    publication = bench.live.intake.current
    assert publication is not None
    assert not publication.has_sound


@pytest.mark.skipif("whip" not in av.formats_available, reason="this FFmpeg has no WHIP")
def test_picture_and_sound_of_ffmpeg_belong_together(
    client: WebClient,
    bench: Bench,
    server: RunningServer,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    token = client.post("/api/v1/tokens", json={"name": "ffmpeg"}).json()["token"]
    publisher = subprocess.Popen(
        [sys.executable, "-m", "tests.whip_publisher", f"{server.url}{WHIP}"],
        env={**os.environ, "WHIP_TOKEN": token, "WHIP_SOUND": "1"},
    )
    clip = tmp_path / "clip.mp4"
    try:
        bench.until(lambda: bench.received > 180)
        clip.write_bytes(clip_of(bench, 5.0))
    finally:
        publisher.kill()
        publisher.wait(10)

    record_property("sound_late_ms", round(1000 * apart_s(clip)))
    assert apart_s(clip) == pytest.approx(0.0, abs=APART_MAX_S)
