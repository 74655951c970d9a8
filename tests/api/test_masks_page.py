"""Drawing privacy masks in a real browser, against a real server."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.clock import SystemClock
from contracts.geometry import Point, Zone
from contracts.queues import LivePicture
from tests.fakes.builders import header
from tests.fakes.chromium import NEEDS_CHROMIUM
from tests.fakes.mask_drawing import at, button, draw
from tests.fakes.web import FakeWeb
from tests.fakes.web_server import RunningServer

pytestmark = NEEDS_CHROMIUM

STREET = Zone(
    zone_id="street", name="Street", polygon=((0.0, 0.75), (1.0, 0.75), (1.0, 1.0), (0.0, 1.0))
)
WINDOW = ((0.1, 0.1), (0.3, 0.1), (0.3, 0.4), (0.1, 0.4))


@pytest.fixture
def clock() -> SystemClock:
    """Browsers have no other."""
    return SystemClock()


@pytest.fixture
def site(web: FakeWeb) -> FakeWeb:
    """One camera with a picture, whose street is masked."""
    source = SourceSettings(source_type=SourceType.SYNTHETIC, url="yard")
    web.history.save_camera(
        Camera(camera_id="gate", name="Main gate", source=source, masks=(STREET,))
    )
    jpeg = cv2.imencode(".jpg", np.full((90, 160, 3), 120, np.uint8))[1].tobytes()
    web.pictures.pictures["gate"] = LivePicture(
        header=header(7, camera_id="gate"), jpeg=jpeg, boxes=()
    )
    return web


@pytest.fixture
def server(site: FakeWeb) -> Iterator[RunningServer]:
    """A real server whose stages have been told of the camera."""
    app = site.app()
    app.state.cameras.publish()
    with RunningServer(app) as running:
        yield running


@pytest.fixture
def masks_page(page: Page, server: RunningServer) -> Page:
    page.goto(f"{server.url}/cameras/gate/masks")
    expect(shape(page, "Street")).to_be_visible()
    return page


def shape(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=re.compile(rf"^{name}, \d+ corners$"))


def drag(page: Page, start: Point, end: Point) -> None:
    page.mouse.move(*at(page, start))
    page.mouse.down()
    page.mouse.move(*at(page, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)))
    page.mouse.move(*at(page, end))
    page.mouse.up()


def stored(site: FakeWeb) -> dict[str, Zone]:
    camera = site.history.camera("gate")
    assert camera is not None
    return {mask.name: mask for mask in camera.masks}


def is_near(mask: Zone, polygon: Sequence[Point]) -> bool:
    """Whether a mask has these corners, as well as a mouse can put them."""
    return np.allclose(mask.polygon, polygon, atol=0.01)


def test_what_can_be_done_next_is_said(masks_page: Page, site: FakeWeb) -> None:
    hint = masks_page.get_by_role("status").first
    expect(masks_page.get_by_text("Choose a mask to change it, or draw another.")).to_be_visible()

    camera = site.history.camera("gate")
    assert camera is not None
    site.history.save_camera(replace(camera, masks=(), version=camera.version + 1))
    masks_page.reload()

    expect(masks_page.get_by_text("Draw a mask around what nobody is to see")).to_be_visible()
    expect(hint).not_to_contain_text("Choose")
    masks_page.get_by_role("link", name="All cameras").click()
    masks_page.wait_for_url("**/cameras")


def test_a_mask_is_drawn_named_saved_and_told_of(masks_page: Page, site: FakeWeb) -> None:
    draw(masks_page, WINDOW)
    masks_page.get_by_label("Name of mask-2").fill("Neighbour's <b>window</b>")
    expect(masks_page.get_by_text("Not saved", exact=True)).to_be_visible()
    assert set(stored(site)) == {"Street"}

    button(masks_page, "Save").click()

    expect(masks_page.get_by_text("Saved. New pictures are covered.")).to_be_visible()
    expect(masks_page.get_by_text("In force", exact=True)).to_be_visible()
    edits = masks_page.locator("#edits")
    expect(edits).to_contain_text("Drew Neighbour's <b>window</b>")
    expect(edits).to_contain_text("admin, signed in by one-time link")
    assert is_near(stored(site)["Neighbour's <b>window</b>"], WINDOW)
    [published] = site.publisher.published[-1]
    assert len(published.masks) == 2


def test_a_mask_is_drawn_and_changed_without_a_mouse(masks_page: Page, site: FakeWeb) -> None:
    button(masks_page, "Draw a mask").press("Enter")
    for keys in (["ArrowUp"], ["ArrowRight"] * 2, ["ArrowDown"] * 2):
        for key in keys:
            masks_page.keyboard.press(f"Shift+{key}")
        masks_page.keyboard.press("Space")
    masks_page.keyboard.press("Enter")
    expect(shape(masks_page, "Mask 2")).to_be_focused()

    masks_page.keyboard.press("Tab")
    expect(masks_page.get_by_role("button", name="Corner 1 of Mask 2")).to_be_focused()
    masks_page.keyboard.press("Shift+ArrowLeft")
    masks_page.keyboard.press("+")
    expect(masks_page.get_by_role("button", name="Corner 2 of Mask 2")).to_be_focused()
    masks_page.keyboard.press("ArrowUp")
    button(masks_page, "Save").press("Enter")

    expect(masks_page.get_by_text("Saved. New pictures are covered.")).to_be_visible()
    drawn = ((0.45, 0.45), (0.525, 0.445), (0.6, 0.45), (0.6, 0.55))
    assert is_near(stored(site)["Mask 2"], drawn)


def test_corners_are_dragged_added_and_removed_and_all_of_it_taken_back(masks_page: Page) -> None:
    masks_page.mouse.click(*at(masks_page, (0.5, 0.9)))
    expect(masks_page.get_by_role("button", name="Corner 4 of Street")).to_be_visible()

    drag(masks_page, (0.5, 0.75), (0.5, 0.5))
    expect(shape(masks_page, "Street")).to_have_accessible_name("Street, 5 corners")
    corner = masks_page.get_by_role("button", name="Corner 2 of Street")
    expect(corner).to_have_accessible_name("Corner 2 of Street, 50 % across, 50 % down")
    drag(masks_page, (0.5, 0.5), (0.997, 0.4))
    expect(corner).to_have_accessible_name("Corner 2 of Street, 100 % across, 40 % down")
    button(masks_page, "Remove corner").click()
    expect(shape(masks_page, "Street")).to_have_accessible_name("Street, 4 corners")

    button(masks_page, "Undo").click()
    expect(shape(masks_page, "Street")).to_have_accessible_name("Street, 5 corners")
    masks_page.keyboard.press("Control+z")
    masks_page.keyboard.press("Control+z")
    expect(button(masks_page, "Undo")).to_be_disabled()
    expect(button(masks_page, "Save")).to_be_disabled()


def test_what_would_be_uncovered_is_asked_about(masks_page: Page, site: FakeWeb) -> None:
    button(masks_page, "Remove Street").click()
    button(masks_page, "Save").click()
    dialog = masks_page.get_by_role("dialog")
    expect(dialog).to_contain_text("You removed Street.")

    button(masks_page, "Keep it covered").click()
    assert set(stored(site)) == {"Street"}
    button(masks_page, "Cancel").click()
    expect(shape(masks_page, "Street")).to_be_visible()

    button(masks_page, "Remove Street").click()
    button(masks_page, "Save").click()
    dialog.get_by_role("button", name="Save").click()
    expect(masks_page.get_by_text("New pictures are not covered any more.")).to_be_visible()
    assert stored(site) == {}


def test_masks_that_are_stored_only_are_not_said_to_cover(masks_page: Page, site: FakeWeb) -> None:
    site.publisher.is_down = True
    draw(masks_page, WINDOW)
    button(masks_page, "Save").click()
    expect(masks_page.get_by_text("Stored, but not in force yet")).to_be_visible()
    expect(masks_page.get_by_text("Not in force yet", exact=True)).to_be_visible()

    site.publisher.is_down = False
    masks_page.evaluate(
        "() => fetch('/api/v1/cameras/gate', {method: 'PATCH', body: '{\"place\": \"Yard\"}',"
        " headers: {'Content-Type': 'application/json'}})"
    )

    expect(masks_page.get_by_text("In force now.")).to_be_visible()
    expect(masks_page.get_by_text("In force", exact=True)).to_be_visible()


def test_nobody_elses_masks_are_overwritten_unseen(masks_page: Page, site: FakeWeb) -> None:
    camera = site.history.camera("gate")
    assert camera is not None
    theirs = replace(STREET, zone_id="garden", name="Garden", polygon=WINDOW)
    draw(masks_page, ((0.6, 0.1), (0.9, 0.1), (0.9, 0.4)))
    site.history.save_camera(replace(camera, masks=(STREET, theirs), version=camera.version + 1))

    button(masks_page, "Save").click()
    expect(masks_page.get_by_text("somebody else changed the masks")).to_be_visible()
    assert set(stored(site)) == {"Street", "Garden"}

    button(masks_page, "Show theirs").click()
    expect(shape(masks_page, "Garden")).to_be_visible()
    expect(shape(masks_page, "Mask 2")).to_have_count(0)
    button(masks_page, "Undo").click()
    expect(shape(masks_page, "Mask 2")).to_be_visible()


def test_another_name_of_the_camera_is_no_conflict(masks_page: Page, site: FakeWeb) -> None:
    camera = site.history.camera("gate")
    assert camera is not None
    site.history.save_camera(replace(camera, name="Gate", version=camera.version + 1))
    draw(masks_page, WINDOW)
    button(masks_page, "Save").click()

    expect(masks_page.get_by_text("Saved. New pictures are covered.")).to_be_visible()
    assert set(stored(site)) == {"Street", "Mask 2"}


def test_what_is_wrong_is_said_and_what_was_drawn_stays(masks_page: Page, site: FakeWeb) -> None:
    draw(masks_page, ((0.2, 0.2), (0.4, 0.2), (0.4, 0.4)))
    drag(masks_page, (0.4, 0.4), (0.6, 0.2))
    button(masks_page, "Save").click()
    row = masks_page.locator(".mask-row", has=masks_page.get_by_label("Name of mask-2"))
    expect(row).to_contain_text("needs at least 0.00001")
    drag(masks_page, (0.6, 0.2), (0.4, 0.4))

    masks_page.route("**/masks", lambda route: route.abort())
    button(masks_page, "Save").click()
    expect(masks_page.get_by_text("Not saved: Vigil cannot be reached.")).to_be_visible()
    masks_page.unroute("**/masks")

    admin = site.history.user("us_admin")
    assert admin is not None
    site.history.save_user(replace(admin, role="viewer"))
    button(masks_page, "Save").click()
    expect(masks_page.get_by_text("Not saved: this needs the role admin.")).to_be_visible()
    expect(shape(masks_page, "Mask 2")).to_be_visible()
    assert set(stored(site)) == {"Street"}


def test_a_camera_without_a_picture_can_be_masked(
    page: Page, site: FakeWeb, server: RunningServer
) -> None:
    site.pictures.pictures.clear()
    page.goto(f"{server.url}/cameras")
    page.get_by_role("link", name="Privacy masks").click()
    expect(page.get_by_text("No picture comes at the moment.")).to_be_visible()

    draw(page, WINDOW)
    button(page, "Save").click()

    expect(page.get_by_text("Saved. New pictures are covered.")).to_be_visible()


def test_on_a_phone_a_mask_is_drawn_and_nothing_sticks_out(masks_page: Page, site: FakeWeb) -> None:
    masks_page.set_viewport_size({"width": 360, "height": 740})
    draw(masks_page, WINDOW)
    button(masks_page, "Save").click()

    expect(masks_page.get_by_text("Saved. New pictures are covered.")).to_be_visible()
    assert is_near(stored(site)["Mask 2"], WINDOW)
    assert masks_page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_who_changed_the_masks_of_a_camera_that_is_gone_is_still_told(
    page: Page, site: FakeWeb, server: RunningServer
) -> None:
    page.goto(server.url)
    page.evaluate("() => fetch('/api/v1/cameras/gate', {method: 'DELETE'})")
    page.goto(f"{server.url}/cameras/gate/masks")

    expect(page.get_by_text("cannot be shown: there is no such camera")).to_be_visible()
    expect(page.locator("#edits")).to_contain_text("Removed Street")
