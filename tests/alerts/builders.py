"""Findings, alerts and feed entries that default everything a test does not care about."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from alerts.history.ports import NewFeedEntry, Webhook
from alerts.lifecycle import open_alert
from alerts.payload import feed_entry
from contracts.alerts import Alert, FeedType
from contracts.geometry import Point
from contracts.incidents import EvidenceItem, EvidenceKind, Incident, IncidentState
from contracts.reasoning import (
    Claim,
    ClaimRole,
    ClaimStatus,
    Decision,
    Finding,
    Reasoning,
    ReasoningVerdict,
)
from contracts.rules import RuleKind, Severity
from tests.fakes import builders
from tests.fakes.clock import START

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  # the standard's own example


def claim(claim_id: str = "c1", *, text: str = "A person was in the dock for 1.4 s.") -> Claim:
    return Claim(
        claim_id=claim_id,
        role=ClaimRole.OBSERVATION,
        predicate="dwell",
        args={"track": "t1", "zone": "dock", "min_s": 1.0},
        evidence=("a6",),
        frames=("f_20",),
        text=text,
        status=ClaimStatus.SUPPORTED,
        measured=1.4,
        tolerance=0.2,
        unit="s",
    )


def finding(
    *,
    incident_id: str = "ev_1",
    revision: int = 1,
    verdict: ReasoningVerdict = ReasoningVerdict.CONFIRMED,
    severity: Severity = Severity.HIGH,
    decision: Decision = Decision.ALERT,
    finding_id: str = "",
    created_at: datetime = START + timedelta(seconds=5),
    claims: Sequence[Claim] | None = None,
) -> Finding:
    return Finding(
        finding_id=finding_id or f"fi_{incident_id}_{revision}",
        incident_id=incident_id,
        incident_revision=revision,
        camera_id="cam",
        kind=RuleKind.INTRUSION,
        severity=severity,
        decision=decision,
        confidence=0.97,
        confidence_basis="program",
        title="Person in the loading dock",
        summary="A person entered the dock and stayed 1.4 s.",
        reasoning=Reasoning(
            reasoner="program", verdict=verdict, claims=tuple(claims or (claim(),))
        ),
        decisive_at=START + timedelta(seconds=4),
        created_at=created_at,
        reasoned_ms=12.0,
    )


def incident(
    incident_id: str = "ev_1",
    *,
    revision: int = 1,
    at_s: float = 4.0,
    track_id: str = "t1",
    severity: Severity = Severity.HIGH,
    camera_id: str = "cam",
    run_id: str = "run1",
    is_closed: bool = False,
    feet: Sequence[Point] = ((0.45, 0.6), (0.55, 0.6), (0.6, 0.6)),
    evidence: tuple[EvidenceItem, ...] | None = None,
) -> Incident:
    """An intrusion into ``dock`` decided ``at_s`` seconds after ``START``.

    ``feet`` are where the track's foot was in the frames up to the decisive one, at 5 fps.
    """
    seq = round(at_s * 5)
    event = builders.rule_event(track_id=track_id, seq=seq, event_id=f"re_{incident_id}")
    first_seq = seq - len(feet) + 1
    followed = builders.track(feet, track_id=track_id, camera_id=camera_id, first_seq=first_seq)
    made = builders.incident(
        incident_id=incident_id,
        revision=revision,
        camera_id=camera_id,
        state=IncidentState.CLOSED if is_closed else IncidentState.OPENED,
        evidence=evidence,
    )
    return replace(
        made,
        run_id=run_id,
        severity=severity,
        started_at=event.since_at,
        started_s=event.since_s,
        updated_s=event.monotonic_s,
        decisive_at=event.at,
        detected_at=event.at + timedelta(milliseconds=80),
        ended_at=event.at if is_closed else None,
        rule_events=(replace(event, severity=severity),),
        tracks=(followed,),
    )


def alert(of: Incident | None = None, *, now: datetime | None = None) -> Alert:
    """A provisional alert, just opened."""
    raised_by = of or incident()
    return open_alert(raised_by, None, now=now or raised_by.detected_at)


def told(item: Alert, feed_type: FeedType = FeedType.ALERT_OPENED) -> tuple[Alert, NewFeedEntry]:
    """An alert with the entry that tells of it: the arguments of ``store_alert``."""
    return item, feed_entry(item, feed_type)


def next_revision(item: Alert, **changes: object) -> Alert:
    return replace(item, revision=item.revision + 1, **changes)  # type: ignore[arg-type]  # fields by name


def clip(ref: str = "sha256-" + "c" * 64 + ".mp4", *, problem: str = "") -> EvidenceItem:
    return EvidenceItem(kind=EvidenceKind.CLIP, ref=ref, problem=problem)


def webhook(
    webhook_id: str = "wh_1",
    *,
    url: str = "https://receiver.example/hook",
    min_severity: Severity = Severity.INFO,
    is_enabled: bool = True,
    created_at: datetime = START,
) -> Webhook:
    return Webhook(
        webhook_id=webhook_id,
        url=url,
        secret=SECRET,
        min_severity=min_severity,
        is_enabled=is_enabled,
        created_at=created_at,
    )
