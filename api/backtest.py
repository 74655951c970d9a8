"""What a back-test answers, ready for people and programs: rules by day, against those of now."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any, Final

from alerts.payload import rfc3339
from api.rules_file import SceneRulesParser, dump_rules
from contracts.errors import ConfigError
from contracts.rules import RuleKind, RuleSettings, SceneRules
from vision.backtest.answer import BackTest, BackTester, Outcome, RuleOutcome
from vision.rules.defaults import with_defaults
from vision.rules.registry import make_rules

FIRST: Final = 20
"""So many events are listed with their times unless somebody asks for more."""
_FIELDS: Final = frozenset(
    {"zone", "line", "labels", "severity", "cooldown_s", "enabled", "schedule", "quiet"}
)
"""What can be set of a rule besides its parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked about one camera.

    Attributes:
        now: The rules that the camera has, those that are on by default included.
        tried: Those that are tried; the same if nothing is.
        first: How many events are listed.
    """

    camera_id: str
    now: SceneRules
    tried: SceneRules
    start: datetime
    end: datetime
    first: int = FIRST


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What somebody wants to try.

    Attributes:
        rules: In place of the camera's own; None takes those.
        settings: Changes, ``rule.name=value`` each.
        only: Ids of the rules that matter; empty means those that ``settings`` name, or all.
    """

    rules: SceneRules | None = None
    settings: Sequence[str] = ()
    only: Sequence[str] = ()


def question_of(
    camera_id: str,
    scene: SceneRules,
    tried: Tried,
    *,
    span: tuple[datetime, datetime],
    first: int = FIRST,
) -> Question:
    """Return the question that somebody asks.

    Args:
        camera_id: Whose tracks.
        scene: The camera's own zones, lines and rules.
        tried: To compare with them.
        span: First moment, and the one after the last.
        first: How many events are listed.

    Raises:
        ConfigError: A rule is not there, or makes no sense as it is set.
    """
    present = with_defaults(scene)
    changes = [_change(text) for text in tried.settings]
    other = present if tried.rules is None else with_defaults(tried.rules)
    other = _changed(other, changes)
    make_rules(other)
    known = {rule.rule_id for rule in (*present.rules, *other.rules)}
    named = {rule_id for rule_id, _, _ in changes} if tried.rules is None else set()
    wanted = set(tried.only) or named
    if unknown := sorted(wanted - known):
        raise ConfigError(f"there is no rule {unknown[0]!r}; there are {sorted(known) or 'none'}")
    return Question(
        camera_id=camera_id,
        now=_narrowed(present, wanted),
        tried=_narrowed(other, wanted),
        start=span[0],
        end=span[1],
        first=first,
    )


def rules_named(settings: Sequence[str]) -> set[str]:
    """Return the ids of the rules that settings change. Raises ConfigError."""
    return {_change(text)[0] for text in settings}


