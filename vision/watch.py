"""A camera's rules at work: what they say of each frame, and who is where they watch."""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.incidents import RuleEvent
from contracts.rules import SceneRules
from vision.observation import Observation
from vision.rules.registry import make_rules, remake_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the rules made of one frame.

    Attributes:
        events: What they said.
        present: For each rule id, the ids of those who are where it watches (``Rule.present``).
        arrived: Ids of those who are where any rule watches, and were not in the frame before.
    """

    events: tuple[RuleEvent, ...]
    present: Mapping[str, frozenset[str]]
    arrived: frozenset[str]


class Watch:
    """The rules of one camera, across runs and changes of the configuration.

    Raises:
        ConfigError: A rule's params are wrong; the message names them.
    """

    def __init__(self, scene: SceneRules) -> None:
        self._scene = scene
        self._rules = make_rules(scene)
        self._since_s: dict[str, float] = {}
        self._present: frozenset[str] = frozenset()

    def begin_run(self) -> None:
        """Forget every state: stream time and tracks begin anew."""
        self._rules = make_rules(self._scene)
        self._since_s = {}
        self._present = frozenset()

    def reconfigure(self, scene: SceneRules, *, now_s: float) -> None:
        """Take up changed rules; unchanged ones go on.

        A rule that is new sees what the tracks have done so far, except for conditions of an
        instant: those before the change are nobody's news.

        Raises:
            ConfigError: A rule's params are wrong; everything stays as it was.
        """
        self._rules, fresh = remake_rules(self._rules, self._scene, scene)
        self._since_s.update(dict.fromkeys(fresh, now_s))
        self._scene = scene

    def look(self, seen: Observation) -> Watched:
        """Ask every rule about the frame."""
        events: list[RuleEvent] = []
        present: dict[str, frozenset[str]] = {}
        for rule in self._rules:
            events += [event for event in rule.update(seen) if self._is_news(event)]
            present[rule.settings.rule_id] = rule.present()
        everywhere: frozenset[str] = frozenset().union(*present.values())
        arrived, self._present = everywhere - self._present, everywhere
        return Watched(events=tuple(events), present=present, arrived=arrived)

    def _is_news(self, event: RuleEvent) -> bool:
        if not event.kind.is_instant:
            return True
        return event.since_s >= self._since_s.get(event.rule_id, float("-inf"))
