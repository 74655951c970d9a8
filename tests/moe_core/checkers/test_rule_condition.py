from dataclasses import replace

import pytest

from contracts.incidents import Incident
from contracts.rules import RuleKind
from tests.fakes.incidents import STAY, elsewhere, situation
from tests.moe_core.checking import (
    BY_KIND,
    CONTRADICTED,
    SUPPORTED,
    UNVERIFIABLE,
    Args,
    status_of,
)


def meets(incident: Incident, **changes: str | float) -> Args:
    [event] = incident.rule_events
    return {
        "track": "t1",
        "rule": "keep_out",
        "place": event.zone_id or event.line_id,
        "value": event.value,
        "threshold": event.threshold,
        "unit": event.unit,
        **changes,
    }


each_kind = pytest.mark.parametrize("incident", BY_KIND, ids=[str(one.kind) for one in BY_KIND])


@each_kind
def test_a_condition_that_held_is_supported(incident: Incident) -> None:
    assert status_of(incident, "meets_rule", meets(incident)) is SUPPORTED


@each_kind
def test_a_condition_that_the_track_never_met_is_contradicted(incident: Incident) -> None:
    assert status_of(elsewhere(incident), "meets_rule", meets(incident)) is CONTRADICTED


@each_kind
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"value": 99.0}, id="another value"),
        pytest.param({"threshold": 0.005}, id="another threshold"),
        pytest.param({"unit": "h"}, id="another unit"),
        pytest.param({"place": "elsewhere"}, id="another place"),
        pytest.param({"place": "moon"}, id="a place that is not there"),
        pytest.param({"track": "t9"}, id="another track"),
        pytest.param({"rule": "other"}, id="another rule"),
    ],
)
def test_a_miscopied_condition_is_not_supported_and_contradicts_nothing(
    incident: Incident, changes: dict[str, str | float]
) -> None:
    """Only a measurement may contradict the deciding claim: a contradicted one lowers an alert."""
    assert status_of(incident, "meets_rule", meets(incident, **changes)) is UNVERIFIABLE


@each_kind
def test_a_condition_stands_by_its_facts_where_the_points_are_forgotten(
    incident: Incident,
) -> None:
    [followed] = incident.tracks
    late = tuple(replace(point, seq=point.seq + 900) for point in followed.points)
    forgotten = replace(incident, tracks=(replace(followed, points=late),))

    assert status_of(forgotten, "meets_rule", meets(incident)) is SUPPORTED


def test_a_number_that_the_track_does_not_give_is_not_stood_by_but_contradicts_nothing() -> None:
    """0.2 s inside were measured again where the rule said 1.2 s of 0.1 s: both meet the rule."""
    incident = situation(threshold=0.1)
    late = [*[(0.2, 0.6)] * 19, *[(0.8, 0.6)] * 2]

    status = status_of(elsewhere(incident, late), "meets_rule", meets(incident))

    assert status is UNVERIFIABLE


def test_a_long_grace_time_that_the_rule_did_not_mention_contradicts_nothing() -> None:
    incident = situation(kind=RuleKind.LOITER, feet=STAY, threshold=8.0)
    away = [*[(0.2, 0.6)] * 8, *[(0.8, 0.6)] * 8, *[(0.2, 0.6)] * 40, *[(0.8, 0.6)] * 15]

    status = status_of(elsewhere(incident, away), "meets_rule", meets(incident))

    assert status is not CONTRADICTED


def test_a_grace_time_that_the_rule_mentions_bounds_the_stay() -> None:
    incident = situation(kind=RuleKind.LOITER, feet=STAY, threshold=8.0)
    [event] = incident.rule_events
    strict = replace(incident, rule_events=(replace(event, detail={"grace_s": "2.0"}),))
    away = [*[(0.2, 0.6)] * 8, *[(0.8, 0.6)] * 8, *[(0.2, 0.6)] * 40, *[(0.8, 0.6)] * 15]

    assert status_of(elsewhere(strict, away), "meets_rule", meets(incident)) is CONTRADICTED