def answer(
    question: Question,
    tester: BackTester,
    *,
    time_zone: tzinfo,
    tick: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Return what would have fired, JSON-ready; days are the site's."""
    scenes = [question.tried]
    if question.now != question.tried:
        scenes.append(question.now)
    test = tester.ask(question.camera_id, scenes, start=question.start, end=question.end, tick=tick)
    return _report(test, question, time_zone)


def _report(test: BackTest, question: Question, time_zone: tzinfo) -> dict[str, Any]:
    kept = test.kept
    tried = _Told(test.outcomes[0], time_zone)
    now = _Told(test.outcomes[1], time_zone) if len(test.outcomes) > 1 else None
    rule_ids = [
        *tried.rules,
        *(name for name in (now.rules if now else ()) if name not in tried.rules),
    ]
    return {
        "camera": test.camera_id,
        "from": rfc3339(test.start),
        "to": rfc3339(test.end),
        "first_frame_at": rfc3339(kept.first_at),
        "last_frame_at": rfc3339(kept.last_at),
        "watched_s": round(kept.watched_s, 1),
        "frames": kept.frames,
        "points": kept.points,
        "forced_cuts": kept.forced_cuts,
        "damaged": [{"file": one.file, "reason": one.reason} for one in kept.damaged],
        "is_compared": now is not None,
        "incidents": len(tried.outcome.incidents),
        **({} if now is None else {"incidents_now": len(now.outcome.incidents)}),
        "rules": [_rule_row(rule_id, tried, now) for rule_id in rule_ids],
        "first": tried.listed(question.first),
    }


class _Told:
    """One outcome, counted by rule and day."""

    def __init__(self, outcome: Outcome, time_zone: tzinfo) -> None:
        self.outcome = outcome
        self.rules: dict[str, RuleOutcome] = {one.settings.rule_id: one for one in outcome.rules}
        self._incident_of = {
            event_id: one.incident_id for one in outcome.incidents for event_id in one.event_ids
        }
        self._time_zone = time_zone
        self._incidents: dict[str, Counter[str]] = {name: Counter() for name in self.rules}
        rule_of = {e.event_id: name for name, rule in self.rules.items() for e in rule.events}
        for one in outcome.incidents:
            for name in {rule_of[known] for known in one.event_ids if known in rule_of}:
                self._incidents[name][self._day(one.decisive_at)] += 1

    def events(self, rule_id: str) -> Counter[str]:
        """Return a rule's events by day."""
        rule = self.rules.get(rule_id)
        return Counter(self._day(event.at) for event in rule.events) if rule else Counter()

    def incidents(self, rule_id: str) -> Counter[str]:
        """Return the incidents that a rule has part in, by day."""
        return self._incidents.get(rule_id, Counter())

    def listed(self, first: int) -> list[dict[str, Any]]:
        """Return the first events of all rules, in order of time."""
        events = sorted(
            (event for rule in self.outcome.rules for event in rule.events),
            key=lambda event: (event.at, event.rule_id, event.event_id),
        )
        return [
            {
                "at": rfc3339(event.at),
                "since": rfc3339(event.since_at),
                "rule": event.rule_id,
                "kind": event.kind.value,
                "severity": event.severity.value,
                "track": event.track_id,
                "place": event.place,
                "value": round(event.value, 3),
                "threshold": event.threshold,
                "sigma": round(event.sigma, 4),
                "unit": event.unit,
                "incident": self._incident_of.get(event.event_id),
            }
            for event in events[:first]
        ]

    def _day(self, at: datetime) -> str:
        return f"{at.astimezone(self._time_zone):%Y-%m-%d}"


def _rule_row(rule_id: str, tried: _Told, now: _Told | None) -> dict[str, Any]:
    rule = tried.rules.get(rule_id) or (now.rules[rule_id] if now else tried.rules[rule_id])
    row: dict[str, Any] = {
        "rule": rule_id,
        "kind": rule.settings.kind.value,
        "severity": rule.settings.severity.value,
        "quiet": rule.settings.is_quiet,
    }
    if rule.why_not:
        return {**row, "not_replayed": rule.why_not}
    counts = {"events": tried.events(rule_id), "incidents": tried.incidents(rule_id)}
    if now is not None:
        counts["events_now"] = now.events(rule_id)
        counts["incidents_now"] = now.incidents(rule_id)
    days = sorted(set().union(*counts.values()))
    return {
        **row,
        **{name: counted.total() for name, counted in counts.items()},
        "days": [
            {"day": day, **{name: counted[day] for name, counted in counts.items()}} for day in days
        ],
    }


def _change(text: str) -> tuple[str, str, object]:
    """Return rule, name and value of ``rule.name=value``."""
    target, equals, value = text.partition("=")
    rule_id, dot, name = target.strip().partition(".")
    if not (equals and dot and rule_id and name):
        raise ConfigError(
            f"--set {text[:80]!r}: must read rule.name=value, for instance loiter.threshold_s=60"
        )
    value = value.strip()
    if name in ("enabled", "quiet"):
        if value not in ("true", "false"):
            raise ConfigError(f"--set {text[:80]!r}: {name} is true or false")
        return rule_id, name, value == "true"
    if name in ("labels", "schedule"):
        return rule_id, name, [part.strip() for part in value.split(",") if part.strip()]
    if name in ("zone", "line", "severity"):
        return rule_id, name, value
    try:
        return rule_id, name, json.loads(value, parse_constant=str)
    except ValueError:
        return rule_id, name, value


def _changed(scene: SceneRules, changes: Sequence[tuple[str, str, object]]) -> SceneRules:
    if not changes:
        return scene
    document: dict[str, Any] = dump_rules(scene)
    entries: Mapping[str, dict[str, Any]] = {entry["id"]: entry for entry in document["rules"]}
    for rule_id, name, value in changes:
        if rule_id not in entries:
            raise ConfigError(
                f"--set {rule_id}.{name}: there is no rule {rule_id!r}; "
                f"there are {sorted(entries) or 'none'}"
            )
        entry = entries[rule_id]
        (entry if name in _FIELDS else entry["params"])[name] = value
    return SceneRulesParser("--set").parse(document)


def _narrowed(scene: SceneRules, wanted: set[str]) -> SceneRules:
    """Leave out all rules but those wanted, what they hear and what hears them."""
    if not wanted:
        return scene
    kept = set(wanted)
    for rule in scene.rules:
        kept |= {rule.rule_id} if kept & _heard(rule) else set()
    for rule in reversed(scene.rules):
        kept |= _heard(rule) if rule.rule_id in kept else set()
    return replace(scene, rules=tuple(rule for rule in scene.rules if rule.rule_id in kept))


def _heard(rule: RuleSettings) -> set[str]:
    if rule.kind is not RuleKind.SEQUENCE:
        return set()
    return {str(rule.params[name]) for name in ("first", "then") if name in rule.params}
