"""Rows of incidents and findings, read and written inside a caller's transaction."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from alerts.evidence import merge_evidence
from alerts.history import schema
from alerts.history.database import insert_new
from contracts.codec import decode, encode
from contracts.incidents import EvidenceItem, Incident
from contracts.reasoning import Finding


def keep_incident(connection: Connection, incident: Incident) -> bool:
    """Keep the incident if its revision is newer than what is stored; say whether it was.

    Holds the incident's row until the transaction ends, so writers about one incident take turns.
    Evidence that came apart from the incident stays with it.
    """
    if insert_new(connection, schema.incidents, _columns(incident)):
        return True
    stored = _locked(connection, incident.incident_id)
    if stored is None or stored.revision >= incident.revision:
        return False
    evidence = merge_evidence(stored.evidence, incident.evidence)
    _replace(connection, replace(incident, evidence=evidence))
    return True


def add_evidence(connection: Connection, incident_id: str, item: EvidenceItem) -> bool:
    """Add a piece of evidence; False if the incident is not there."""
    stored = _locked(connection, incident_id)
    if stored is None:
        return False
    evidence = merge_evidence(stored.evidence, (item,))
    if evidence != stored.evidence:
        _replace(connection, replace(stored, evidence=evidence))
    return True


def mark_lost(connection: Connection, incident_id: str, ref: str, *, problem: str) -> bool:
    """Say of a piece of evidence that it is gone, and why; False if it is not named any more."""
    stored = _locked(connection, incident_id)
    if stored is None or all(item.ref != ref for item in stored.evidence):
        return False
    evidence = tuple(
        replace(item, ref="", problem=problem) if item.ref == ref else item
        for item in stored.evidence
    )
    _replace(connection, replace(stored, evidence=evidence))
    return True


def incident_of(connection: Connection, incident_id: str) -> Incident | None:
    """Return the newest revision stored."""
    rows = schema.incidents
    found = select(rows.c.document).where(rows.c.incident_id == incident_id)
    document = connection.execute(found).scalar()
    return None if document is None else decode(document.encode(), Incident)


def keep_finding(connection: Connection, finding: Finding) -> bool:
    """Keep a finding; False if it is there already."""
    values = {
        "finding_id": finding.finding_id,
        "incident_id": finding.incident_id,
        "incident_revision": finding.incident_revision,
        "created_at": finding.created_at,
        "document": encode(finding).decode(),
    }
    return insert_new(connection, schema.findings, values)


def newest_finding(connection: Connection, incident_id: str) -> Finding | None:
    """Return the finding about the newest revision, the newest of several."""
    rows = schema.findings
    found = (
        select(rows.c.document)
        .where(rows.c.incident_id == incident_id)
        .order_by(
            rows.c.incident_revision.desc(), rows.c.created_at.desc(), rows.c.finding_id.desc()
        )
        .limit(1)
    )
    document = connection.execute(found).scalar()
    return None if document is None else decode(document.encode(), Finding)


def count_suppression_once(connection: Connection, incident: Incident, reason: str) -> None:
    """Count that an incident raised no alert, unless it was counted already."""
    rows = schema.incidents
    marked = connection.execute(
        update(rows)
        .where(rows.c.incident_id == incident.incident_id, rows.c.suppressed == "")
        .values(suppressed=reason)
    )
    if marked.rowcount == 1:
        rule_id = incident.rule_events[0].rule_id
        count_suppression(connection, incident.camera_id, rule_id, reason, at=incident.detected_at)


def count_suppression(
    connection: Connection, camera_id: str, rule_id: str, reason: str, *, at: datetime
) -> None:
    """Add one to a reason's count."""
    rows = schema.suppressions
    values = {
        "camera_id": camera_id,
        "rule_id": rule_id,
        "reason": reason,
        "count": 1,
        "last_at": at,
    }
    keys = ["camera_id", "rule_id", "reason"]
    changes = {"count": rows.c.count + 1, "last_at": at}
    statement = (
        postgresql.insert(rows)
        .values(values)
        .on_conflict_do_update(index_elements=keys, set_=changes)
        if connection.dialect.name == "postgresql"
        else sqlite.insert(rows)
        .values(values)
        .on_conflict_do_update(index_elements=keys, set_=changes)
    )
    connection.execute(statement)


def _locked(connection: Connection, incident_id: str) -> Incident | None:
    rows = schema.incidents
    found = select(rows.c.document).where(rows.c.incident_id == incident_id).with_for_update()
    document = connection.execute(found).scalar()
    return None if document is None else decode(document.encode(), Incident)


def _replace(connection: Connection, incident: Incident) -> None:
    rows = schema.incidents
    values = _columns(incident)
    del values["incident_id"]
    connection.execute(
        update(rows).where(rows.c.incident_id == incident.incident_id).values(**values)
    )


def _columns(incident: Incident) -> dict[str, object]:
    return {
        "incident_id": incident.incident_id,
        "revision": incident.revision,
        "camera_id": incident.camera_id,
        "kind": incident.kind.value,
        "severity_rank": incident.severity.rank,
        "state": incident.state.value,
        "started_at": incident.started_at,
        "document": encode(incident).decode(),
    }
