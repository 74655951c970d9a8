"""The web app over a real history, and clients of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from alerts.history.sql import migrate, open_history
from tests.fakes.archive import joined
from tests.fakes.chromium import chromium, signed_in
from tests.fakes.clock import ManualClock
from tests.fakes.web import FakeWeb, WebClient
from tests.fakes.web_server import RunningServer


@pytest.fixture(scope="session")
def prepared_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all tables; copied for each test."""
    path = tmp_path_factory.mktemp("prepared") / "vigil.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def clock() -> ManualClock:
    """The time behind the app."""
    return ManualClock()


@pytest.fixture
def web(prepared_database: Path, tmp_path: Path, clock: ManualClock) -> Iterator[FakeWeb]:
    """What stands behind the app: a real history on SQLite, the rest in memory."""
    path = tmp_path / "vigil.db"
    shutil.copyfile(prepared_database, path)
    history = open_history(f"sqlite:///{path}")
    yield FakeWeb(history=joined(history), clock=clock)
    history.close()


@pytest.fixture
def site(web: FakeWeb) -> FakeWeb:
    """What a server shows; modules put cameras into it."""
    return web


@pytest.fixture
def server(site: FakeWeb) -> Iterator[RunningServer]:
    """A real server of the site."""
    with RunningServer(site.app()) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a module."""
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser, site: FakeWeb, server: RunningServer) -> Iterator[Page]:
    """A page of it that has signed in to the site."""
    with signed_in(browser, site, server.url) as opened:
        yield opened


@pytest.fixture
def stranger(web: FakeWeb) -> Iterator[WebClient]:
    """A client that has not signed in."""
    with WebClient(web.app()) as client:
        yield client


@pytest.fixture
def client(web: FakeWeb) -> Iterator[WebClient]:
    """A client signed in as administrator."""
    with WebClient(web.app()) as signed_in:
        yield signed_in.sign_in(web)
