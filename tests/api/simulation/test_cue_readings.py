"""What simulated cues say: plausible numbers, regions that begin and end, known owners."""

import math

import pytest

from api.simulation.seeing import Eyes
from contracts.incidents import FactName, Incident
from contracts.tracks import TrackState
from moe_core.training.world.stories import make_scene

SEEDS = range(3)


def told(family: str, *, is_real: bool) -> list[Incident]:
    return [
        incident
        for seed in SEEDS
        for incident, _ in Eyes(make_scene(seed, site=2 * seed, family=family, is_real=is_real))
        .see()
        .samples
        if incident.kind.value == family
    ]


@pytest.mark.parametrize("family", ["fight", "fire", "smoke", "tamper", "removed", "abandoned"])
def test_an_event_is_told_of_a_region(family: str) -> None:
    incidents = told(family, is_real=True)
    assert incidents
    for incident in incidents:
        [first, *_] = incident.rule_events
        region = next(one for one in incident.tracks if one.track_id == first.track_id)
        assert region.is_region
        assert region.track_id.startswith("r")
        assert all(0 <= side <= 1 for point in region.points for side in point.box)


def test_a_fall_is_told_with_how_deep_and_how_fast() -> None:
    incidents = told("fall", is_real=True)
    assert incidents
    for incident in incidents:
        names = {fact.name for fact in incident.facts}
        assert {FactName.HEAD_DROP, FactName.FALL_PACE, FactName.HEAD_GONE, FactName.DOWN} <= names


def test_who_left_a_thing_is_told_now_and_then() -> None:
    names = {fact.name for incident in told("abandoned", is_real=True) for fact in incident.facts}
    assert FactName.OWNER_AWAY in names


def test_no_fact_is_without_a_number() -> None:
    for family in ("fall", "fight", "removed", "tamper"):
        for incident in told(family, is_real=False):
            for fact in incident.facts:
                assert math.isfinite(fact.value)
                assert math.isfinite(fact.sigma)


def test_regions_end() -> None:
    incidents = [one for one in told("tamper", is_real=True) if one.ended_at is not None]
    states = {track.state for one in incidents for track in one.tracks if track.is_region}
    assert TrackState.ENDED in states
