"""A real Chromium without a window, and a page of it that has signed in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.fakes.web import FakeWeb

CHROMIUM: Final = Path("/usr/bin/chromium")
NEEDS_CHROMIUM: Final = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}"),
]
"""Marks of a module that runs in it."""
_PATIENCE_MS: Final = 20_000
"""What is expected may take so long: the machine may be busy."""
TestT = TypeVar("TestT", bound=Callable[..., None])
_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
)
"""Its camera is drawn, nothing is fetched, and what is out of sight runs on."""


def in_chromium(test: TestT) -> TestT:
    """Mark one test as running in it."""
    for mark in NEEDS_CHROMIUM:
        test = mark(test)
    return test


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def signed_in(browser: Browser, web: FakeWeb, url: str) -> Iterator[Page]:
    """A page that has signed in by link and shows the overview; its scripts must not fail."""
    expect.set_options(timeout=_PATIENCE_MS)
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(f"{url}/sign-in#link={web.link_secret()}")
    page.wait_for_url(f"{url}/")
    yield page
    context.close()
    assert failures == []
