"""When a rule is at work: weekly hours in local time (pure).

One entry is days, hours or both: ``mon-fri 22:00-06:00``, ``sat,sun``, ``07:00-19:00``. Without
days it is about every day, without hours about all day. Hours whose end is not later than their
beginning go on into the next day, and the day is that of the beginning: ``fri 22:00-06:00`` ends
on Saturday morning.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contracts.errors import ConfigError
from contracts.rules import RuleSettings

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES: Final = 24 * 60
_HOURS: Final = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})")
_EXAMPLE: Final = "wanted for instance 'mon-fri 22:00-06:00', 'sat,sun' or '07:00-19:00'"


@dataclass(frozen=True, slots=True)
class _Hours:
    """Days of the week (0 is Monday) on which it begins, and minutes of the local day.

    ``end`` counts from the same midnight, so that it is beyond 24 hours where it is on the next
    day.
    """

    days: frozenset[int]
    start: int
    end: int

    def holds(self, day: int, minute: float) -> bool:
        """Say whether it is on at a local day of the week and minute of the day."""
        if day in self.days and self.start <= minute < self.end:
            return True
        return (day - 1) % 7 in self.days and minute < self.end - _DAY_MINUTES


class Schedule:
    """The hours of one rule.

    Wall-clock time is what counts: where the clock is put forward, hours that do not exist that
    night are not on; where it is put back, those that come twice are on twice.

    Args:
        settings: Its ``schedule`` and ``time_zone``.
        time_zone: Of the site; None where nobody knows the time of day (recordings). Then every
            rule is always at work: to leave something unsaid would be worse.

    Raises:
        ConfigError: An entry or the time zone cannot be read; the message names the rule.
    """

    def __init__(self, settings: RuleSettings, *, time_zone: tzinfo | None) -> None:
        where = f"rule {settings.rule_id}"
        self._hours = tuple(_parsed(entry, where) for entry in settings.schedule)
        own = _zone(settings.time_zone, where) if settings.time_zone else time_zone
        self._zone = None if time_zone is None else own

    def is_on(self, at: datetime) -> bool:
        """Say whether the rule is at work at an instant."""
        if not self._hours or self._zone is None:
            return True
        local = at.astimezone(self._zone)
        minute = local.hour * 60 + local.minute + local.second / 60
        return any(hours.holds(local.weekday(), minute) for hours in self._hours)


def _zone(name: str, where: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"{where}: time zone {name[:40]!r} is not known here; use an IANA name such as "
            "Europe/Berlin"
        ) from error


def _parsed(entry: str, where: str) -> _Hours:
    parts = entry.strip().lower().split()
    hours = [part for part in parts if _HOURS.fullmatch(part)]
    days = [part for part in parts if part not in hours]
    if not parts or len(hours) > 1 or len(days) > 1:
        raise ConfigError(f"{where}: schedule {entry[:40]!r} cannot be read; {_EXAMPLE}")
    start, end = _minutes(hours[0], entry, where) if hours else (0, _DAY_MINUTES)
    named = _days(days[0].split(","), entry, where) if days else frozenset(range(7))
    return _Hours(named, start, end)


def _minutes(hours: str, entry: str, where: str) -> tuple[int, int]:
    matched = _HOURS.fullmatch(hours)
    numbers = [int(number) for number in matched.groups()] if matched else [99]
    start, end = numbers[0] * 60 + numbers[1], numbers[-2] * 60 + numbers[-1]
    if max(numbers[1::2]) > 59 or start >= _DAY_MINUTES or end > _DAY_MINUTES:
        raise ConfigError(
            f"{where}: schedule {entry[:40]!r}: times are 00:00 to 23:59, an end may be 24:00"
        )
    return start, end if end > start else end + _DAY_MINUTES


def _days(names: Sequence[str], entry: str, where: str) -> frozenset[int]:
    found: set[int] = set()
    for name in names:
        first, _, last = name.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ConfigError(
                f"{where}: schedule {entry[:40]!r}: days are {', '.join(DAYS)}; {_EXAMPLE}"
            )
        start, end = DAYS.index(first), DAYS.index(last or first)
        found |= {day % 7 for day in range(start, (end if end >= start else end + 7) + 1)}
    return frozenset(found)
