"""What the cue ``scuffle`` would have said of people who fight, and of those who only seem to."""

import math

import numpy as np

from api.simulation.glance import Glance, Wander, jittered
from contracts.geometry import Box
from contracts.tracks import TrackState
from moe_core.training.world.cue_script import CueScript
from vision.boxes import overlap
from vision.cues.regions import RegionLife
from vision.cues.scuffle import CALM_S, FOLLOWED_FROM, LABEL
from vision.cues.scuffle_reading import Likelihood, Scuffle

_LEAD_S = 0.6
_SPREAD = 0.9
"""Of the likelihood's logit about its level, while it lasts."""
_CALM = -3.5
_TAKES_PART = 0.3


class ScuffleReadings:
    """One place where people may be fighting.

    The likelihood wanders about the level that the story gives; levels of fights and of
    look-alikes overlap as those of labelled clips do (docs/results/fights.md).
    """

    def __init__(self, cue: CueScript, rng: np.random.Generator, *, number: int) -> None:
        self.owners: dict[str, str] = {}
        self._cue = cue
        self._rng = rng
        self._number = number
        self._wander = Wander(rng, persistence_s=1.2)
        self._life: RegionLife | None = None
        self._restless_s = -math.inf
        self._value = 0.0
        self._last_s = 0.0

    def look(self, glance: Glance) -> Scuffle | None:
        """Return what there is to be said of the frame."""
        step_s, self._last_s = glance.now_s - self._last_s, glance.now_s
        wander = self._wander.step(step_s)
        box = self._place(glance)
        is_on = self._cue.start_s + _LEAD_S <= glance.now_s <= self._cue.end_s + _LEAD_S
        logit = (self._cue.level if is_on and box is not None else _CALM) + _SPREAD * wander
        value = 1 / (1 + math.exp(-logit))
        if self._life is None:
            if value < FOLLOWED_FROM or box is None:
                return None
            name = f"rs{self._number}"
            self._life = RegionLife(
                name, label=LABEL, headers=[glance.header], box=box, confidence=value
            )
            self.owners[name] = self._cue.object_ids[0] if self._cue.object_ids else ""
        elif box is None:
            self._life.miss(glance.header)
        else:
            self._life.see(glance.header, box=box, confidence=value)
        if value >= FOLLOWED_FROM:
            self._restless_s = glance.now_s
        if glance.now_s - self._restless_s > CALM_S:
            self._life.end(glance.header)
        region = self._life.snapshot()
        if region.state is TrackState.ENDED:
            self._life = None
            self._number += 10
        place = region.last.box
        people = tuple(
            track.track_id
            for track in glance.tracks
            if track.state is TrackState.CONFIRMED
            and track.label in ("person", "object")
            and overlap(track.last.box, place) >= _TAKES_PART
        )
        sigma = 0.05 + 0.6 * value * (1 - value)
        return Scuffle(region=region, likelihood=Likelihood(value, sigma), people=people)

    def _place(self, glance: Glance) -> Box | None:
        """Return where it stirs: around all who take part and are in view."""
        if self._cue.box is not None:
            return jittered(self._cue.box, self._rng, share=0.08)
        near = [
            box for name in self._cue.object_ids[:3] if (box := glance.box_of(name)) is not None
        ]
        if not near or not self._cue.start_s <= glance.now_s <= self._cue.end_s + 2:
            return None
        sides = np.array(near)
        low, high = sides[:, :2].min(axis=0), sides[:, 2:].max(axis=0)
        around = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        return jittered(around, self._rng, share=0.06)
