"""Privacy masks from the API through a real Redis to the pictures, over edits and a restart.

One is drawn in a real browser and looked at there.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from api.transport.connection import connect
from api.transport.directory import RedisCameraDirectory
from api.transport.leases import RedisLeases
from contracts.cameras import Camera
from contracts.clock import SystemClock
from contracts.frames import FrameOutcome
from contracts.queues import LivePicture
from contracts.settings import IngestSettings, QueueSettings
from ingest.frame_queue import RedisFrameQueue
from ingest.shared_pixels import pixel_receiver, pixel_sender
from ingest.supervisor import IngestSupervisor
from tests.e2e.system import RunningVigil, running, wait_for
from tests.fakes.chromium import chromium, in_chromium, signed_in
from tests.fakes.clips import WalkerClip, walker_path
from tests.fakes.mask_drawing import button, draw
from tests.fakes.masked import is_covered
from tests.fakes.ports import InMemoryEvidence, InMemoryWorkQueue
from tests.fakes.web import FakeWeb, WebClient
from tests.fakes.web_server import RunningServer
from tests.ingest.recordings import file_camera
from vision.picture import Picture

MASKS = "/api/v1/cameras/gate/masks"
LEFT: dict[str, Any] = {"id": "left", "name": "", "polygon": [[0, 0], [0.25, 0], [0.25, 1], [0, 1]]}
WITHIN_S = 60.0
IS_FLAT = """
([[from, to], isFlat]) => {
  const { width, height } = document.querySelector(".mask-picture canvas");
  const context = document.querySelector(".mask-picture canvas").getContext("2d");
  const { data } = context.getImageData(from * width, 0, (to - from) * width, height);
  const greens = data.filter((_, index) => index % 4 === 1);
  const isThere = data[3] === 255;
  const spread = greens.reduce((most, green) => Math.max(most, Math.abs(green - greens[0])), 0);
  return isThere && spread <= 6 === isFlat;
}
"""
"""Whether a strip of the picture on the page is of one grey."""


class Site:
    """An ingest stage on a real Redis, and the API before it."""

    def __init__(self, redis_url: str, settings: QueueSettings) -> None:
        self.clients = [connect(redis_url) for _ in range(3)]
        clock = SystemClock()
        self.queue = RedisFrameQueue(
            redis_url, settings=settings, clock=clock, sender=pixel_sender(settings, clock)
        )
        self.reader = RedisFrameQueue(
            redis_url, settings=settings, clock=clock, receiver=pixel_receiver(settings, clock)
        )
        self.publisher = RedisCameraDirectory(self.clients[0])
        self.stop = threading.Event()
        supervisor = IngestSupervisor(
            directory=RedisCameraDirectory(self.clients[1]),
            leases=RedisLeases(self.clients[2], holder="ingest-1", lease_s=settings.lease_s),
            writer=self.queue,
            work_queue=InMemoryWorkQueue(),
            evidence_store=InMemoryEvidence(),
            settings=IngestSettings(),
            clock=SystemClock(),
        )
        self.thread = threading.Thread(target=supervisor.run, args=(self.stop,), daemon=True)
        self.thread.start()

    def frame(self) -> Picture:
        """What the next frame shows, which is settled; those that are overtaken are left out."""

        def next_one() -> Picture | None:
            picture = None
            for queued in self.reader.take(["gate"], timeout_s=1.0):
                picture = Picture.of(queued.frame) or picture
                self.reader.settle(queued, FrameOutcome.ANALYSED)
            return picture

        return wait_for(next_one, within_s=WITHIN_S, what="a frame")

    def end(self) -> None:
        self.stop.set()
        self.thread.join(20)
        for queue in (self.queue, self.reader):
            queue.close()
        for client in self.clients:
            client.close()


@pytest.fixture(params=["memory", "jpeg"])
def site(request: pytest.FixtureRequest, redis_url: str, tmp_path: Path) -> Iterator[Site]:
    is_shared = request.param == "memory"
    settings = QueueSettings(
        shared_memory_folder=tmp_path, shared_memory_mb=100 if is_shared else 0
    )
    made = Site(redis_url, settings)
    yield made
    assert made.queue.account("gate").carrier == request.param
    made.end()
    assert list(tmp_path.rglob("*.ring")) == [], "the camera was let go"


def looping() -> Camera:
    clip = WalkerClip(duration_s=60.0, leave_s=59.0)
    return file_camera(walker_path(clip), is_paced=True, is_looped=True, analysis_fps=10.0)


def test_an_edit_in_the_api_covers_the_running_stream(site: Site) -> None:
    web = FakeWeb()
    web.history.save_camera(looping())
    with WebClient(web.app(camera_publisher=site.publisher)) as stranger:
        client = stranger.sign_in(web)
        client.patch("/api/v1/cameras/gate", json={"name": "Gate"})
        before = site.frame()
        assert not is_covered(before.jpeg)

        assert client.put(MASKS, json={"masks": [LEFT]}).status_code == 200
        after = wait_for(
            lambda: seen if is_covered((seen := site.frame()).jpeg) else None,
            within_s=WITHIN_S,
            what="a covered frame",
        )
        assert all(is_covered(site.frame().jpeg) for _ in range(10))
        assert after.header.run_id != before.header.run_id
        assert after.header.monotonic_s > before.header.monotonic_s

        client.put(MASKS, json={"masks": []})
        wait_for(
            lambda: not is_covered(site.frame().jpeg),
            within_s=WITHIN_S,
            what="an open frame",
        )
        assert len(client.get(f"{MASKS}/edits").json()["items"]) == 2


def test_a_camera_that_is_taken_with_masks_shows_nothing_from_its_first_frame_on(
    site: Site,
) -> None:
    web = FakeWeb()
    web.history.save_camera(looping())
    with WebClient(web.app()) as stranger:
        stranger.sign_in(web).put(MASKS, json={"masks": [LEFT]})
    site.publisher.publish_cameras(web.publisher.published[-1])

    assert all(is_covered(site.frame().jpeg) for _ in range(10))


@contextmanager
def shown(site: Site, web: FakeWeb) -> Iterator[None]:
    """Let the web have each frame as the newest picture."""
    stop = threading.Event()

    def show() -> None:
        while not stop.is_set():
            frame = site.frame()
            web.pictures.pictures["gate"] = LivePicture(
                header=frame.header, jpeg=frame.jpeg, boxes=()
            )

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)


@in_chromium
def test_a_mask_drawn_in_the_browser_covers_the_picture_there(site: Site) -> None:
    web = FakeWeb(clock=SystemClock())
    web.history.save_camera(looping())
    app = web.app(camera_publisher=site.publisher)
    app.state.cameras.publish()
    with (
        RunningServer(app) as server,
        chromium() as browser,
        signed_in(browser, web, server.url) as page,
        shown(site, web),
    ):
        page.goto(f"{server.url}/cameras/gate/masks")
        page.wait_for_function(IS_FLAT, arg=[[0, 0.23], False])

        draw(page, LEFT["polygon"])
        button(page, "Save").click()

        expect(page.get_by_text("Saved. New pictures are covered.")).to_be_visible()
        page.wait_for_function(IS_FLAT, arg=[[0, 0.23], True])
        page.wait_for_function(IS_FLAT, arg=[[0.27, 1], False])
        assert is_covered(web.pictures.pictures["gate"].jpeg)


def picture(vigil: RunningVigil) -> httpx.Response | None:
    answer = vigil.client.get("/api/v1/cameras/gate/latest.jpg")
    return answer if answer.status_code == 200 else None


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_masks_stay_over_a_restart_with_the_camera_in_the_settings(tmp_path: Path) -> None:
    (tmp_path / "gate.mp4").write_bytes(walker_path(WalkerClip(duration_s=60.0)).read_bytes())
    settings = f"[[cameras]]\nid = 'gate'\nurl = '{tmp_path / 'gate.mp4'}'\n"
    with running(tmp_path / "state", settings) as vigil:
        wait_for(lambda: picture(vigil), within_s=WITHIN_S, what="a picture")
        vigil.client.put(MASKS, json={"masks": [LEFT]}).raise_for_status()
        wait_for(
            lambda: (found := picture(vigil)) and is_covered(found.content),
            within_s=WITHIN_S,
            what="a covered picture",
        )

    with running(tmp_path / "state", settings) as vigil:
        first = wait_for(lambda: picture(vigil), within_s=WITHIN_S, what="a picture")
        assert is_covered(first.content)
        assert vigil.client.get(MASKS).json()["masks"] == [LEFT]
        [edit] = vigil.client.get(f"{MASKS}/edits").json()["items"]
        assert (edit["before"], edit["after"]) == ([], [LEFT])
