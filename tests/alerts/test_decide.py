from dataclasses import replace

from alerts.decide import DEFAULT_COOLDOWN_S, Situation, Step, cooldown_of, decide
from alerts.suppression import SuppressionReason
from contracts.alerts import Alert, FeedType
from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.incidents import Incident
from contracts.reasoning import Finding
from contracts.rules import Severity
from tests.alerts.builders import alert, finding, incident
from tests.fakes.builders import scene
from tests.fakes.clock import START


def step(
    of: Incident,
    *,
    said: Finding | None = None,
    known: Alert | None = None,
    recent: tuple[Alert, ...] = (),
    min_severity: Severity = Severity.INFO,
) -> Step:
    situation = Situation(incident=of, finding=said, alert=known, recent=recent)
    return decide(situation, min_severity=min_severity, now=START)


def test_an_incident_opens_an_alert() -> None:
    opened = step(incident())

    assert opened.feed_type is FeedType.ALERT_OPENED
    assert opened.alert == alert(now=START)


def test_a_finding_that_came_first_is_told_after_the_opening() -> None:
    opened = step(incident(), said=finding())
    assert opened.alert is not None
    revised = step(incident(), said=finding(), known=opened.alert)

    assert opened.alert.finding is None
    assert revised.feed_type is FeedType.ALERT_REVISED
    assert revised.alert is not None
    assert revised.alert.finding == finding()
    assert step(incident(), said=finding(), known=revised.alert) == Step()


def test_what_is_below_the_threshold_is_counted_not_told() -> None:
    below = step(incident(severity=Severity.LOW), min_severity=Severity.MEDIUM)

    assert below == Step(suppressed=SuppressionReason.MIN_SEVERITY)


def test_a_finding_may_lift_an_incident_over_the_threshold() -> None:
    lifted = step(
        incident(severity=Severity.LOW),
        said=finding(severity=Severity.HIGH),
        min_severity=Severity.MEDIUM,
    )

    assert lifted.feed_type is FeedType.ALERT_OPENED


def test_a_repetition_is_counted_not_told() -> None:
    again = step(incident("ev_2", at_s=5.0), recent=(alert(incident("ev_1")),))

    assert again == Step(suppressed=SuppressionReason.DUPLICATE)


def test_an_alert_that_was_told_is_revised_whatever_was_told_before() -> None:
    known = alert(incident("ev_2", at_s=5.0))
    extended = incident("ev_2", at_s=5.0, revision=2)

    revised = step(extended, known=known, recent=(alert(incident("ev_1")),))

    assert revised.feed_type is FeedType.ALERT_REVISED


def test_the_cooldown_is_the_rules_own() -> None:
    rules = scene()
    quick = replace(rules, rules=(replace(rules.rules[0], cooldown_s=2.0),))
    source = SourceSettings(source_type=SourceType.SYNTHETIC, url="yard")
    camera = Camera(camera_id="cam", source=source, scene=quick)

    assert cooldown_of([camera], incident()) == 2.0
    assert cooldown_of([replace(camera, camera_id="x")], incident()) == DEFAULT_COOLDOWN_S
    assert cooldown_of([], incident()) == DEFAULT_COOLDOWN_S
