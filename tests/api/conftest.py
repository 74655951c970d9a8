"""The web app over memory, and clients of it."""

from collections.abc import Iterator

import pytest

from tests.fakes.web import FakeWeb, WebClient


@pytest.fixture
def web() -> FakeWeb:
    """What stands behind the app."""
    return FakeWeb()


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
