"""The dashboard in a real browser, against a real server."""

import re
from dataclasses import replace
from datetime import timedelta

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from contracts.alerts import Alert
from contracts.cameras import (
    Camera,
    CameraState,
    CameraStatus,
    RecordingStatus,
    SourceSettings,
    SourceType,
)
from contracts.clock import SystemClock
from contracts.geometry import Zone
from contracts.incidents import EvidenceItem, EvidenceKind, Incident
from contracts.queues import LiveBox, LivePicture
from ingest.onvif.discovery import FoundDevice
from ingest.onvif.events import OwnEvent, OwnEventKind
from tests.fakes.builders import box_at, header, incident, scene
from tests.fakes.chromium import NEEDS_CHROMIUM
from tests.fakes.web import FakeWeb
from tests.fakes.web_alerts import alert, store
from tests.fakes.web_server import RunningServer

pytestmark = NEEDS_CHROMIUM


def picture(foot_x: float) -> bytes:
    """A grey yard with somebody in it, as JPEG."""
    pixels_HW3 = np.full((360, 640, 3), (92, 96, 98), np.uint8)
    cv2.rectangle(pixels_HW3, (0, 0), (640, 120), (120, 110, 96), -1)
    x1, y1, x2, y2 = box_at((foot_x, 0.6))
    corners = ((int(x1 * 640), int(y1 * 360)), (int(x2 * 640), int(y2 * 360)))
    cv2.rectangle(pixels_HW3, *corners, (40, 42, 120), -1)
    return cv2.imencode(".jpg", pixels_HW3)[1].tobytes()


def happened(web: FakeWeb, name: str) -> Incident:
    """An intrusion with three kept frames, now."""
    now = web.clock.now()
    frames = tuple(
        EvidenceItem(
            kind=EvidenceKind.FRAME,
            ref=web.evidence.put(picture(0.1 + 0.025 * seq), suffix="jpg"),
            frame_id=f"f_{seq}",
            captured_at=now + timedelta(seconds=(seq - 20) / 5),
            boxes={"t1": box_at((0.1 + 0.025 * seq, 0.6))},
        )
        for seq in (12, 16, 20)
    )
    built = incident(incident_id=name, camera_id="gate", evidence=frames)
    return replace(built, started_at=now, decisive_at=now, detected_at=now)


def opened(web: FakeWeb, name: str, *, reasoned: bool) -> Alert:
    return store(
        web.history, alert(happened(web, name), reasoned=reasoned, opened_at=web.clock.now())
    )


@pytest.fixture
def clock() -> SystemClock:
    """Browsers have no other."""
    return SystemClock()


@pytest.fixture
def site(web: FakeWeb) -> FakeWeb:
    """One camera that sees, with a picture."""
    source = SourceSettings(source_type=SourceType.SYNTHETIC, url="yard")
    web.history.save_camera(
        Camera(camera_id="gate", name="Main gate", source=source, scene=scene())
    )
    web.statuses.said["gate"] = CameraStatus(
        camera_id="gate",
        state=CameraState.SEEING,
        phase="live",
        updated_at=web.clock.now(),
        source_fps=15.0,
        last_frame_at=web.clock.now(),
    )
    box = LiveBox(track_id="t1", label="person", box=box_at((0.6, 0.6)), is_alerting=True)
    web.pictures.pictures["gate"] = LivePicture(
        header=header(7, camera_id="gate"), jpeg=picture(0.6), boxes=(box,)
    )
    return web


def test_signing_in_by_link_leaves_no_secret_behind(page: Page, site: FakeWeb) -> None:
    expect(page.get_by_role("heading", name="Main gate")).to_be_visible()
    expect(page.get_by_text("No alerts yet")).to_be_visible()
    assert "link" not in page.url
    assert not site.history.credentials(kind="link")


def test_an_alert_arrives_and_is_revised_without_reload(page: Page, site: FakeWeb) -> None:
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.evaluate("window.wasNotReloaded = true")

    provisional = opened(site, "ev_live", reasoned=False)
    card = page.get_by_role("list", name="Alerts").get_by_role("listitem")
    expect(card).to_contain_text("Person in Loading dock")
    expect(card).to_contain_text("Reasoning")

    store(site.history, alert(provisional.incident, opened_at=provisional.opened_at))
    expect(card).to_contain_text("91 % sure")
    expect(card).to_have_count(1)
    assert page.evaluate("window.wasNotReloaded") is True


def test_the_live_picture_is_drawn(page: Page) -> None:
    canvas = page.locator(".tile canvas")
    expect(canvas).to_be_visible()
    page.wait_for_function(
        """() => {
          const canvas = document.querySelector(".tile canvas");
          const context = canvas.getContext("2d");
          return context.getImageData(canvas.width / 4, canvas.height / 2, 1, 1).data[3] === 255;
        }"""
    )


