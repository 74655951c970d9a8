from dataclasses import replace

import pytest

from contracts.incidents import FactName, Incident, IncidentState
from moe_core.confidence import HIGHEST, LOWEST, chance_above
from moe_core.program import ProgramReasoner
from tests.fakes.clock import ManualClock
from tests.fakes.incidents import elsewhere, situation, together, with_fact, without


def confidence(incident: Incident) -> float:
    return ProgramReasoner(ManualClock()).reason(incident).confidence


@pytest.mark.parametrize(
    ("margin", "sigma", "chance"),
    [
        (0.0, 0.1, 0.5),
        (0.1, 0.1, 0.8413),
        (-0.2, 0.1, 0.0228),
        (0.0, 0.0, 1.0),
        (-0.1, 0.0, 0.0),
        (float("nan"), 0.1, 0.5),
        (0.1, float("inf"), 0.5),
    ],
)
def test_chances_are_those_of_the_normal_distribution(
    margin: float, sigma: float, chance: float
) -> None:
    assert chance_above(margin, sigma) == pytest.approx(chance, abs=1e-4)


def test_a_plain_incident_is_nearly_sure() -> None:
    assert 0.9 < confidence(situation()) <= HIGHEST


def test_a_larger_margin_gives_more_confidence() -> None:
    closed = [
        situation(threshold=threshold, state=IncidentState.CLOSED) for threshold in (1.0, 1.15, 1.2)
    ]

    sure, less, least = (confidence(incident) for incident in closed)

    assert sure > less > least


def test_a_stay_that_goes_on_is_surer_than_one_that_ended_at_its_threshold() -> None:
    going_on = situation(threshold=1.2)
    over = situation(threshold=1.2, state=IncidentState.CLOSED)

    assert confidence(going_on) > confidence(over)


def test_a_track_that_was_rarely_seen_gives_less() -> None:
    rare = replace(situation(), tracks=(replace(situation().tracks[0], hits=14, misses=6),))

    assert confidence(with_fact(rare, FactName.HIT_RATIO, value=0.7)) < confidence(situation())


def test_causes_that_were_not_considered_give_less() -> None:
    unlit = without(situation(), FactName.LIGHT_CHANGE, FactName.FOREGROUND_SHARE)

    assert confidence(unlit) < confidence(situation())


def test_what_is_contradicted_has_the_lowest() -> None:
    assert confidence(elsewhere(situation())) == LOWEST


def test_the_surest_statement_counts() -> None:
    parts = (situation(threshold=1.2), situation(track_id="t2"))
    both = together(*parts)

    assert confidence(both) > confidence(situation(threshold=1.2, state=IncidentState.CLOSED))


def test_without_any_statement_there_is_none() -> None:
    assert confidence(replace(situation(), rule_events=())) == LOWEST
