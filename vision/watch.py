"""A camera's rules at work: what they say of each frame, and who is where they watch."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, SceneRules
from vision.observation import Observation
from vision.rules.registry import make_rules, remake_rules
from vision.rules.rule import Rule
from vision.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the rules made of one frame.

    Attributes:
        events: What they said, without what quiet rules said.
        present: For each rule id, the ids of those who are where it watches (``Rule.present``).
        arrived: Ids of those who are where any rule watches, and were not in the frame before.
    """

    events: tuple[RuleEvent, ...]
    present: Mapping[str, frozenset[str]]
    arrived: frozenset[str]


class Watch:
    """The rules of one camera, across runs, hours and changes of the configuration.

    Outside its hours a rule sees nothing. When they begin it begins anew and sees what the tracks
    have done so far: who stays where nobody may be from then on is reported at once, but what was
    over before (a crossing, an entry, an exit) is nobody's news.

    Sequences are asked last, in the order of the settings, and hear what was said before them.

    Args:
        scene: With its rules.
        time_zone: Of the site; None where nobody knows the time of day, then all hours count.

    Raises:
        ConfigError: A rule's params are wrong; the message names them.
    """

    def __init__(self, scene: SceneRules, *, time_zone: tzinfo | None = UTC) -> None:
        self._scene = scene
        self._time_zone = time_zone
        self._rules = _in_turn(make_rules(scene))
        self._schedules = self._make_schedules()
        self._off: set[str] = set()
        self._since_s: dict[str, float] = {}
        self._present: frozenset[str] = frozenset()

    def begin_run(self) -> None:
        """Forget every state: stream time and tracks begin anew."""
        self._rules = _in_turn(make_rules(self._scene))
        self._off = set()
        self._since_s = {}
        self._present = frozenset()

    def reconfigure(self, scene: SceneRules, *, now_s: float) -> None:
        """Take up changed rules; unchanged ones go on.

        A rule that is new sees what the tracks have done so far, except for what was over in an
        instant (an entry, too): what was before the change is nobody's news.

        Raises:
            ConfigError: A rule's params are wrong; everything stays as it was.
        """
        rules, fresh = remake_rules(self._rules, self._scene, scene)
        self._rules = _in_turn(rules)
        self._since_s.update(dict.fromkeys(fresh, now_s))
        self._scene = scene
        self._schedules = self._make_schedules()

    def look(self, seen: Observation) -> Watched:
        """Ask every rule about the frame."""
        events: list[RuleEvent] = []
        present: dict[str, frozenset[str]] = {}
        stated: list[RuleEvent] = []
        self._keep_hours(seen)
        told = replace(seen, stated=())
        for rule in self._rules:
            settings = rule.settings
            if settings.rule_id in self._off:
                present[settings.rule_id] = frozenset()
                continue
            said = rule.update(told)
            news = [event for event in said if self._is_news(event)]
            if news:
                stated += news
                told = replace(seen, stated=tuple(stated))
            events += () if settings.is_quiet else news
            present[settings.rule_id] = rule.present()
        everywhere: frozenset[str] = frozenset().union(*present.values())
        arrived, self._present = everywhere - self._present, everywhere
        return Watched(events=tuple(events), present=present, arrived=arrived)

    def _keep_hours(self, seen: Observation) -> None:
        """Switch rules off where their hours end, and make them anew where they begin."""
        for index, rule in enumerate(self._rules):
            rule_id = rule.settings.rule_id
            if self._schedules[rule_id].is_on(seen.header.captured_at):
                if rule_id in self._off:
                    self._rules[index] = self._made_anew(rule)
                    self._since_s[rule_id] = seen.header.monotonic_s
                    self._off.discard(rule_id)
            else:
                self._off.add(rule_id)

    def _made_anew(self, rule: Rule) -> Rule:
        made = make_rules(self._scene)
        return next(one for one in made if one.settings.rule_id == rule.settings.rule_id)

    def _make_schedules(self) -> dict[str, Schedule]:
        return {
            rule.settings.rule_id: Schedule(rule.settings, time_zone=self._time_zone)
            for rule in self._rules
        }

    def _is_news(self, event: RuleEvent) -> bool:
        if not event.kind.is_instant and event.kind is not RuleKind.ZONE_ENTRY:
            return True
        return event.since_s >= self._since_s.get(event.rule_id, float("-inf"))


def _in_turn(rules: list[Rule]) -> list[Rule]:
    """Return the rules in the order in which they are asked: sequences last."""
    return sorted(rules, key=lambda rule: rule.settings.kind is RuleKind.SEQUENCE)
