import pytest

from ingest.backlog import WATCH_S, Backlog
from ingest.punctuality import LATE_MAX_S


def told(late_s: list[float], *, fps: float = 5.0) -> list[tuple[float, float]]:
    """When it was told, and how late the frames were, of frames that came that late."""
    backlog = Backlog()
    found = [(index / fps, backlog.add(index / fps, late)) for index, late in enumerate(late_s)]
    return [(at_s, late) for at_s, late in found if late is not None]


def test_frames_that_stay_late_are_told() -> None:
    assert told([6.0] * 25) == [(WATCH_S, 6.0)]


def test_frames_that_come_ever_later_are_told_within_seconds_of_the_limit() -> None:
    """A stream of 4 Mbit/s on a line of 500 kbit/s falls behind by 7/8 of a second each second."""
    [(at_s, late_s), *_] = told([0.875 * index / 5 for index in range(60)])

    assert at_s == pytest.approx(LATE_MAX_S / 0.875 + WATCH_S, abs=0.4)
    assert late_s < 10.0


@pytest.mark.parametrize("late_s", [0.0, LATE_MAX_S])
def test_what_is_less_late_is_borne(late_s: float) -> None:
    assert told([late_s] * 100) == []


def test_one_frame_in_time_ends_it() -> None:
    assert told([6.0] * 19 + [0.1] + [6.0] * 19) == []


def test_what_catches_up_is_left_alone() -> None:
    assert told([12.0 - 1.5 * index / 5 for index in range(40)]) == []


def test_what_hardly_catches_up_is_told() -> None:
    assert told([12.0 - 0.1 * index / 5 for index in range(25)]) != []
