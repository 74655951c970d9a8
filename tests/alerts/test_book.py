from itertools import permutations

from alerts.book import AlertBook
from contracts.alerts import AlertPhase
from contracts.incidents import EvidenceReady, Incident
from contracts.reasoning import Finding
from contracts.settings import AlertSettings
from tests.alerts.builders import clip, finding, incident

FROM_THE_LEFT = ((0.05, 0.6), (0.3, 0.6), (0.6, 0.6))


def book() -> AlertBook:
    return AlertBook(AlertSettings())


def test_an_incident_and_its_finding_are_one_alert() -> None:
    kept = book()
    kept.take_incident(incident())
    kept.take_finding(finding())

    [alert] = kept.alerts()
    assert alert.phase is AlertPhase.REVISED
    assert alert.opened_at == incident().decisive_at


def test_the_end_does_not_depend_on_the_order_of_the_messages() -> None:
    messages: list[Incident | Finding] = [
        incident(),
        incident(revision=2, is_closed=True),
        finding(),
        finding(revision=2),
    ]
    outcomes = set()
    for order in permutations(messages):
        kept = book()
        for message in (*order, order[0]):
            if isinstance(message, Incident):
                kept.take_incident(message)
            else:
                kept.take_finding(message)
        [alert] = kept.alerts()
        outcomes.add((alert.phase, alert.severity, alert.title, alert.incident.revision))

    assert outcomes == {
        (AlertPhase.FINAL, finding().severity, finding().title, 2),
    }


def test_each_visitor_is_told_once() -> None:
    kept = book()
    for number, at_s in enumerate((14.0, 31.0, 58.0)):
        visitor = incident(f"ev_{number}", at_s=at_s, track_id=f"t{number}", feet=FROM_THE_LEFT)
        kept.take_incident(visitor)
        kept.take_incident(visitor)

    assert [alert.incident.incident_id for alert in kept.alerts()] == ["ev_0", "ev_1", "ev_2"]


def test_a_repetition_is_counted_once() -> None:
    kept = book()
    kept.take_incident(incident("ev_1"))
    for revision in (1, 2):
        kept.take_incident(incident("ev_2", at_s=9.0, revision=revision))

    assert len(kept.alerts()) == 1
    assert kept.suppressed() == {"cam/keep_out/duplicate": 1}


def test_late_evidence_is_in_the_alert() -> None:
    kept = book()
    late = EvidenceReady(incident_id="ev_1", camera_id="cam", item=clip())
    assert not kept.take_evidence(late)

    kept.take_incident(incident())
    assert kept.take_evidence(late)
    kept.take_incident(incident(revision=2))

    [alert] = kept.alerts()
    assert clip() in alert.incident.evidence
