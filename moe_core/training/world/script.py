"""What stories write with: zones and lines on the ground that is seen, people, ghosts, rules."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from contracts.geometry import Box, Line, Point, Zone
from contracts.rules import RuleKind, RuleSettings, SceneRules, Severity
from moe_core.training.world.actors import PERSON, SIZES_M, Actor, Blind, Pose, Way
from moe_core.training.world.cue_script import CueScript
from moe_core.training.world.site import Site

_TRIES: Final = 60
_ZONE_NAMES: Final = ("Loading dock", "Yard", "Back entrance", "Server room", "Parking bay", "")
_LINE_NAMES: Final = ("Gate", "Fence", "Door", "Kerb", "")
_SEVERITIES: Final = (Severity.LOW, Severity.MEDIUM, Severity.HIGH)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueEvent:
    """Something that rules should tell: its kind, who does it, and when at the earliest."""

    kind: RuleKind
    object_id: str
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """A change of the light: how much of the full range, and over how long."""

    at_s: float
    change: float
    lasts_s: float = 0.6


@dataclass(slots=True, kw_only=True)
class Script:
    """A scene as it is being written.

    Attributes:
        blinded: From when to when the camera sees nothing of the scene.
        upsets: When so large a share of the picture changes at once.
        begins_s: When the camera begins to look.
    """

    rng: np.random.Generator
    site: Site
    seconds: float
    actors: list[Actor] = field(default_factory=list)
    blinds: list[Blind] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    rules: list[RuleSettings] = field(default_factory=list)
    events: list[TrueEvent] = field(default_factory=list)
    lights: list[Light] = field(default_factory=list)
    cues: list[CueScript] = field(default_factory=list)
    blinded: list[tuple[float, float]] = field(default_factory=list)
    upsets: list[tuple[float, float]] = field(default_factory=list)
    begins_s: float = 0.0

    def scene_rules(self) -> SceneRules:
        """Return the camera's configuration."""
        return SceneRules(
            zones=tuple(self.zones),
            lines=tuple(self.lines),
            rules=tuple(self.rules),
            calibration=self.site.calibration,
        )

    # Chance.

    def between(self, low: float, high: float) -> float:
        """Return a number between two."""
        return float(self.rng.uniform(low, high))

    def chance(self, share: float) -> bool:
        """Say yes so often."""
        return bool(self.rng.random() < share)

    def pick(self, *words: str) -> str:
        """Return one of the words."""
        return words[int(self.rng.integers(len(words)))]

    # Places.

    def zone(self, *, size: float = 1.0) -> Zone:
        """Add a zone where people can walk."""
        rng, view = self.rng, self.site.view
        top = view.foot(0.0, self.site.far_m)[1]
        high = min(0.22, 0.45 * (0.93 - top)) * size * self.between(0.6, 1.0)
        wide = self.between(0.12, 0.26) * size
        x = self.between(0.04 + wide, 0.96 - wide) if wide < 0.45 else 0.5
        y = self.between(min(top + high, 0.7), max(0.93 - high, top + high + 0.01))
        count = int(rng.integers(4, 7))
        turns = (np.arange(count) + rng.uniform(-0.25, 0.25, count)) / count + rng.random()
        reach = rng.uniform(0.75, 1.1, count)
        polygon = tuple(
            (
                float(np.clip(x + wide * far * math.cos(math.tau * turn), 0.005, 0.995)),
                float(np.clip(y + high * far * math.sin(math.tau * turn), top, 0.99)),
            )
            for turn, far in zip(turns, reach, strict=True)
        )
        zone = Zone(
            zone_id=f"zone{len(self.zones) + 1}",
            polygon=polygon,
            name=self.pick(*_ZONE_NAMES),
            is_restricted=self.chance(0.5),
        )
        self.zones.append(zone)
        return zone

    def line(self) -> Line:
        """Add a line that people can cross."""
        top = self.site.view.foot(0.0, self.site.far_m)[1]
        high = top + 0.45 * (0.95 - top)
        middle = (self.between(0.3, 0.7), self.between(high, max(0.8, high)))
        turn, half = self.between(0, math.tau), self.between(0.12, 0.25)
        across, down = half * math.cos(turn), 0.7 * half * math.sin(turn)
        points = [
            (middle[0] - across, middle[1] - down),
            middle,
            (middle[0] + across, middle[1] + down),
        ]
        if self.chance(0.7):
            del points[1]
        else:
            points[1] = (middle[0] + self.between(-0.02, 0.02), middle[1] + 0.01)
        kept = tuple((min(0.97, max(0.03, x)), min(0.97, max(top, y))) for x, y in points)
        line = Line(line_id=f"line{len(self.lines) + 1}", points=kept, name=self.pick(*_LINE_NAMES))
        self.lines.append(line)
        return line

    def rule(
        self,
        kind: RuleKind,
        *,
        zone: Zone | None = None,
        line: Line | None = None,
        labels: Sequence[str] = (),
        params: Mapping[str, float | str] | None = None,
    ) -> RuleSettings:
        """Add a rule."""
        settings = RuleSettings(
            rule_id=f"{kind.value.replace('_', '-')}-{len(self.rules) + 1}",
            kind=kind,
            zone_id="" if zone is None else zone.zone_id,
            line_id="" if line is None else line.line_id,
            labels=tuple(labels),
            params=dict(params or {}),
            severity=_SEVERITIES[int(self.rng.integers(len(_SEVERITIES)))],
        )
        self.rules.append(settings)
        return settings

    def depth_in(self, zone: Zone, least: float, most: float = 1.0) -> Point:
        """Return a place of the ground so deep in a zone (outside it, if negative)."""
        best, best_miss = None, math.inf
        xs, ys = zip(*zone.polygon, strict=True)
        margin = max(0.02, -1.2 * least)
        for _ in range(_TRIES):
            point = (
                self.between(max(0.01, min(xs) - margin), min(0.99, max(xs) + margin)),
                self.between(max(0.05, min(ys) - margin), min(0.985, max(ys) + margin)),
            )
            depth = zone.depth(point)
            miss = max(least - depth, depth - most, 0.0)
            place = self.site.view.ground(point)
            if place is None or place[1] > 1.3 * self.site.far_m:
                continue
            if miss < best_miss:
                best, best_miss = place, miss
            if miss == 0:
                break
        return best if best is not None else self.anywhere()

    def inside(self, zone: Zone) -> Point:
        """Return a place of the ground well inside a zone."""
        return self.depth_in(zone, 0.02)

    def anywhere(self, *, avoid: Sequence[Zone] = ()) -> Point:
        """Return a place of the ground that is seen, outside the zones if that can be."""
        place = (0.0, self.site.near_m)
        for _ in range(_TRIES):
            z = self.between(self.site.near_m + 0.5, self.site.far_m)
            place = (self.between(-0.85, 0.85) * self.site.view.half_width_m(z), z)
            foot = self.site.view.foot(*place)
            if all(zone.depth(foot) < -0.03 for zone in avoid):
                break
        return place

    def beyond(self, z: float | None = None, *, side: int | None = None) -> Point:
        """Return a place just out of the picture, left or right."""
        far = self.site.far_m
        z = self.between(self.site.near_m + 1.0, far) if z is None else min(z, far)
        z = max(z, self.site.near_m + 0.5)
        sign = (1 if self.chance(0.5) else -1) if side is None else side
        return (sign * (self.site.view.half_width_m(z) + 0.6), z)

    def leads_through(self, start: Point, end: Point, zones: Sequence[Zone]) -> bool:
        """Say whether somebody who goes straight from one place to another passes a zone."""
        for share in np.linspace(0, 1, 24).tolist():
            place = (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
            foot = self.site.view.foot(*place)
            if any(zone.depth(foot) > -0.02 for zone in zones):
                return True
        return False

    # Who is there.

    def walk(self, start: Point | None = None, *, at_s: float = 0.0, pace: float = 0.0) -> Way:
        """Begin a way, from out of the picture unless said otherwise."""
        way = Way(rng=self.rng, pace=pace or self.between(0.9, 1.6))
        return way.start(self.beyond() if start is None else start, at_s)

    def add(  # noqa: PLR0913  # an actor is wide; this is the one place that makes one
        self,
        way: Way,
        *,
        label: str = PERSON,
        called: str = "",
        poses: Sequence[Pose] = (),
        is_ghost: bool = False,
        sway_m: float = 0.05,
        shown: float = 1.0,
        doubt: float = 0.0,
        size: float = 1.0,
    ) -> Actor:
        """Let somebody, or something, go that way."""
        tall, wide = SIZES_M[label]
        actor = Actor(
            object_id=f"o{len(self.actors) + 1}",
            label=label,
            called=called or label,
            tall_m=self.between(*tall) * size,
            wide_m=self.between(*wide) * size,
            way=way,
            poses=tuple(poses),
            is_ghost=is_ghost,
            sway_m=sway_m,
            shown=shown,
            doubt=doubt,
        )
        self.actors.append(actor)
        return actor

    def ghost(
        self, place: Point, *, at_s: float, lasts_s: float, called: str = "", size: float = 0.0
    ) -> Actor:
        """Let a branch, a shadow or a reflection look like somebody, now and then."""
        way = self.walk(place, at_s=at_s).wait(lasts_s)
        return self.add(
            way,
            called=called or self.pick("person", "person", "object", "dog"),
            is_ghost=True,
            sway_m=self.between(0.05, 0.6),
            shown=self.between(0.6, 1.0),
            doubt=self.between(0.0, 2.0),
            size=size or self.between(0.4, 1.2),
        )

    def patch(self, label: str, *moments: tuple[float, Box]) -> Actor:
        """Add what is a part of the picture: fire, smoke, the view itself."""
        nowhere = Way(rng=self.rng, pace=1.0).start((0.0, self.site.near_m), moments[0][0])
        actor = Actor(
            object_id=f"o{len(self.actors) + 1}",
            label=label,
            called=label,
            tall_m=0.0,
            wide_m=0.0,
            way=nowhere.wait(moments[-1][0] - moments[0][0]),
            fixed=moments,
        )
        self.actors.append(actor)
        return actor

    def expect(self, kind: RuleKind, actor: Actor, at_s: float) -> None:
        """Note that rules should tell of this, before the scene ends."""
        self.seconds = max(self.seconds, at_s + 3.0)
        self.events.append(TrueEvent(kind=kind, object_id=actor.object_id, at_s=at_s))
