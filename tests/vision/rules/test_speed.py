"""Speed on the ground: against truth, jumps, zones, the horizon."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.geometry import Point, Zone
from contracts.rules import RuleKind, RuleSettings
from ingest.sources.scenes import yard_plan as plan
from tests.fakes.builders import WHOLE
from tests.fakes.tracks import play, play_all
from tests.vision.test_ground import YARD
from vision.ground import GroundPlane
from vision.rules.speed import SpeedRule

Way = list[tuple[float, Point]]


def rule(*, zone: Zone | None = None, **params: float | str) -> SpeedRule:
    return SpeedRule(
        RuleSettings(
            rule_id="fast",
            kind=RuleKind.SPEED,
            zone_id=zone.zone_id if zone else "",
            params={"threshold_mps": 5.0, **params},
        ),
        zone=zone,
        ground=GroundPlane(YARD),
    )


def drive(speed_mps: float, *, z: float = 12.0, from_x: float = -5.0, jitter: float = 0.0) -> Way:
    """Across the drawn yard at an even speed, as long as it is in the picture."""
    noise = random.Random(4)  # noqa: S311  # jitter, no secret
    way = []
    for index in range(40):
        x = from_x + speed_mps * 0.2 * index
        u, v = plan.VIEW.ground_point(x, z)
        if not 0.06 < u < 0.94:
            break
        at = (u + noise.gauss(0, jitter), v + noise.gauss(0, jitter))
        way.append((round(0.2 * index, 6), at))
    return way


@pytest.mark.parametrize("speed_mps", [5.5, 6.0, 7.0])
@pytest.mark.parametrize("z", [9.0, 12.0, 15.0])
def test_says_how_fast_within_a_tenth(speed_mps: float, z: float) -> None:
    from_x = -5.0 * z / 12
    [event] = play(rule(hold_s=0.2), drive(speed_mps, z=z, from_x=from_x, jitter=0.001))

    assert event.value == pytest.approx(speed_mps, rel=0.1)
    assert abs(event.value - speed_mps) <= 4 * event.sigma
    assert event.unit == "m/s"
    assert event.threshold == 5.0


def test_who_keeps_to_the_limit_is_not_reported() -> None:
    assert play(rule(), drive(4.5, jitter=0.001)) == []


def test_a_way_too_short_to_measure_says_nothing() -> None:
    assert play(rule(), drive(8.0)[:5]) == []


def test_the_threshold_is_a_boundary_of_what_is_sure() -> None:
    """Even of a way without jitter the speed is uncertain by 5 %: points were clicked."""
    [event] = play(rule(threshold_mps=4.5), drive(5.0))
    sure_mps = event.value - event.sigma
    [near] = play(rule(threshold_mps=sure_mps - 0.05), drive(5.0))

    assert near.value - near.sigma >= near.threshold
    assert 4.6 < sure_mps < 4.75
    assert play(rule(threshold_mps=sure_mps + 0.1), drive(5.0)) == []


def test_a_jump_to_another_object_is_no_speed() -> None:
    here, there = plan.VIEW.ground_point(-3, 12), plan.VIEW.ground_point(3, 9)
    feet = [(round(0.2 * s, 6), here if s < 10 else there) for s in range(20)]

    assert play(rule(), feet) == []


def test_one_wrong_box_is_no_speed() -> None:
    here, there = plan.VIEW.ground_point(-3, 12), plan.VIEW.ground_point(3, 9)
    feet = [(round(0.2 * s, 6), there if s == 10 else here) for s in range(20)]

    assert play(rule(), feet) == []


def test_a_camera_of_two_frames_a_second_measures_over_a_longer_way() -> None:
    way = [
        (0.5 * index, plan.VIEW.ground_point(-4.5 + 6.0 * 0.3 * index, 13.0)) for index in range(6)
    ]

    [event] = play(rule(threshold_mps=3.0), way)

    assert event.value == pytest.approx(3.6, rel=0.01)


def test_a_gap_begins_the_time_anew() -> None:
    way = drive(5.5)
    gap = [*way[:6], *[(at + 3.0, foot) for at, foot in way[6:8]]]

    assert play(rule(), gap) == []


def test_the_zone_narrows_it() -> None:
    left = Zone(zone_id="left", polygon=((0, 0), (0.2, 0), (0.2, 1), (0, 1)))

    assert play(rule(zone=left), drive(6.0)) == []
    assert len(play(rule(zone=Zone(zone_id="all", polygon=WHOLE)), drive(6.0))) == 1


def test_two_tracks_are_measured_each_for_itself() -> None:
    ways = {"t1": drive(6.0), "t2": drive(3.0, z=10.0), "t3": drive(6.5, z=14.0)}

    assert sorted(event.track_id for event in play_all(rule(), ways)) == ["t1", "t3"]


def test_two_cameras_do_not_share_a_way() -> None:
    here, there = rule(), rule()
    play(here, drive(6.0)[:6])

    assert play(there, drive(6.0)[6:9]) == []


def test_refuses_params_and_a_scene_that_is_not_calibrated() -> None:
    with pytest.raises(ConfigError, match=r"threshold_mps must be a number >= 0\.1, got -3"):
        rule(threshold_mps=-3.0)
    bare = RuleSettings(rule_id="fast", kind=RuleKind.SPEED)
    with pytest.raises(ConfigError, match="needs the scene's calibration"):
        SpeedRule(bare, zone=None, ground=None)


@settings(deadline=None)
@given(
    feet=st.lists(
        st.one_of(st.none(), st.tuples(st.floats(0.02, 0.98), st.floats(0.1, 0.98))),
        min_size=2,
        max_size=40,
    )
)
def test_any_way_gives_finite_values_above_the_threshold(feet: list[Point | None]) -> None:
    way = [(round(0.2 * i, 6), foot) for i, foot in enumerate(feet) if foot is not None]

    for event in play(rule(), way) if way else []:
        assert math.isfinite(event.value)
        assert 0 < event.sigma <= 0.25 * event.value
        assert event.value >= event.threshold
        assert event.since_s <= event.monotonic_s
