"""Hours: days, over midnight, time zones, the nights on which clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.rules import RuleKind, RuleSettings
from vision.schedule import Schedule

BERLIN = ZoneInfo("Europe/Berlin")


def hours(*entries: str, time_zone: str = "") -> Schedule:
    rule = RuleSettings(
        rule_id="night",
        kind=RuleKind.LOITER,
        zone_id="z",
        schedule=entries,
        time_zone=time_zone,
    )
    return Schedule(rule, time_zone=BERLIN)


def local(text: str, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("entry", "at", "is_on"),
    [  # 2026-03-02 is a Monday
        ("mon-fri 08:00-18:00", "2026-03-02 08:00:00", True),
        ("mon-fri 08:00-18:00", "2026-03-02 07:59:59", False),
        ("mon-fri 08:00-18:00", "2026-03-02 18:00:00", False),
        ("mon-fri 08:00-18:00", "2026-03-07 12:00:00", False),
        ("sat,sun", "2026-03-08 23:59:59", True),
        ("sat,sun", "2026-03-09 00:00:00", False),
        ("22:00-06:00", "2026-03-04 05:59:59", True),
        ("22:00-06:00", "2026-03-04 06:00:00", False),
        ("fri 22:00-06:00", "2026-03-07 05:00:00", True),
        ("fri 22:00-06:00", "2026-03-06 05:00:00", False),
        ("sun 22:00-06:00", "2026-03-09 05:00:00", True),
        ("sat-mon", "2026-03-09 12:00:00", True),
        ("sat-mon", "2026-03-10 12:00:00", False),
        ("20:00-24:00", "2026-03-02 23:59:59", True),
        ("20:00-24:00", "2026-03-03 00:00:00", False),
        ("08:00-08:00", "2026-03-03 03:00:00", True),
        ("MON 08:00-09:00", "2026-03-02 08:30:00", True),
    ],
)
def test_local_hours_of_the_week(entry: str, at: str, is_on: bool) -> None:
    assert hours(entry).is_on(local(at)) is is_on


def test_several_entries_are_on_together_and_none_is_always() -> None:
    both = hours("mon 08:00-09:00", "tue 10:00-11:00")

    assert both.is_on(local("2026-03-02 08:30:00"))
    assert both.is_on(local("2026-03-03 10:30:00"))
    assert not both.is_on(local("2026-03-03 08:30:00"))
    assert hours().is_on(local("2026-03-03 03:00:00"))


def test_a_rule_may_live_in_another_time_zone_than_the_site() -> None:
    tokyo = hours("08:00-09:00", time_zone="Asia/Tokyo")

    assert tokyo.is_on(datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    assert not tokyo.is_on(local("2026-03-02 08:30:00"))


def test_where_the_clock_is_put_forward_the_missing_hour_is_not_on() -> None:
    """In Berlin 02:00 to 03:00 does not exist on 29 March 2026."""
    night = hours("02:00-03:00")
    began = local("2026-03-29 00:00:00")

    on = [m for m in range(6 * 60) if night.is_on(began + timedelta(minutes=m))]

    assert on == []
    whole = hours("sat 22:00-06:00")
    lasted = [m for m in range(24 * 60) if whole.is_on(local("2026-03-28 12:00") + m * MINUTE)]
    assert len(lasted) == 7 * 60


def test_where_the_clock_is_put_back_the_hour_that_comes_twice_is_on_twice() -> None:
    """In Berlin 02:00 to 03:00 comes twice on 25 October 2026."""
    night = hours("02:00-03:00")

    on = [m for m in range(6 * 60) if night.is_on(local("2026-10-25 00:00") + m * MINUTE)]

    assert len(on) == 120
    assert night.is_on(local("2026-10-25 02:30", fold=0))
    assert night.is_on(local("2026-10-25 02:30", fold=1))


MINUTE = timedelta(minutes=1)


def test_where_nobody_knows_the_time_of_day_a_rule_is_always_at_work() -> None:
    rule = RuleSettings(
        rule_id="night", kind=RuleKind.LOITER, zone_id="z", schedule=("sat 02:00-03:00",)
    )

    assert Schedule(rule, time_zone=None).is_on(datetime(2000, 1, 1, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("", "rule night: schedule '' cannot be read; wanted for instance"),
        ("mon tue", "cannot be read"),
        ("monday", "days are mon, tue"),
        ("mon 8-18", "cannot be read"),
        ("25:00-26:00", "times are 00:00 to 23:59"),
        ("08:60-09:00", "times are 00:00 to 23:59"),
        ("24:00-06:00", "times are 00:00 to 23:59"),
        ("mon-fri 08:00-18:00 20:00-21:00", "cannot be read"),
    ],
)
def test_refuses_what_it_cannot_read(entry: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        hours(entry)


@pytest.mark.parametrize("name", ["Mars/Base", "../etc/passwd", "Europe"])
def test_refuses_a_time_zone_that_there_is_not(name: str) -> None:
    with pytest.raises(ConfigError, match=f"rule night: time zone {name!r} is not known here"):
        hours("mon", time_zone=name)


@given(
    start=st.integers(0, 1439),
    end=st.integers(0, 1439),
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001  # given UTC below
)
def test_hours_and_their_complement_are_never_on_together(
    start: int, end: int, at: datetime
) -> None:
    if start == end:
        return
    inside = hours(f"{_clock(start)}-{_clock(end)}")
    outside = hours(f"{_clock(end)}-{_clock(start)}")
    moment = at.replace(tzinfo=UTC)

    assert inside.is_on(moment) is not outside.is_on(moment)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
