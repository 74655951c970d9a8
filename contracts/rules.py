"""What a camera is watched for. Its JSON form is read by ``api/rules_file.py``."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from contracts.errors import ConfigError
from contracts.geometry import Line, Zone
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


class RuleKind(StrEnum):
    """The conditions a rule can watch for. Each has one file in ``vision/rules/``."""

    INTRUSION = "intrusion"
    ZONE_ENTRY = "zone_entry"
    LINE_CROSS = "line_cross"
    LOITER = "loiter"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """One configured rule.

    Attributes:
        rule_id: Unique in its camera.
        zone_id, line_id: What it is about; exactly the one its kind needs.
        labels: Track labels it is about; empty means all.
        params: Numbers and words by name; each kind says which (``vision/rules/<kind>.py``) and
            refuses others.
        severity: Of the alert it raises.
        cooldown_s: A second alert of this rule about the same situation within this time is
            suppressed (and counted).
        version: Goes up by one with each edit.
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

    def __post_init__(self) -> None:
        check_name(self.rule_id, what="rule id")
        if not (math.isfinite(self.cooldown_s) and self.cooldown_s >= 0):
            raise ConfigError(
                f"rule {self.rule_id}: cooldown_s must be >= 0, got {self.cooldown_s}"
            )
        needs_line = self.kind is RuleKind.LINE_CROSS
        if needs_line and not self.line_id:
            raise ConfigError(f"rule {self.rule_id}: kind {self.kind} needs a line")
        if not needs_line and not self.zone_id:
            raise ConfigError(f"rule {self.rule_id}: kind {self.kind} needs a zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRules:
    """The zones, lines and rules of one camera, consistent with each other.

    Raises:
        ConfigError: Two of a kind share an id, or a rule names a zone or line that is not there.
    """

    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    rules: tuple[RuleSettings, ...] = ()

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
