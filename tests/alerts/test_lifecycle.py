from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.lifecycle import (
    acknowledge,
    awaits_reasoning,
    give_up_waiting,
    open_alert,
    resolve,
    revise,
    with_evidence,
)
from contracts.alerts import Alert, AlertPhase, AlertState
from contracts.incidents import Incident
from contracts.reasoning import Decision, Finding, ReasoningVerdict
from contracts.rules import Severity
from tests.alerts.builders import alert, finding, incident
from tests.fakes.clock import START

NOW = START + timedelta(seconds=10)


def after(item: Alert, *, of: Incident | None = None, said: Finding | None = None) -> Alert:
    revised = revise(item, incident=of, finding=said, now=NOW)
    assert revised is not None
    return revised


def test_an_alert_opens_provisional_in_the_rules_words() -> None:
    opened = open_alert(incident(), None, now=NOW)

    assert opened.phase is AlertPhase.PROVISIONAL
    assert opened.state is AlertState.OPEN
    assert opened.revision == 1
    assert opened.decision is Decision.ALERT
    assert opened.title == "Person in Loading dock"
    assert opened.opened_at == opened.updated_at == NOW


def test_an_incident_has_one_alert_whoever_opens_it() -> None:
    first, second = alert(incident("ev_1")), alert(incident("ev_1"), now=NOW)

    assert first.alert_id == second.alert_id
    assert first.correlation_id == second.correlation_id
    assert alert(incident("ev_2")).alert_id != first.alert_id


def test_a_finding_revises_the_alert_under_the_same_id() -> None:
    opened = alert()

    revised = after(opened, said=finding())

    assert revised.alert_id == opened.alert_id
    assert revised.revision == 2
    assert revised.phase is AlertPhase.REVISED
    assert revised.title == "Person in the loading dock"
    assert revised.confidence == 0.97
    assert revised.opened_at == opened.opened_at


def test_a_repeated_finding_changes_nothing() -> None:
    revised = after(alert(), said=finding())

    assert revise(revised, incident=incident(), finding=finding(), now=NOW) is None


def test_a_late_finding_about_an_older_revision_does_not_overwrite_a_newer_one() -> None:
    known = after(alert(), of=incident(revision=2), said=finding(revision=2))
    late = finding(revision=1, created_at=NOW + timedelta(seconds=1))

    assert revise(known, incident=None, finding=late, now=NOW) is None


def test_a_second_reasoner_about_the_same_revision_is_heard_if_it_spoke_later() -> None:
    known = after(alert(), said=finding())
    later = finding(finding_id="fi_core", created_at=NOW)
    earlier = finding(finding_id="fi_core", created_at=START)

    assert after(known, said=later).finding == later
    assert revise(known, incident=None, finding=earlier, now=NOW) is None


def test_a_closed_and_reasoned_alert_is_final() -> None:
    known = after(alert(), said=finding())
    closed = after(known, of=incident(revision=2, is_closed=True))

    assert closed.phase is AlertPhase.REVISED
    assert after(closed, said=finding(revision=2)).phase is AlertPhase.FINAL


def test_a_closed_alert_with_a_finding_about_the_past_only_is_not_final_yet() -> None:
    closed = after(alert(), of=incident(revision=2, is_closed=True), said=finding(revision=1))

    assert closed.phase is AlertPhase.REVISED


def test_a_contradiction_lowers_the_alert_and_keeps_it() -> None:
    said = finding(
        verdict=ReasoningVerdict.CONTRADICTED, severity=Severity.INFO, decision=Decision.IGNORE
    )

    lowered = after(alert(), said=said)

    assert (lowered.severity, lowered.decision) == (Severity.INFO, Decision.IGNORE)
    assert lowered.state is AlertState.OPEN


def test_the_end_of_an_incident_does_not_undo_a_contradiction() -> None:
    said = finding(verdict=ReasoningVerdict.CONTRADICTED, severity=Severity.INFO)
    lowered = after(alert(), said=said)

    assert after(lowered, of=incident(revision=2, is_closed=True)).severity is Severity.INFO


