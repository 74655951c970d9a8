"""Zones, lines and rules as JSON: the form of a rules file and of the API.

For instance::

    {"zones": [{"id": "dock", "polygon": [[0, 0], [1, 0], [1, 1]]}],
     "lines": [{"id": "gate", "points": [[0.1, 0.5], [0.9, 0.5]]}],
     "rules": [{"id": "night", "kind": "intrusion", "zone": "dock", "labels": ["person"],
                "params": {"threshold_s": 1.0}, "severity": "high",
                "schedule": ["mon-fri 22:00-06:00", "sat,sun"]}],
     "calibration": {"picture": [[0.2, 0.4], [0.8, 0.4], [0.9, 0.9], [0.1, 0.9]],
                     "ground": [[0, 12], [6, 12], [6, 0], [0, 0]]}}

``docs/rules.md`` lists the kinds of rules and what each takes.
"""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from contracts.errors import ConfigError
from contracts.geometry import Calibration, Line, Point, Zone
from contracts.rules import RuleKind, RuleSettings, SceneRules, Severity
from vision.ground import GroundPlane
from vision.scene_check import check_rule, check_scene, check_zone

EnumT = TypeVar("EnumT", bound=StrEnum)


class SceneRulesParser:
    """Reads the JSON form and collects every problem before it raises.

    Args:
        where: What the messages begin with, usually the file's name.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._problems: list[str] = []

    def parse(self, document: object) -> SceneRules:
        """Return the rules that a decoded JSON document describes.

        Raises:
            ConfigError: One message that lists everything wrong, a line each.
        """
        if not isinstance(document, dict):
            raise ConfigError(f"{self._where}: must be a JSON object, got {_kind_of(document)}")
        self._refuse_unknown(document, {"zones", "lines", "rules", "calibration"}, "")
        zones = [self._zone(entry, at) for at, entry in self._entries(document, "zones")]
        lines = [self._line(entry, at) for at, entry in self._entries(document, "lines")]
        rules = [self._rule(entry, at) for at, entry in self._entries(document, "rules")]
        calibration = self._calibration(document.get("calibration"))
        self._raise_problems()
        try:
            scene = SceneRules(
                zones=tuple(zone for zone in zones if zone),
                lines=tuple(line for line in lines if line),
                rules=tuple(rule for rule in rules if rule),
                calibration=calibration,
            )
            check_scene(scene)
        except ConfigError as error:
            raise ConfigError(f"{self._where}: {error}") from error
        return scene

    def _raise_problems(self) -> None:
        if self._problems:
            listed = "\n".join(f"  {problem}" for problem in self._problems)
            raise ConfigError(f"{self._where}: {len(self._problems)} problem(s)\n{listed}")

    def _entries(
        self, document: Mapping[str, object], key: str
    ) -> list[tuple[str, dict[str, object]]]:
        listed = document.get(key, [])
        if not isinstance(listed, list):
            self._problems.append(f"{key}: must be a list, got {_kind_of(listed)}")
            return []
        entries: list[tuple[str, dict[str, object]]] = []
        for index, entry in enumerate(listed):
            if isinstance(entry, dict):
                entries.append((f"{key}[{index}]", entry))
            else:
                self._problems.append(f"{key}[{index}]: must be an object, got {_kind_of(entry)}")
        return entries

    def _refuse_unknown(self, entry: Mapping[str, object], known: set[str], at: str) -> None:
        for name in sorted(set(entry) - known):
            prefix = f"{at}." if at else ""
            self._problems.append(f"{prefix}{name}: unknown; known are {sorted(known)}")

    def _points(self, entry: Mapping[str, object], key: str) -> tuple[Point, ...]:
        listed = entry.get(key)
        if not isinstance(listed, list):
            raise ConfigError(f"{key} must be a list of [x, y], got {_kind_of(listed)}")
        points: list[Point] = []
        for point in listed:
            is_pair = isinstance(point, list | tuple) and len(point) == 2
            if not is_pair or not all(_is_number(value) for value in point):
                raise ConfigError(f"{key} must hold pairs [x, y] of numbers, got {str(point)[:60]}")
            points.append((float(point[0]), float(point[1])))
        return tuple(points)

    def _zone(self, entry: dict[str, object], at: str) -> Zone | None:
        self._refuse_unknown(entry, {"id", "polygon", "name", "restricted"}, at)
        try:
            zone = Zone(
                zone_id=str(entry.get("id", "")),
                polygon=self._points(entry, "polygon"),
                name=str(entry.get("name", "")),
                is_restricted=bool(entry.get("restricted", False)),
            )
            check_zone(zone)
        except ConfigError as error:
            self._problems.append(f"{at}: {error}")
            return None
        return zone

    def _line(self, entry: dict[str, object], at: str) -> Line | None:
        self._refuse_unknown(entry, {"id", "points", "name"}, at)
        try:
            return Line(
                line_id=str(entry.get("id", "")),
                points=self._points(entry, "points"),
                name=str(entry.get("name", "")),
            )
        except ConfigError as error:
            self._problems.append(f"{at}: {error}")
            return None

    def _rule(self, entry: dict[str, object], at: str) -> RuleSettings | None:
        known = {"id", "kind", "zone", "line", "labels", "params", "severity", "cooldown_s"}
        known |= {"enabled", "version", "schedule", "time_zone", "quiet"}
        self._refuse_unknown(entry, known, at)
        try:
            rule = RuleSettings(
                rule_id=str(entry.get("id", "")),
                kind=_member(RuleKind, entry.get("kind"), "kind"),
                zone_id=str(entry.get("zone", "")),
                line_id=str(entry.get("line", "")),
                labels=_strings(entry.get("labels", []), "labels"),
                params=_params(entry.get("params", {})),
                severity=_member(Severity, entry.get("severity", "medium"), "severity"),
                cooldown_s=_number(entry.get("cooldown_s", 30.0), "cooldown_s"),
                is_enabled=bool(entry.get("enabled", True)),
                version=int(_number(entry.get("version", 1), "version")),
                schedule=_strings(entry.get("schedule", []), "schedule"),
                time_zone=_word(entry.get("time_zone", ""), "time_zone"),
                is_quiet=_truth(entry.get("quiet", False), "quiet"),
            )
            check_rule(rule)
        except ConfigError as error:
            self._problems.append(f"{at}: {error}")
            return None
        return rule

    def _calibration(self, entry: object) -> Calibration | None:
        if entry is None:
            return None
        if not isinstance(entry, dict):
            self._problems.append(f"calibration: must be an object, got {_kind_of(entry)}")
            return None
        self._refuse_unknown(entry, {"picture", "ground"}, "calibration")
        try:
            calibration = Calibration(
                picture=self._points(entry, "picture"), ground=self._points(entry, "ground")
            )
        except ConfigError as error:
            self._problems.append(f"calibration: {error}")
            return None
        try:
            GroundPlane(calibration)
        except ConfigError as error:
            self._problems.append(str(error))
        return calibration


def dump_rules(scene: SceneRules) -> dict[str, object]:
    """Return the JSON form that ``SceneRulesParser`` reads back to an equal value."""
    return {
        "zones": [
            {
                "id": zone.zone_id,
                "name": zone.name,
                "polygon": [list(point) for point in zone.polygon],
                "restricted": zone.is_restricted,
            }
            for zone in scene.zones
        ],
        "lines": [
            {"id": line.line_id, "name": line.name, "points": [list(p) for p in line.points]}
            for line in scene.lines
        ],
        "rules": [
            {
                "id": rule.rule_id,
                "kind": rule.kind.value,
                **({"zone": rule.zone_id} if rule.zone_id else {}),
                **({"line": rule.line_id} if rule.line_id else {}),
                "labels": list(rule.labels),
                "params": dict(rule.params),
                "severity": rule.severity.value,
                "cooldown_s": rule.cooldown_s,
                "enabled": rule.is_enabled,
                "version": rule.version,
                **({"schedule": list(rule.schedule)} if rule.schedule else {}),
                **({"time_zone": rule.time_zone} if rule.time_zone else {}),
                **({"quiet": True} if rule.is_quiet else {}),
            }
            for rule in scene.rules
        ],
        **({} if scene.calibration is None else {"calibration": _dumped(scene.calibration)}),
    }


def _dumped(calibration: Calibration) -> dict[str, object]:
    return {
        "picture": [list(point) for point in calibration.picture],
        "ground": [list(point) for point in calibration.ground],
    }


def _kind_of(value: object) -> str:
    return "nothing" if value is None else type(value).__name__


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _number(value: object, what: str) -> float:
    if not isinstance(value, int | float) or not _is_number(value):
        raise ConfigError(f"{what} must be a finite number, got {str(value)[:40]!r}")
    return float(value)


def _word(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{what} must be a word, got {str(value)[:40]!r}")
    return value


def _truth(value: object, what: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{what} must be true or false, got {str(value)[:40]!r}")
    return value


def _strings(value: object, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{what} must be a list of words, got {str(value)[:60]}")
    return tuple(value)


def _params(value: object) -> dict[str, float | str]:
    if not isinstance(value, dict):
        raise ConfigError(f"params must be an object, got {_kind_of(value)}")
    params: dict[str, float | str] = {}
    for name, item in value.items():
        if not isinstance(item, str) and not _is_number(item):
            raise ConfigError(
                f"params.{name} must be a finite number or a word, got {_kind_of(item)}"
            )
        params[str(name)] = item
    return params


def _member(kind: type[EnumT], value: object, what: str) -> EnumT:
    try:
        return kind(str(value))
    except ValueError:
        known = [member.value for member in kind]
        raise ConfigError(f"{what} must be one of {known}, got {str(value)[:40]!r}") from None
