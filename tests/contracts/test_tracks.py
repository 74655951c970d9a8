from dataclasses import replace

from tests.fakes.builders import track
from tests.fakes.tracks import missed

WALK = [(0.1 + 0.02 * index, 0.6) for index in range(11)]


def test_a_track_was_last_seen_where_a_detection_was_associated() -> None:
    """A lost track goes on for a while with points where it should be."""
    lost = missed(missed(track(WALK), 2.2), 2.4)

    assert lost.last.monotonic_s == 2.4
    assert lost.last_seen == track(WALK).last


def test_a_track_of_which_all_sights_are_forgotten_was_last_seen_at_its_newest_point() -> None:
    lost = missed(track(WALK), 2.2)
    forgotten = replace(lost, points=lost.points[-1:])

    assert forgotten.last_seen == forgotten.last