def test_an_alert_without_finding_is_marked_unreasoned_once() -> None:
    marked = give_up_waiting(alert(), now=NOW)

    assert marked is not None
    assert marked.is_unreasoned
    assert marked.phase is AlertPhase.PROVISIONAL
    assert marked.revision == 2
    assert give_up_waiting(marked, now=NOW) is None


def test_a_finding_after_the_deadline_is_still_heard() -> None:
    marked = give_up_waiting(alert(), now=NOW)
    assert marked is not None

    revised = after(marked, said=finding())

    assert not revised.is_unreasoned
    assert revised.phase is AlertPhase.REVISED


def test_a_closed_alert_that_nobody_reasons_about_becomes_final() -> None:
    closed = after(alert(), of=incident(revision=2, is_closed=True))

    marked = give_up_waiting(closed, now=NOW)

    assert marked is not None
    assert marked.phase is AlertPhase.FINAL
    assert marked.is_unreasoned
    assert not awaits_reasoning(marked)


def test_an_earlier_finding_stands_where_the_last_one_is_missing() -> None:
    reasoned = after(alert(), said=finding())
    closed = after(reasoned, of=incident(revision=2, is_closed=True))

    marked = give_up_waiting(closed, now=NOW)

    assert marked is not None
    assert marked.phase is AlertPhase.FINAL
    assert not marked.is_unreasoned


def test_a_late_finding_leaves_a_final_alert_final() -> None:
    closed = after(alert(), of=incident(revision=2, is_closed=True))
    marked = give_up_waiting(closed, now=NOW)
    assert marked is not None

    revised = after(marked, said=finding(revision=2))

    assert revised.phase is AlertPhase.FINAL
    assert not revised.is_unreasoned


def test_an_open_alert_with_a_finding_waits_for_nothing() -> None:
    assert not awaits_reasoning(after(alert(), said=finding()))


def test_added_evidence_is_a_revision() -> None:
    assert with_evidence(alert(), now=NOW).revision == 2


def test_somebody_acknowledges_and_then_resolves() -> None:
    seen = acknowledge(alert(), by="ada", now=NOW)
    assert seen is not None
    done = resolve(seen, by="grace", now=NOW)
    assert done is not None

    assert (seen.state, seen.acknowledged_by, seen.revision) == (AlertState.ACKNOWLEDGED, "ada", 2)
    assert (done.state, done.acknowledged_by, done.revision) == (AlertState.RESOLVED, "ada", 3)
    assert acknowledge(seen, by="eve", now=NOW) is None
    assert acknowledge(done, by="eve", now=NOW) is None
    assert resolve(done, by="eve", now=NOW) is None


def test_a_note_on_an_alert_seen_before_is_kept_and_its_repeat_is_not() -> None:
    seen = acknowledge(alert(), by="ada", now=NOW)
    assert seen is not None

    noted = acknowledge(seen, by="grace", now=NOW, note="Called the gate.")

    assert noted is not None
    assert (noted.acknowledged_by, noted.revision) == ("ada", 3)
    assert [(note.by, note.text) for note in noted.notes] == [("grace", "Called the gate.")]
    assert acknowledge(noted, by="grace", now=NOW, note="Called the gate.") is None


def test_resolving_says_who_saw_it() -> None:
    done = resolve(alert(), by="grace", now=NOW)

    assert done is not None
    assert done.acknowledged_by == "grace"


@pytest.mark.parametrize("state", [AlertState.ACKNOWLEDGED, AlertState.RESOLVED])
def test_news_does_not_take_back_what_people_did(state: AlertState) -> None:
    known = replace(alert(), state=state, acknowledged_by="ada")

    revised = after(known, said=finding())

    assert (revised.state, revised.acknowledged_by) == (state, "ada")
