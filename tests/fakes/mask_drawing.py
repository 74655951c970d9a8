"""Drawing on the page of a camera's privacy masks, as people do with a mouse."""

from collections.abc import Sequence

from playwright.sync_api import Locator, Page

from contracts.geometry import Point


def button(page: Page, name: str) -> Locator:
    """The button of that very name."""
    return page.get_by_role("button", name=name, exact=True)


def at(page: Page, point: Point) -> Point:
    """Where on the page a point of the picture is; within its border."""
    stage = page.locator(".mask-stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box is not None
    x, y = (min(0.999, max(0.001, value)) for value in point)
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def draw(page: Page, polygon: Sequence[Point]) -> None:
    """Draw a mask: its corners, and the first again."""
    button(page, "Draw a mask").click()
    for point in (*polygon, polygon[0]):
        page.mouse.click(*at(page, point))
