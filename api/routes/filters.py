"""The query parameters that listings of alerts and events share."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query
from pydantic import AwareDatetime

from alerts.history.ports import AlertFilter
from contracts.alerts import AlertState
from contracts.incidents import IncidentState
from contracts.rules import RuleKind, Severity

Limit = Annotated[int, Query(ge=1, le=200, description="Items on a page")]
Cursor = Annotated[
    str | None, Query(max_length=256, description="`next_cursor` of the page before")
]


def filter_of(  # one parameter for each query parameter
    camera: Annotated[list[str] | None, Query(description="May be repeated")] = None,
    kind: Annotated[list[RuleKind] | None, Query(description="May be repeated")] = None,
    min_severity: Annotated[Severity | None, Query()] = None,
    starts_at: Annotated[
        AwareDatetime | None, Query(alias="from", description="At or after, RFC 3339")
    ] = None,
    ends_at: Annotated[
        AwareDatetime | None, Query(alias="to", description="Before, RFC 3339")
    ] = None,
) -> AlertFilter:
    """Return what the query says of alerts and events alike."""
    return AlertFilter(
        camera_ids=tuple(camera or ()),
        kinds=tuple(kind or ()),
        min_severity=min_severity,
        starts_at=_utc(starts_at),
        ends_at=_utc(ends_at),
    )


def alert_filter_of(
    where: Annotated[AlertFilter, Depends(filter_of)],
    state: Annotated[list[AlertState] | None, Query(description="May be repeated")] = None,
) -> AlertFilter:
    """Return the filter for alerts that the query describes."""
    return replace(where, states=tuple(item.value for item in state or ()))


def event_filter_of(
    where: Annotated[AlertFilter, Depends(filter_of)],
    state: Annotated[list[IncidentState] | None, Query(description="May be repeated")] = None,
) -> AlertFilter:
    """Return the filter for events that the query describes."""
    return replace(where, states=tuple(item.value for item in state or ()))


AlertFilterDep = Annotated[AlertFilter, Depends(alert_filter_of)]
"""Parameter type with which the listing of alerts asks for its filter."""
EventFilterDep = Annotated[AlertFilter, Depends(event_filter_of)]
"""Parameter type with which the listing of events asks for its filter."""


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at else None
