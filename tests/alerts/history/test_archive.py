from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.history.cursors import decode_cursor, encode_cursor
from alerts.history.ports import AlertFilter
from alerts.history.sql import History
from contracts.errors import ConfigError
from contracts.rules import RuleKind, Severity
from tests.alerts.builders import alert, incident, told
from tests.fakes.clock import START

EVERYTHING = AlertFilter()


def add(history: History, *incident_ids: str, at_s: float = 4.0, **changes: object) -> None:
    for incident_id in incident_ids:
        made = incident(incident_id, at_s=at_s, **changes)  # type: ignore[arg-type]  # by name
        history.alerts.store_alert(*told(alert(made)))


def listed(history: History, where: AlertFilter) -> list[str]:
    page = history.archive.list_alerts(where, cursor=None, limit=100)
    return [item.incident.incident_id for item in page.items]


def test_pages_hold_everything_once_also_where_times_are_equal(history: History) -> None:
    names = [f"ev_{number}" for number in range(7)]
    add(history, *names[:5])
    add(history, *names[5:], at_s=9.0)

    seen: list[str] = []
    cursor = None
    for _ in range(4):
        page = history.archive.list_alerts(EVERYTHING, cursor=cursor, limit=2)
        seen += [item.incident.incident_id for item in page.items]
        cursor = page.next_cursor

    assert cursor is None
    assert sorted(seen) == names
    assert set(seen[:2]) == {"ev_5", "ev_6"}


def test_a_page_is_not_moved_by_what_comes_in_meanwhile(history: History) -> None:
    add(history, "ev_1", at_s=1.0)
    add(history, "ev_2", at_s=2.0)
    first = history.archive.list_incidents(EVERYTHING, cursor=None, limit=1)

    add(history, "ev_3", at_s=3.0)

    second = history.archive.list_incidents(EVERYTHING, cursor=first.next_cursor, limit=1)
    assert [item.incident_id for item in (*first.items, *second.items)] == ["ev_2", "ev_1"]
    assert second.next_cursor is None


def test_the_last_page_says_so_when_it_is_just_full(history: History) -> None:
    add(history, "ev_1", "ev_2")

    assert history.archive.list_alerts(EVERYTHING, cursor=None, limit=2).next_cursor is None


@pytest.mark.parametrize(
    "cursor",
    ["", "%%%", "bm90IGpzb24", "WzEsMl0", "WyJhIiwiYiJd", "WzFd", "é", "W" * 9, "WzEsMl0="],
)
def test_a_cursor_of_somebody_else_is_refused(history: History, cursor: str) -> None:
    with pytest.raises(ConfigError, match="cursor"):
        history.archive.list_alerts(EVERYTHING, cursor=cursor, limit=1)


def test_a_cursor_beyond_all_times_is_refused(history: History) -> None:
    far = "WzEwMDAwMDAwMDAwMDAwMDAwMDAwMCwiYSJd"
    with pytest.raises(ConfigError, match="cursor"):
        history.archive.list_alerts(EVERYTHING, cursor=far, limit=1)


def test_an_empty_page_is_refused(history: History) -> None:
    with pytest.raises(ConfigError, match="limit must be at least 1, got 0"):
        history.archive.list_alerts(EVERYTHING, cursor=None, limit=0)


@given(st.datetimes(timezones=st.just(START.tzinfo)), st.text())
def test_a_cursor_comes_back_as_it_was(at: object, item_id: str) -> None:
    assert decode_cursor(encode_cursor(at, item_id)) == (at, item_id)  # type: ignore[arg-type]  # a datetime


def test_filters_restrict_by_camera(history: History) -> None:
    add(history, "ev_1")
    add(history, "ev_2", camera_id="gate")

    assert listed(history, AlertFilter(camera_ids=("gate", "none"))) == ["ev_2"]


def test_filters_restrict_by_severity(history: History) -> None:
    add(history, "ev_1", severity=Severity.LOW)
    add(history, "ev_2", severity=Severity.HIGH)

    assert listed(history, AlertFilter(min_severity=Severity.MEDIUM)) == ["ev_2"]


def test_filters_restrict_by_kind_and_state(history: History) -> None:
    add(history, "ev_1")

    assert listed(history, AlertFilter(kinds=(RuleKind.INTRUSION,))) == ["ev_1"]
    assert listed(history, AlertFilter(kinds=(RuleKind.LOITER,))) == []
    assert listed(history, AlertFilter(states=("open",))) == ["ev_1"]
    assert listed(history, AlertFilter(states=("resolved",))) == []


def test_filters_include_the_start_and_exclude_the_end(history: History) -> None:
    add(history, "ev_1")
    [only] = history.archive.list_incidents(EVERYTHING, cursor=None, limit=1).items
    instant = timedelta(microseconds=1)

    def found(where: AlertFilter) -> int:
        return len(history.archive.list_incidents(where, cursor=None, limit=1).items)

    assert found(AlertFilter(starts_at=only.started_at)) == 1
    assert found(AlertFilter(starts_at=only.started_at + instant)) == 0
    assert found(AlertFilter(ends_at=only.started_at)) == 0
    assert found(AlertFilter(ends_at=only.started_at + instant)) == 1
