"""Whether an incident becomes an alert, and how much it matters (pure).

A rule that fires raises an alert at once; nobody waits for the reasoning. The reasoning may raise
the severity. It lowers it only where the measurements contradict the rule: time-out, doubt and
abstention lower nothing.
"""

from contracts.incidents import Incident
from contracts.reasoning import Finding, ReasoningVerdict
from contracts.rules import Severity


def rule_severity(incident: Incident) -> Severity:
    """Return the highest severity that the incident or any of its rules asks for."""
    return highest(incident.severity, *(event.severity for event in incident.rule_events))


def severity_of(incident: Incident, finding: Finding, *, current: Severity) -> Severity:
    """Return the severity of an alert after a new finding.

    Args:
        incident: The newest revision; its rules give the floor.
        finding: What the reasoning says now.
        current: The alert's severity so far.

    Returns:
        The finding's own severity if it contradicts the rule's statement as it is now; otherwise
        the highest of rules, ``current`` and (unless it contradicts) the finding. A contradiction
        of an older revision lowers nothing: it does not know what has happened since.
    """
    if not is_contradicted(finding):
        return highest(rule_severity(incident), current, finding.severity)
    if finding.incident_revision >= incident.revision:
        return finding.severity
    return highest(rule_severity(incident), current)


def extended_severity(incident: Incident, known: Incident, *, current: Severity) -> Severity:
    """Return the severity of an alert after a new revision of its incident alone.

    Only new rule events raise it: the mere end of an incident does not take back that the
    reasoning has lowered it.
    """
    known_ids = {event.event_id for event in known.rule_events}
    added = [event.severity for event in incident.rule_events if event.event_id not in known_ids]
    return highest(current, *added)


def is_contradicted(finding: Finding) -> bool:
    """Say whether the measurements speak against what the rule stated."""
    return finding.reasoning.verdict is ReasoningVerdict.CONTRADICTED


def opening_severity(incident: Incident, finding: Finding | None) -> Severity:
    """Return the severity to open with: a finding that overtook its incident may only raise it.

    A contradiction is told as a revision of the alert, never by not telling.
    """
    floor = rule_severity(incident)
    return floor if finding is None else highest(floor, finding.severity)


def is_worth_an_alert(severity: Severity, *, min_severity: Severity) -> bool:
    """Say whether people are told at all; what is below stays in the history as an event."""
    return severity.rank >= min_severity.rank


def highest(first: Severity, *others: Severity) -> Severity:
    """Return the one that matters most."""
    return max((first, *others), key=lambda severity: severity.rank)