def test_a_claim_shows_the_frame_it_rests_on_by_click_and_by_keyboard(
    page: Page, site: FakeWeb, server: RunningServer
) -> None:
    stored = opened(site, "ev_1", reasoned=True)
    page.goto(f"{server.url}/alerts/{stored.alert_id}")
    view = page.locator(".frame-view")
    expect(view).to_have_attribute("data-frame", "f_20")

    page.get_by_text("A person (t1) was followed").click()
    page.get_by_role("group", name="Frames of c1").get_by_role("button", name="frame 12").click()
    expect(view).to_have_attribute("data-frame", "f_12")

    page.locator("[data-claim=c2]").focus()
    expect(view).to_have_attribute("data-frame", "f_20")
    expect(page.locator(".chain li.is-selected")).to_contain_text("stayed in Loading dock")


@pytest.mark.parametrize("stream", ["main", "sub"])
def test_a_clip_of_the_sub_stream_is_said_to_be_one(
    page: Page, site: FakeWeb, server: RunningServer, stream: str
) -> None:
    stored = opened(site, "ev_1", reasoned=True)
    ref = site.evidence.put(b"no video", suffix="mp4")
    clip = EvidenceItem(kind=EvidenceKind.CLIP, ref=ref, stream=stream)
    site.history.add_evidence("ev_1", clip)

    page.goto(f"{server.url}/alerts/{stored.alert_id}")

    expect(page.get_by_role("heading", name="Clip")).to_be_visible()
    said = page.get_by_text("From the camera's sub-stream: its main stream was away.")
    expect(said).to_have_count(1 if stream == "sub" else 0)


