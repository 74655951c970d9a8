"""Publishing and watching in a real browser: the pages, WHIP and WHEP, against the real gateway."""

import os
import subprocess
import sys
from collections.abc import Iterator

import av
import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from contracts.cameras import CameraState, CameraStatus
from contracts.clock import SystemClock
from contracts.queues import LivePicture
from contracts.settings import WebRtcSettings
from tests.fakes.builders import header
from tests.fakes.chromium import in_chromium
from tests.fakes.time_code import PUBLISH, WATCH
from tests.fakes.web import FakeWeb, WebClient
from tests.fakes.web_server import RunningServer
from tests.ingest.webrtc.peers import Bench

WHIP, WHEP = "/api/v1/cameras/gate/whip", "/api/v1/cameras/gate/whep"


@pytest.fixture
def clock() -> SystemClock:
    """Browsers have no other."""
    return SystemClock()


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench(webrtc=WebRtcSettings(viewers=2))
    yield made
    made.end()


@pytest.fixture
def site(web: FakeWeb, bench: Bench) -> FakeWeb:
    """A web whose camera is that of the bench."""
    web.show_publisher(bench.camera, bench.inbox)
    web.statuses.said["gate"] = CameraStatus(
        camera_id="gate", state=CameraState.SEEING, phase="live", updated_at=web.clock.now()
    )
    return web


@in_chromium
def test_a_browser_publishes_and_another_page_watches_it_back(
    page: Page, bench: Bench, server: RunningServer
) -> None:
    page.goto(f"{server.url}/account")
    page.evaluate(PUBLISH, [WHIP, [640, 360]])
    bench.until(lambda: bench.received > 3)
    viewer = page.context.new_page()
    viewer.goto(f"{server.url}/account")

    found = viewer.evaluate(WATCH, [WHEP, 30, 20_000])

    assert len(found["latenciesMs"]) == 30, found
    assert bench.live.feed.is_original, "the publisher's packets, not encoded again"
    assert found["sizes"][-1] == "640x360"


@in_chromium
def test_the_pages_publish_the_devices_camera_and_play_it(
    page: Page, bench: Bench, server: RunningServer
) -> None:
    page.goto(f"{server.url}/cameras")
    page.get_by_role("link", name="Publish from here").click()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Published. Keep this page open.")).to_be_visible(timeout=15_000)
    bench.until(lambda: bench.received > 3)

    viewer = page.context.new_page()
    viewer.goto(f"{server.url}/cameras")
    viewer.get_by_role("button", name="Watch live").click()
    expect(viewer.locator(".live-player")).to_have_attribute("data-how", "video", timeout=15_000)
    expect(viewer.get_by_text("Live", exact=True).last).to_be_visible()
    viewer.wait_for_function("() => document.querySelector('.live-player video').currentTime > 0.5")
    viewer.get_by_role("button", name="Stop watching").click()
    expect(viewer.locator(".live-player")).to_have_count(0)

    page.get_by_role("button", name="Stop").click()
    bench.until(lambda: bench.status().phase == "waiting")


@in_chromium
def test_without_video_the_player_shows_still_pictures_and_says_why(
    page: Page, site: FakeWeb, server: RunningServer
) -> None:
    jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), 120, np.uint8))[1].tobytes()
    site.pictures.pictures["gate"] = LivePicture(
        header=header(7, camera_id="gate"), jpeg=jpeg, boxes=()
    )
    page.goto(f"{server.url}/cameras")
    page.get_by_role("button", name="Watch live").click()

    player = page.locator(".live-player")
    expect(player).to_have_attribute("data-how", "pictures")
    expect(player).to_contain_text("no picture of this camera comes at the moment")
    page.wait_for_function("() => document.querySelector('.live-player img').naturalWidth === 64")


@in_chromium
@pytest.mark.parametrize("path", ["/cameras", "/cameras/gate/publish"])
def test_nothing_sticks_out_on_a_phone(page: Page, server: RunningServer, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(server.url + path)
    expect(page.get_by_role("heading", name="Phone")).to_be_visible()
    if path == "/cameras":
        page.get_by_role("button", name="Watch live").click()

    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_only_the_publish_page_may_use_the_devices_camera(client: WebClient) -> None:
    publish = client.get("/cameras/gate/publish").headers["Permissions-Policy"]
    other = client.get("/cameras").headers["Permissions-Policy"]

    assert publish.startswith("camera=(self), microphone=(self)")
    assert other.startswith("camera=(), microphone=()")


@pytest.mark.skipif("whip" not in av.formats_available, reason="this FFmpeg has no WHIP")
def test_ffmpeg_publishes_with_a_token(
    client: WebClient, bench: Bench, server: RunningServer
) -> None:
    """Another implementation of ICE, DTLS, SRTP and WHIP than ours or a browser's."""
    token = client.post("/api/v1/tokens", json={"name": "ffmpeg"}).json()["token"]
    publisher = subprocess.Popen(
        [sys.executable, "-m", "tests.whip_publisher", f"{server.url}{WHIP}"],
        env={**os.environ, "WHIP_TOKEN": token},
    )
    try:
        bench.until(lambda: bench.received > 20)
    finally:
        publisher.kill()
        publisher.wait(10)

    assert bench.status().codec == "h264"
