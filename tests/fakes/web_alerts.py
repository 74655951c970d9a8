"""Alerts with a reasoned chain, for the API to list and the dashboard to draw."""

from dataclasses import replace
from datetime import datetime, timedelta

from alerts.payload import feed_entry
from contracts.alerts import Alert, AlertPhase, AlertState, FeedType
from contracts.ids import derived_id
from contracts.incidents import Incident
from contracts.reasoning import (
    Claim,
    ClaimRole,
    ClaimStatus,
    Decision,
    Finding,
    Reasoning,
    ReasoningVerdict,
)
from contracts.rules import Severity
from tests.fakes.archive import WebHistory
from tests.fakes.builders import incident
from tests.fakes.clock import START


def claim(
    claim_id: str,
    role: ClaimRole,
    text: str,
    *,
    status: ClaimStatus = ClaimStatus.SUPPORTED,
    measured: float | None = None,
    tolerance: float | None = None,
    unit: str = "",
    frames: tuple[str, ...] = ("f_20",),
    args: dict[str, str | float] | None = None,
    note: str = "",
) -> Claim:
    """One claim, supported by default."""
    return Claim(
        claim_id=claim_id,
        role=role,
        predicate=role.value,
        args=args or {},
        evidence=(),
        frames=frames,
        text=text,
        status=status,
        measured=measured,
        tolerance=tolerance,
        unit=unit,
        note=note,
    )


def intrusion_claims() -> tuple[Claim, ...]:
    """A chain with every role, all supported but one."""
    return (
        claim(
            "c1",
            ClaimRole.OBSERVATION,
            "A person (t1) was followed for 4.0 s.",
            measured=4.0,
            tolerance=0.2,
            unit="s",
            frames=("f_12", "f_20"),
            args={"track": "t1"},
        ),
        claim(
            "c2",
            ClaimRole.RELATION,
            "t1 stayed in Loading dock for 1.4 s, asked for is 1.0 s.",
            measured=1.4,
            tolerance=0.1,
            unit="s",
            frames=("f_16", "f_20"),
            args={"track": "t1", "zone": "dock", "min_s": 1.0},
        ),
        claim("c3", ClaimRole.HYPOTHESIS, "Somebody went into a restricted zone.", frames=()),
        claim(
            "c4",
            ClaimRole.RULED_OUT,
            "Not a change of light: brightness changed by 1 %.",
            measured=0.01,
            tolerance=0.01,
            unit="share",
        ),
        claim(
            "c5",
            ClaimRole.COUNTER,
            "It may be somebody who works here: no uniform can be told.",
            status=ClaimStatus.UNVERIFIABLE,
            note="nothing measures clothing",
            frames=(),
        ),
        claim("c6", ClaimRole.VERDICT, "The intrusion into Loading dock is confirmed."),
    )


def finding(of: Incident, *, claims: tuple[Claim, ...] | None = None) -> Finding:
    """A confirmed finding about an incident."""
    return Finding(
        finding_id=f"fi_{of.incident_id}",
        incident_id=of.incident_id,
        incident_revision=of.revision,
        camera_id=of.camera_id,
        kind=of.kind,
        severity=of.severity,
        decision=Decision.ALERT,
        confidence=0.91,
        confidence_basis="program",
        title="Person in Loading dock",
        summary="A person entered Loading dock and stayed for 1.4 s.",
        reasoning=Reasoning(
            reasoner="program",
            verdict=ReasoningVerdict.CONFIRMED,
            claims=intrusion_claims() if claims is None else claims,
        ),
        decisive_at=of.decisive_at,
        created_at=of.detected_at + timedelta(milliseconds=40),
        reasoned_ms=3.2,
    )


def alert(
    of: Incident | None = None,
    *,
    reasoned: bool = True,
    revision: int = 2,
    opened_at: datetime = START,
    severity: Severity = Severity.HIGH,
    state: AlertState = AlertState.OPEN,
    title: str = "Person in Loading dock",
) -> Alert:
    """An alert about an intrusion; provisional (revision 1) if it is not reasoned."""
    of = of or incident()
    found = finding(of) if reasoned else None
    return Alert(
        alert_id=derived_id("al", of.incident_id),
        revision=revision if reasoned else 1,
        phase=AlertPhase.REVISED if reasoned else AlertPhase.PROVISIONAL,
        state=state,
        camera_id=of.camera_id,
        kind=of.kind,
        severity=severity,
        decision=Decision.ALERT,
        confidence=found.confidence if found else 0.5,
        title=title,
        summary=found.summary if found else "The rule keep_out fired; nothing is reasoned yet.",
        incident=of,
        finding=found,
        opened_at=opened_at,
        updated_at=opened_at,
        correlation_id="corr-1",
    )


def store(history: WebHistory, stored: Alert) -> Alert:
    """Keep an alert with its feed entry, as the alerts stage does."""
    feed_type = FeedType.ALERT_OPENED if stored.revision == 1 else FeedType.ALERT_REVISED
    history.store_incident(stored.incident)
    assert history.store_alert(stored, feed_entry(stored, feed_type))
    return stored


def several(history: WebHistory, count: int) -> list[Alert]:
    """Alerts of ``count`` incidents, one a minute, the newest last."""
    return [
        store(
            history,
            alert(
                incident(incident_id=f"ev_{number}", camera_id=f"cam{number % 2}"),
                opened_at=START + timedelta(minutes=number),
                severity=list(Severity)[number % len(Severity)],
            ),
        )
        for number in range(count)
    ]


def with_state(history: WebHistory, stored: Alert, state: AlertState) -> Alert:
    """Store the next revision of an alert, in another state."""
    return store(history, replace(stored, state=state, revision=stored.revision + 1))
