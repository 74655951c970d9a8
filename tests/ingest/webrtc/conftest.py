"""A camera that publishes and is watched by WebRTC, and whoever is at its other ends."""

from collections.abc import Iterator

import pytest

from tests.ingest.webrtc.peers import Bench, Peers


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.end()


@pytest.fixture
def peers() -> Iterator[Peers]:
    made = Peers()
    yield made
    made.end()
