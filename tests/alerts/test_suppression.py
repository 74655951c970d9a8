from dataclasses import replace

import pytest

from alerts.suppression import SuppressionReason, suppression
from contracts.alerts import Alert
from contracts.incidents import Incident
from contracts.rules import Severity
from tests.alerts.builders import alert, incident

FROM_THE_LEFT = ((0.05, 0.6), (0.3, 0.6), (0.6, 0.6))
IN_THE_MIDDLE = ((0.58, 0.6), (0.6, 0.6), (0.62, 0.6))
ELSEWHERE = ((0.2, 0.9), (0.22, 0.9), (0.24, 0.9))


def judge(
    second: Incident, *told: Alert, severity: Severity = Severity.HIGH, cooldown_s: float = 30.0
) -> SuppressionReason | None:
    return suppression(second, told, severity=severity, cooldown_s=cooldown_s)


def first(at_s: float = 10.0, *, severity: Severity = Severity.HIGH) -> Alert:
    return alert(incident("ev_1", at_s=at_s, severity=severity))


def test_the_first_alert_is_never_suppressed() -> None:
    assert judge(incident("ev_1")) is None


def test_an_incident_does_not_suppress_itself() -> None:
    assert judge(incident("ev_1", at_s=10.0), first()) is None


@pytest.mark.parametrize(
    ("after_s", "reason"),
    [
        pytest.param(0.2, SuppressionReason.DUPLICATE, id="at once"),
        pytest.param(29.8, SuppressionReason.DUPLICATE, id="just within the cool-down"),
        pytest.param(30.0, None, id="at its end"),
        pytest.param(60.0, None, id="long after"),
    ],
)
def test_the_same_object_is_told_once_in_a_cooldown(
    after_s: float, reason: SuppressionReason | None
) -> None:
    again = incident("ev_2", at_s=10.0 + after_s)

    assert judge(again, first()) is reason


def test_a_track_id_of_another_run_is_another_object() -> None:
    again = incident("ev_2", at_s=12.0, run_id="run2", feet=FROM_THE_LEFT)

    assert judge(again, first()) is None


def test_the_next_visitor_is_told_within_the_cooldown() -> None:
    visitor = incident("ev_2", at_s=15.0, track_id="t2", feet=FROM_THE_LEFT)

    assert judge(visitor, first()) is None


def test_a_lost_and_found_object_is_the_same_situation() -> None:
    found_again = incident("ev_2", at_s=15.0, track_id="t2", feet=IN_THE_MIDDLE)

    assert judge(found_again, first()) is SuppressionReason.COOL_DOWN


def test_an_object_that_appears_elsewhere_is_new() -> None:
    stranger = incident("ev_2", at_s=15.0, track_id="t2", feet=ELSEWHERE)

    assert judge(stranger, first()) is None


def test_someone_who_was_seen_beside_the_first_is_another_one() -> None:
    beside = incident("ev_2", at_s=10.2, track_id="t2", feet=IN_THE_MIDDLE)

    assert judge(beside, first()) is None


def test_of_two_objects_a_new_one_is_enough_to_tell() -> None:
    known = incident("ev_2", at_s=15.0, track_id="t1")
    new = incident("ev_2", at_s=15.0, track_id="t2", feet=FROM_THE_LEFT)
    both = replace(
        known,
        rule_events=(*known.rule_events, *new.rule_events),
        tracks=(*known.tracks, *new.tracks),
    )

    assert judge(both, first()) is None


def test_what_is_critical_is_always_told() -> None:
    again = incident("ev_2", at_s=11.0, severity=Severity.CRITICAL)
    told = first(severity=Severity.CRITICAL)

    assert judge(again, told, severity=Severity.CRITICAL) is None


def test_what_is_more_severe_than_what_was_told_is_told() -> None:
    again = incident("ev_2", at_s=11.0)

    assert judge(again, first(severity=Severity.LOW)) is None
    assert judge(again, first(severity=Severity.HIGH)) is SuppressionReason.DUPLICATE


def test_a_cooldown_of_zero_suppresses_nothing() -> None:
    assert judge(incident("ev_2", at_s=10.2), first(), cooldown_s=0.0) is None


def test_a_track_that_did_not_come_with_its_incident_is_told() -> None:
    unknown = replace(incident("ev_2", at_s=15.0, track_id="t2"), tracks=())

    assert judge(unknown, first()) is None


def test_an_outage_makes_no_repetitions() -> None:
    """Incidents of an hour that are processed within a second happened an hour apart."""
    old = first(at_s=10.0)
    processed_now = replace(old, opened_at=incident(at_s=3600.0).decisive_at)

    assert judge(incident("ev_2", at_s=3600.0), processed_now) is None
