"""What a camera is watched for. Its JSON form is read by ``api/rules_file.py``."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from contracts.errors import ConfigError
from contracts.geometry import Calibration, Line, Zone
from contracts.ids import check_name


class Severity(StrEnum):
    """How much an alert matters, least first."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Return 0 (info) to 4 (critical)."""
        return list(Severity).index(self)


class Place(StrEnum):
    """Where a rule watches."""

    ZONE = "zone"
    LINE = "line"
    PICTURE = "picture"
    """All of it, or the zone that is named."""


class RuleKind(StrEnum):
    """The conditions a rule can watch for. Each has one file in ``vision/rules/``."""

    INTRUSION = "intrusion"
    ZONE_ENTRY = "zone_entry"
    ZONE_EXIT = "zone_exit"
    LINE_CROSS = "line_cross"
    LOITER = "loiter"
    CROWD = "crowd"
    WRONG_WAY = "wrong_way"
    SPEED = "speed"
    RUNNING = "running"
    TAILGATE = "tailgate"
    SEQUENCE = "sequence"
    FALL = "fall"
    FIGHT = "fight"
    ABANDONED = "abandoned"
    REMOVED = "removed"
    FIRE = "fire"
    SMOKE = "smoke"
    TAMPER = "tamper"

    @property
    def place(self) -> Place:
        """What a rule of this kind must be told; a zone that it need not have narrows it."""
        return _PLACES.get(self, Place.PICTURE)

    @property
    def is_instant(self) -> bool:
        """Whether its condition holds for a moment only, and cannot go on."""
        return self in (
            RuleKind.LINE_CROSS,
            RuleKind.TAILGATE,
            RuleKind.ZONE_EXIT,
            RuleKind.SEQUENCE,
        )

    @property
    def fires_below(self) -> bool:
        """Whether what it measures must not exceed its threshold: the time between two things."""
        return self in (RuleKind.TAILGATE, RuleKind.SEQUENCE)


_PLACES = {
    RuleKind.INTRUSION: Place.ZONE,
    RuleKind.ZONE_ENTRY: Place.ZONE,
    RuleKind.ZONE_EXIT: Place.ZONE,
    RuleKind.LOITER: Place.ZONE,
    RuleKind.LINE_CROSS: Place.LINE,
    RuleKind.TAILGATE: Place.LINE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """One configured rule.

    Attributes:
        rule_id: Unique in its camera.
        zone_id, line_id: What it is about; the one its kind needs (``RuleKind.place``).
        labels: Track labels it is about; empty means all.
        params: Numbers and words by name; each kind says which (``vision/rules/<kind>.py``) and
            refuses others.
        severity: Of the alert it raises.
        cooldown_s: A second alert of this rule about the same situation within this time is
            suppressed (and counted).
        version: Goes up by one with each edit.
        schedule: Its hours, ``mon-fri 22:00-06:00`` (``vision/schedule.py``); none means always.
        time_zone: IANA name for ``schedule``; the site's if empty.
        is_quiet: It alerts nobody; only rules about its events (``sequence``) hear of it.
    """

    rule_id: str
    kind: RuleKind
    zone_id: str = ""
    line_id: str = ""
    labels: tuple[str, ...] = ()
    params: Mapping[str, float | str] = field(default_factory=dict)
    severity: Severity = Severity.MEDIUM
    cooldown_s: float = 30.0
    is_enabled: bool = True
    version: int = 1
    schedule: tuple[str, ...] = ()
    time_zone: str = ""
    is_quiet: bool = False

    def __post_init__(self) -> None:
        check_name(self.rule_id, what="rule id")
        if not (math.isfinite(self.cooldown_s) and self.cooldown_s >= 0):
            raise ConfigError(
                f"rule {self.rule_id}: cooldown_s must be >= 0, got {self.cooldown_s}"
            )
        place = self.kind.place
        if place is not Place.PICTURE and not (self.zone_id, self.line_id)[place is Place.LINE]:
            raise ConfigError(f"rule {self.rule_id}: kind {self.kind} needs a {place}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRules:
    """The zones, lines and rules of one camera, consistent with each other.

    Raises:
        ConfigError: Two of a kind share an id, or a rule names a zone or line that is not there.
    """

    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    rules: tuple[RuleSettings, ...] = ()
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        zone_ids = _unique([zone.zone_id for zone in self.zones], what="zone")
        line_ids = _unique([line.line_id for line in self.lines], what="line")
        _unique([rule.rule_id for rule in self.rules], what="rule")
        for rule in self.rules:
            if rule.zone_id and rule.zone_id not in zone_ids:
                raise ConfigError(
                    f"rule {rule.rule_id}: there is no zone {rule.zone_id!r}; "
                    f"zones are {sorted(zone_ids) or 'none'}"
                )
            if rule.line_id and rule.line_id not in line_ids:
                raise ConfigError(
                    f"rule {rule.rule_id}: there is no line {rule.line_id!r}; "
                    f"lines are {sorted(line_ids) or 'none'}"
                )

    def zone(self, zone_id: str) -> Zone:
        """Return the zone of that id; KeyError if there is none."""
        return {zone.zone_id: zone for zone in self.zones}[zone_id]

    def line(self, line_id: str) -> Line:
        """Return the line of that id; KeyError if there is none."""
        return {line.line_id: line for line in self.lines}[line_id]


def _unique(ids: Sequence[str], *, what: str) -> set[str]:
    doubled = sorted({name for name in ids if ids.count(name) > 1})
    if doubled:
        raise ConfigError(f"{what} ids must differ, {doubled} stand more than once")
    return set(ids)