def test_acknowledging_is_shown_at_once(page: Page, site: FakeWeb, server: RunningServer) -> None:
    stored = opened(site, "ev_1", reasoned=True)
    page.goto(f"{server.url}/alerts/{stored.alert_id}")

    page.get_by_role("button", name="Acknowledge").click()

    expect(page.get_by_text("Acknowledged", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)


def test_a_note_stays_with_the_alert(page: Page, site: FakeWeb, server: RunningServer) -> None:
    stored = opened(site, "ev_1", reasoned=True)
    page.goto(f"{server.url}/alerts/{stored.alert_id}")

    page.get_by_label("Note").fill("<b>Guard</b> is on the way.")
    page.get_by_role("button", name="Acknowledge").click()

    expect(page.locator(".notes")).to_contain_text("<b>Guard</b> is on the way.")
    expect(page.locator(".notes")).to_contain_text("admin, acknowledged")
    expect(page.get_by_label("Note")).to_have_value("")


def test_a_card_says_where_and_why(page: Page, site: FakeWeb) -> None:
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    opened(site, "ev_1", reasoned=True)

    card = page.get_by_role("list", name="Alerts").get_by_role("listitem")
    expect(card.locator(".alert-where")).to_contain_text("Loading dock \u00b7 Loading yard")
    expect(card).to_contain_text("There for 1.4 s, the rule asks for 1 s")


def test_a_stream_that_went_silent_is_not_called_live(page: Page, server: RunningServer) -> None:
    """A connection may die without a word: a router that restarts tells neither end."""
    page.clock.install()
    page.goto(server.url)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.route("**/api/v1/stream", lambda route: route.abort())

    page.clock.fast_forward(33_000)
    expect(page.get_by_text("Reconnecting", exact=True)).to_be_visible()

    page.unroute("**/api/v1/stream")
    page.clock.fast_forward(33_000)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()


def test_a_bad_address_is_explained_beside_its_field(page: Page, server: RunningServer) -> None:
    page.goto(f"{server.url}/cameras")
    page.get_by_label("Address").fill("ftp://camera/stream")
    page.get_by_role("button", name="Add camera").click()
    expect(page.get_by_text("must begin with rtsp:// or rtsps://")).to_be_visible()

    page.get_by_label("Name").fill("Back door")
    page.get_by_label("Address").fill("rtsp://root:hunter2@192.0.2.9/1")
    page.get_by_role("button", name="Add camera").click()
    expect(page.get_by_role("heading", name="Back door")).to_be_visible()
    expect(page.get_by_text("rtsp://***@192.0.2.9/1")).to_be_visible()


def test_a_camera_that_answers_is_put_into_the_form(
    page: Page, site: FakeWeb, server: RunningServer
) -> None:
    url = "onvif://192.0.2.9:8000/onvif/device_service"
    site.devices = [FoundDevice(address="192.0.2.9", url=url, name="<b>Acme</b>", hardware="D4")]
    page.goto(f"{server.url}/cameras")
    page.get_by_role("button", name="Look for ONVIF cameras").click()
    expect(page.get_by_text("<b>Acme</b>, D4")).to_be_visible()
    page.get_by_role("button", name="Use").click()

    shown = "onvif://user:password@192.0.2.9:8000/onvif/device_service"
    expect(page.get_by_label("Address")).to_have_value(shown)
    page.keyboard.type("admin:hunter2")
    page.get_by_role("button", name="Add camera").click()
    expect(page.get_by_text("onvif://***@192.0.2.9:8000/onvif/device_service")).to_be_visible()

    event = OwnEvent(
        camera_id="camera",
        at=site.clock.now(),
        kind=OwnEventKind.TAMPER,
        topic="VideoSource/GlobalSceneChange",
        is_on=True,
    )
    site.own_events = [event]
    expect(page.get_by_text("The camera itself says")).to_be_visible()
    expect(page.get_by_text("tampering, ")).to_be_visible()


def test_a_camera_says_how_its_recording_is_doing(
    page: Page, site: FakeWeb, server: RunningServer
) -> None:
    page.goto(f"{server.url}/cameras")
    expect(page.get_by_text("Coverage of the last hour")).to_be_visible()
    fact = page.locator("dl div", has=page.get_by_text("Recording", exact=True)).locator("dd")
    expect(fact).to_have_count(0)

    def says(recording: RecordingStatus) -> None:
        site.statuses.said["gate"] = replace(site.statuses.said["gate"], recording=recording)
        page.reload()

    says(RecordingStatus(size_bytes=2_500_000_000, since=site.clock.now()))
    expect(fact).to_have_text(re.compile(r"^since .*, 2\.5 GB kept$"))
    says(RecordingStatus(size_bytes=2_500_000_000, problem="the disk is full"))
    expect(fact).to_have_text("the disk is full (2.5 GB kept)")


def test_a_camera_says_what_is_masked(page: Page, site: FakeWeb, server: RunningServer) -> None:
    """The grey that people see must not look like a fault."""
    page.goto(f"{server.url}/cameras")
    expect(page.get_by_text("Coverage of the last hour")).to_be_visible()
    fact = page.locator("dt", has_text="Privacy masks")
    expect(fact).to_have_count(0)

    camera = site.history.camera("gate")
    assert camera is not None
    window = Zone(zone_id="w", name="Neighbour's <i>window</i>", polygon=((0, 0), (1, 0), (1, 1)))
    site.history.save_camera(replace(camera, masks=(window,), version=camera.version + 1))
    page.reload()

    expect(fact).to_be_visible()
    expect(page.get_by_text("Neighbour's <i>window</i>")).to_be_visible()


def test_what_a_rule_is_called_stays_text(page: Page, site: FakeWeb, server: RunningServer) -> None:
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    hostile = replace(happened(site, "ev_x"), camera_name="<img src=x onerror=alert(1)>")
    store(site.history, alert(hostile, title="<b>bold</b>", opened_at=site.clock.now()))

    expect(page.get_by_text("<b>bold</b>")).to_be_visible()
    assert page.locator(".alert-card img[onerror], .alert-card b").count() == 0


@pytest.mark.parametrize(
    "path", ["/", "/cameras", "/cameras/gate/masks", "/account", "/alerts/{alert_id}"]
)
def test_nothing_sticks_out_on_a_phone(
    page: Page, site: FakeWeb, server: RunningServer, path: str
) -> None:
    stored = opened(site, "ev_1", reasoned=True)
    page.set_viewport_size({"width": 360, "height": 740})

    page.goto(server.url + path.format(alert_id=stored.alert_id))

    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_measured_values_are_as_exact_as_their_tolerance(page: Page) -> None:
    shown = page.evaluate(
        """async () => {
          const { withTolerance } = await import("/app/format.js");
          return [
            withTolerance(1.4, 0.09, "s"),
            withTolerance(20.8, 0.258, "s"),
            withTolerance(0.0416, 0.0045, "picture"),
            withTolerance(1.2, 0.154, "s"),
            withTolerance(120.3, 14, "s"),
            withTolerance(3, 0, "1"),
            withTolerance(19.117, 0.017, "h"),
            withTolerance(null, null, ""),
          ];
        }"""
    )

    assert shown == [
        "1.40 \u00b1 0.09 s",
        "20.8 \u00b1 0.3 s",
        "4.2 \u00b1 0.4 % of picture",
        "1.20 \u00b1 0.15 s",
        "120 \u00b1 14 s",
        "3",
        "19:07",
        "",
    ]
