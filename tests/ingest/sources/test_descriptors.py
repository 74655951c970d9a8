"""The last file descriptors belong to cameras that run."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from ingest.errors import SourceUnavailable
from ingest.sources.descriptors import A_CAMERA, KEPT, SETTLES_S, DescriptorRoom
from tests.fakes.clock import ManualClock
from tests.ingest.recordings import file_camera

CAMERA = file_camera("walker.mp4")
LIMIT = 200
NEARLY = LIMIT - KEPT - A_CAMERA - 1
"""In use, so that there is room for one more camera."""


def room(used: float, *, clock: ManualClock | None = None, limit: float = LIMIT) -> DescriptorRoom:
    return DescriptorRoom(used=lambda: used, limit=lambda: limit, clock=clock or ManualClock())


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as entered:
        yield entered


def test_a_camera_that_none_are_left_for_is_not_opened_and_the_way_out_is_told(
    stack: ExitStack,
) -> None:
    with pytest.raises(SourceUnavailable, match=rf"190 of {LIMIT} are in use.*ulimit -n"):
        stack.enter_context(room(190).held_for(CAMERA))


def test_those_that_are_being_opened_count(stack: ExitStack) -> None:
    nearly = room(NEARLY)

    stack.enter_context(nearly.held_for(CAMERA))

    with pytest.raises(SourceUnavailable):
        stack.enter_context(nearly.held_for(CAMERA))


def test_room_is_held_until_a_camera_has_taken_all_that_it_needs(stack: ExitStack) -> None:
    clock = ManualClock()
    nearly = room(NEARLY, clock=clock)
    with nearly.held_for(CAMERA):
        pass

    with pytest.raises(SourceUnavailable):
        stack.enter_context(nearly.held_for(CAMERA))
    clock.advance(SETTLES_S)

    stack.enter_context(nearly.held_for(CAMERA))


def test_a_failed_opening_gives_its_room_back(stack: ExitStack) -> None:
    nearly = room(NEARLY)
    with pytest.raises(ValueError, match="no stream"), nearly.held_for(CAMERA):
        raise ValueError("no stream")

    stack.enter_context(nearly.held_for(CAMERA))


def test_without_a_limit_there_is_always_room(stack: ExitStack) -> None:
    stack.enter_context(room(10**6, limit=float("inf")).held_for(CAMERA))
