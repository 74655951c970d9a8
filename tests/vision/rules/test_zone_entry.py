"""Zone entry: fires once for each way in."""

import pytest

from contracts.errors import ConfigError
from contracts.geometry import Point, Zone
from contracts.rules import RuleKind, RuleSettings
from tests.fakes.builders import RIGHT_HALF
from tests.fakes.clock import START
from tests.fakes.tracks import followed, header_at, observed, play
from vision.rules.zone_entry import ZoneEntryRule

INSIDE: Point = (0.7, 0.6)
OUTSIDE: Point = (0.2, 0.6)


def rule(**params: float | str) -> ZoneEntryRule:
    return ZoneEntryRule(
        RuleSettings(rule_id="door", kind=RuleKind.ZONE_ENTRY, zone_id="dock", params=params),
        zone=Zone(zone_id="dock", polygon=RIGHT_HALF),
    )


def test_going_in_fires_once_with_the_moment_of_entry() -> None:
    """The edge, at 0.5, lies on the way from the point at 0.6 s to the one at 0.8 s."""
    feet = [(0.2 * step, (0.3 + 0.06 * step, 0.6)) for step in range(10)]

    [event] = play(rule(), feet)

    assert event.since_s == pytest.approx(0.2 * 0.2 / 0.06, abs=0.001)
    assert (event.since_at - START).total_seconds() == pytest.approx(event.since_s, abs=1e-5)
    assert event.monotonic_s == pytest.approx(1.0)
    assert event.value == pytest.approx(0.1)
    assert event.unit == "picture"


def test_appearing_inside_is_an_entry() -> None:
    assert len(play(rule(), [(0.0, INSIDE), (0.2, INSIDE), (0.4, INSIDE)])) == 1


def test_passing_by_outside_is_none() -> None:
    assert play(rule(), [(0.2 * step, OUTSIDE) for step in range(10)]) == []


def test_one_wrong_box_inside_is_none() -> None:
    assert play(rule(), [(0.0, OUTSIDE), (0.2, INSIDE), (0.4, OUTSIDE), (0.6, OUTSIDE)]) == []


def test_one_frame_is_enough_when_told_so() -> None:
    assert len(play(rule(frames=1), [(0.0, OUTSIDE), (0.2, INSIDE)])) == 1


def test_dithering_on_the_edge_is_one_entry() -> None:
    feet = [(0.2 * step, (0.505 if step % 4 < 2 else 0.495, 0.6)) for step in range(40)]

    assert len(play(rule(), feet)) == 1


def test_leaving_for_longer_than_the_grace_period_and_returning_is_a_second_entry() -> None:
    feet = [(0.0, INSIDE), (0.2, INSIDE), (0.4, OUTSIDE), (3.0, INSIDE), (3.2, INSIDE)]

    assert [event.since_s for event in play(rule(grace_s=2.0), feet)] == [0.0, 3.0]


def test_two_tracks_enter_once_each() -> None:
    door = rule()
    events = [
        event
        for index in range(1, 4)
        for event in door.update(
            observed(
                [
                    followed([(0.2 * step, INSIDE) for step in range(index)], track_id=name)
                    for name in ("t1", "t2")
                ],
                header_at(0.2 * (index - 1)),
            )
        )
    ]

    assert sorted(event.track_id for event in events) == ["t1", "t2"]


def test_two_cameras_have_their_own_entries() -> None:
    feet = [(0.0, INSIDE), (0.2, INSIDE)]

    assert len(play(rule(), feet)) == 1
    assert len(play(rule(), feet)) == 1


def test_refuses_a_threshold_that_it_does_not_have() -> None:
    with pytest.raises(ConfigError, match=r"unknown parameter\(s\) threshold_s"):
        rule(threshold_s=1.0)
