from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.policy import (
    extended_severity,
    is_worth_an_alert,
    opening_severity,
    rule_severity,
    severity_of,
)
from contracts.reasoning import ReasoningVerdict
from contracts.rules import Severity
from tests.alerts.builders import finding, incident

severities = st.sampled_from(Severity)
verdicts = st.sampled_from(ReasoningVerdict)


def test_an_incident_is_as_severe_as_its_most_severe_rule() -> None:
    made = incident(severity=Severity.LOW)
    [event] = made.rule_events
    second = replace(event, event_id="re_2", severity=Severity.HIGH)

    assert rule_severity(replace(made, rule_events=(event, second))) is Severity.HIGH


def test_a_finding_raises_the_severity() -> None:
    raised = finding(severity=Severity.CRITICAL)

    assert severity_of(incident(), raised, current=Severity.HIGH) is Severity.CRITICAL


@given(verdicts, severities, severities, severities)
def test_only_a_contradiction_lowers_the_severity(
    verdict: ReasoningVerdict, rules: Severity, current: Severity, found: Severity
) -> None:
    said = finding(verdict=verdict, severity=found)

    after = severity_of(incident(severity=rules), said, current=current)

    if verdict is ReasoningVerdict.CONTRADICTED:
        assert after is found
    else:
        assert after.rank == max(rules.rank, current.rank, found.rank)


def test_a_contradiction_of_an_older_revision_lowers_nothing() -> None:
    said = finding(revision=1, verdict=ReasoningVerdict.CONTRADICTED, severity=Severity.INFO)

    after = severity_of(incident(revision=2), said, current=Severity.HIGH)

    assert after is Severity.HIGH


def test_the_mere_end_of_an_incident_does_not_raise_what_was_lowered() -> None:
    closed = incident(revision=2, is_closed=True)

    assert extended_severity(closed, incident(), current=Severity.INFO) is Severity.INFO


def test_a_new_rule_event_raises_what_was_lowered() -> None:
    extended = incident(revision=2)
    [event] = extended.rule_events
    extended = replace(extended, rule_events=(event, replace(event, event_id="re_2")))

    assert extended_severity(extended, incident(), current=Severity.INFO) is Severity.HIGH


def test_an_alert_is_opened_as_the_rule_wants_even_if_it_is_contradicted_already() -> None:
    said = finding(verdict=ReasoningVerdict.CONTRADICTED, severity=Severity.INFO)

    assert opening_severity(incident(), said) is Severity.HIGH
    assert opening_severity(incident(), None) is Severity.HIGH


@pytest.mark.parametrize(
    ("severity", "is_told"),
    [(Severity.LOW, False), (Severity.MEDIUM, True), (Severity.HIGH, True)],
)
def test_the_threshold_itself_is_told(severity: Severity, is_told: bool) -> None:
    assert is_worth_an_alert(severity, min_severity=Severity.MEDIUM) is is_told
