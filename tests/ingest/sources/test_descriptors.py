"""The last file descriptors belong to cameras that run."""

import resource
from collections.abc import Iterator

import pytest

from ingest.errors import SourceUnavailable
from ingest.sources.descriptors import KEPT, in_use, room_for
from tests.ingest.recordings import file_camera

CAMERA = file_camera("walker.mp4")
LIMIT = 200


@pytest.fixture(autouse=True)
def limited() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_what_is_open_is_counted() -> None:
    before = in_use()

    with open("/dev/null"):  # noqa: PTH123  # a file, whatever it is
        assert in_use() == before + 1


def test_a_camera_that_none_are_left_for_is_not_opened_and_the_way_out_is_told() -> None:
    with (
        pytest.raises(SourceUnavailable, match=rf"190 of {LIMIT} are in use.*ulimit -n"),
        room_for(CAMERA, used=lambda: 190),
    ):
        pass


def test_those_that_are_being_opened_count() -> None:
    used = LIMIT - KEPT - 10

    with (
        room_for(CAMERA, used=lambda: used),
        pytest.raises(SourceUnavailable),
        room_for(CAMERA, used=lambda: used),
    ):
        pass
    with room_for(CAMERA, used=lambda: used):
        pass


def test_a_failed_opening_gives_its_room_back() -> None:
    used = LIMIT - KEPT - 10

    with pytest.raises(ValueError, match="no stream"), room_for(CAMERA, used=lambda: used):
        raise ValueError("no stream")

    with room_for(CAMERA, used=lambda: used):
        pass


def test_without_a_limit_there_is_always_room(monkeypatch: pytest.MonkeyPatch) -> None:
    infinite = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _: infinite)

    with room_for(CAMERA, used=lambda: 10**6):
        pass
