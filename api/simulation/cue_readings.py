"""All cues of a simulated scene: what they would have said of each frame."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from api.simulation.body_readings import BodyReadings
from api.simulation.glance import Glance
from api.simulation.patch_readings import PatchReadings, ViewReadings
from api.simulation.scuffle_readings import ScuffleReadings
from api.simulation.thing_readings import ThingReadings
from contracts.rules import RuleKind
from moe_core.training.world.scene import Scene
from vision.cues.body import Body
from vision.cues.port import Cues
from vision.cues.seen import FlamesSeen, SmokeSeen, ThingsSeen
from vision.cues.tampering import ViewReading

_THINGS = (RuleKind.ABANDONED, RuleKind.REMOVED)


class _Owning(Protocol):
    """Knows what its regions truly are."""

    owners: dict[str, str]


class SimulatedCues:
    """Reads what the scene's story says about things that no box shows.

    Attributes:
        owners: For each region, what it truly is; empty where nothing is.
        bodies: For each body that the last frame showed, whom its find was of.
    """

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        self.bodies: dict[str, str] = {}
        cues = list(enumerate(scene.cues))
        self._scuffles = [
            ScuffleReadings(cue, rng, number=number + 1)
            for number, cue in cues
            if cue.kind is RuleKind.FIGHT
        ]
        self._things = [
            ThingReadings(cue, rng, number=number) for number, cue in cues if cue.kind in _THINGS
        ]
        self._flames = [
            PatchReadings(cue, rng, number=number)
            for number, cue in cues
            if cue.kind is RuleKind.FIRE
        ]
        self._smoke = [
            PatchReadings(cue, rng, number=number)
            for number, cue in cues
            if cue.kind is RuleKind.SMOKE
        ]
        self._views = [
            ViewReadings(cue, rng, number=number)
            for number, cue in cues
            if cue.kind is RuleKind.TAMPER
        ]
        has_falls = any(cue.kind is RuleKind.FALL for cue in scene.cues)
        self._bodies = BodyReadings(scene, rng) if has_falls else None

    @property
    def owners(self) -> dict[str, str]:
        """For each region, what it truly is."""
        found: dict[str, str] = {}
        groups: tuple[Sequence[_Owning], ...] = (
            self._scuffles, self._things, self._flames, self._smoke, self._views,
        )  # fmt: skip
        for group in groups:
            for one in group:
                found.update(one.owners)
        return found

    def look(self, glance: Glance) -> Cues:
        """Return what all cues say of the frame."""
        scuffles = [one.look(glance) for one in self._scuffles]
        things = [one.look(glance) for one in self._things]
        flames = [one.flame(glance) for one in self._flames]
        smoke = [one.smoke(glance) for one in self._smoke]
        views = [view for one in self._views if (view := one.look(glance)) is not None]
        bodies: tuple[Body, ...] = ()
        if self._bodies is not None:
            bodies, self.bodies = self._bodies.look(glance)
        return Cues(
            bodies=bodies,
            things=ThingsSeen(
                things=tuple(thing for one in things for thing in one.things),
                removals=tuple(removal for one in things for removal in one.removals),
            ),
            flames=FlamesSeen(flames=tuple(one for one in flames if one is not None)),
            smoke=SmokeSeen(smoke=tuple(one for one in smoke if one is not None)),
            view=views[0] if views else ViewReading(),
            scuffles=tuple(one for one in scuffles if one is not None),
        )
