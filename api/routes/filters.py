"""The query parameters that listings of alerts and events share."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query
from pydantic import AwareDatetime

from alerts.history.ports import AlertFilter
from contracts.alerts import AlertState
from contracts.rules import RuleKind, Severity

Limit = Annotated[int, Query(ge=1, le=200, description="Items on a page")]
Cursor = Annotated[
    str | None, Query(max_length=256, description="`next_cursor` of the page before")
]


def filter_of(  # one parameter for each query parameter
    camera: Annotated[list[str] | None, Query(description="May be repeated")] = None,
    kind: Annotated[list[RuleKind] | None, Query(description="May be repeated")] = None,
    min_severity: Annotated[Severity | None, Query()] = None,
    state: Annotated[
        list[AlertState] | None, Query(description="Of alerts; may be repeated")
    ] = None,
    starts_at: Annotated[
        AwareDatetime | None, Query(alias="from", description="At or after, RFC 3339")
    ] = None,
    ends_at: Annotated[
        AwareDatetime | None, Query(alias="to", description="Before, RFC 3339")
    ] = None,
) -> AlertFilter:
    """Return the filter that the query describes."""
    return AlertFilter(
        camera_ids=tuple(camera or ()),
        kinds=tuple(kind or ()),
        min_severity=min_severity,
        states=tuple(item.value for item in state or ()),
        starts_at=_utc(starts_at),
        ends_at=_utc(ends_at),
    )


FilterDep = Annotated[AlertFilter, Depends(filter_of)]
"""Parameter type with which a listing asks for its filter."""


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at else None
