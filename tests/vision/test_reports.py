"""Reports: scenes as they were, histories that stay small and whole where it matters."""

import itertools
import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from contracts.rules import SceneRules
from tests.fakes.builders import rule_event, scene, track
from vision.reports import LEAST_POINTS, NEAR_EVENT_S, complete_scene, thinned

GRACE_S = 2.0
"""Absence that rules forgive by default."""


def test_a_zone_that_is_redrawn_stays_as_it_was_when_it_happened() -> None:
    redrawn = scene(polygon=((0.0, 0.0), (0.2, 0.0), (0.2, 0.2)), threshold_s=9.0)

    assert complete_scene(scene(), redrawn) == scene()


def test_what_is_not_known_yet_is_added() -> None:
    assert complete_scene(SceneRules(), scene()) == scene()


def test_short_histories_are_left_alone() -> None:
    short = track([(0.5, 0.6)] * 50)

    assert thinned([short], events=(), points=600) == [short]


@given(count=st.integers(2, 900), seq=st.integers(0, 899), tracks=st.integers(1, 6))
def test_thinning_keeps_both_ends_all_around_events_and_no_long_gap(
    count: int, seq: int, tracks: int
) -> None:
    event = replace(rule_event(seq=min(seq, count - 1)), since_s=min(seq, count - 1) / 5 - 1)
    whole = [track([(0.5, 0.6)] * count, track_id=f"t{n + 1}") for n in range(tracks)]

    [first, *_] = thinned(whole, events=[event], points=600)

    times_s = [point.monotonic_s for point in first.points]
    assert (times_s[0], times_s[-1]) == (0.0, (count - 1) / 5)
    spacing = math.ceil((count - 1) / (max(LEAST_POINTS, 600 // tracks) - 1)) / 5
    assert max(b - a for a, b in itertools.pairwise(times_s)) <= spacing + 0.01
    assert spacing < GRACE_S, "a thinned history must not look like an absence"
    assert len(times_s) <= max(LEAST_POINTS, 600 // tracks) + 12 * NEAR_EVENT_S * 5
    near = [n / 5 for n in range(count) if abs(n / 5 - event.monotonic_s) <= NEAR_EVENT_S]
    assert set(near) <= set(times_s)
