"""What the cues ``flames``, ``smoke`` and ``view`` would have said of parts of the picture."""

from dataclasses import replace

import numpy as np

from api.simulation.glance import Glance, Wander, jittered
from contracts.geometry import Box
from contracts.rules import RuleKind
from contracts.tracks import Track, TrackState
from moe_core.training.world.cue_script import CueScript
from moe_core.training.world.stories_of_pictures import scaled
from vision.cues.regions import RegionLife, region_id
from vision.cues.seen import Flame, Smoke
from vision.cues.tampering import Tampering, ViewReading
from vision.cues.view import SURE_S

_FOUND_S = (0.4, 1.4)
_GONE_S = 1.5
_RISES_S = 5.0
_SPREAD = 0.07
_BEFORE_S = 0.2


class PatchReadings:
    """One place that flickers or is veiled."""

    def __init__(self, cue: CueScript, rng: np.random.Generator, *, number: int) -> None:
        self.owners: dict[str, str] = {}
        self._cue = cue
        self._rng = rng
        self._number = number
        self._wander = Wander(rng, persistence_s=2.0)
        self._found_s = cue.start_s + float(rng.uniform(*_FOUND_S))
        self._seen = float(rng.uniform(0.7, 1.0) if cue.is_real else rng.uniform(0.5, 1.0))
        self._kept = float(rng.uniform(0.3, 0.75) if cue.is_real else rng.uniform(0.4, 0.9))
        self._is_blinking = cue.what == "lamp" and bool(rng.random() < 0.4)
        self._is_at_foot = cue.is_real or bool(rng.random() < 0.75)
        self._life: RegionLife | None = None
        self._last_s = 0.0
        self._is_over = False

    def flame(self, glance: Glance) -> Flame | None:
        """Return the fire of the frame, if there is any."""
        value = self._value(glance)
        track = self._followed(glance, "f", "fire", value)
        if track is None:
            return None
        return Flame(track=track, flicker=value, is_blinking=self._is_blinking)

    def smoke(self, glance: Glance) -> Smoke | None:
        """Return the smoke of the frame, if there is any."""
        value = self._value(glance)
        rising = min(1.0, 0.45 + 0.55 * (glance.now_s - self._cue.start_s) / _RISES_S)
        likelihood = min(0.99, max(0.0, value * rising))
        track = self._followed(glance, "k", "smoke", likelihood)
        if track is None:
            return None
        return Smoke(
            track=track,
            likelihood=likelihood,
            sigma=0.04 + 0.3 * likelihood * (1 - likelihood),
            kept=self._kept,
            grown=max(1.0, self._grown(glance)),
            is_at_foot=self._is_at_foot,
        )

    def _value(self, glance: Glance) -> float:
        step_s, self._last_s = glance.now_s - self._last_s, glance.now_s
        return min(0.99, max(0.01, self._cue.level + _SPREAD * self._wander.step(step_s)))

    def _grown(self, glance: Glance) -> float:
        share = (glance.now_s - self._cue.start_s) / max(0.1, self._cue.end_s - self._cue.start_s)
        return 1 + (self._cue.grown - 1) * min(1.0, max(0.0, 1.6 * share))

    def _followed(self, glance: Glance, letter: str, label: str, value: float) -> Track | None:
        cue, header = self._cue, glance.header
        if self._is_over or glance.now_s < self._found_s or cue.box is None:
            return None
        box = jittered(scaled(cue.box, self._grown(glance)), self._rng, share=0.05)
        if self._life is None:
            name = region_id(letter, header, self._number)
            self.owners[name] = cue.object_ids[0] if cue.object_ids else ""
            self._life = RegionLife(
                name, label=label, headers=[header], box=box, confidence=value,
                since_s=cue.start_s,
            )  # fmt: skip
        elif glance.now_s > cue.end_s + _GONE_S:
            self._life.end(header)
            self._is_over = True
        elif glance.now_s <= cue.end_s and self._rng.random() < self._seen:
            self._life.see(header, box=box, confidence=value)
        else:
            self._life.miss(header)
        return self._life.snapshot()


class ViewReadings:
    """A camera that is blinded, or seems to be."""

    def __init__(self, cue: CueScript, rng: np.random.Generator, *, number: int) -> None:
        self.owners: dict[str, str] = {}
        self._cue = cue
        self._rng = rng
        self._number = number
        self._cause = Tampering(cue.what)
        self._wander = Wander(rng, persistence_s=1.0)
        self._life: RegionLife | None = None
        self._last_s = 0.0
        self._is_over = False

    def look(self, glance: Glance) -> ViewReading | None:
        """Return what is wrong with the view in the frame, if anything is."""
        cue, header = self._cue, glance.header
        step_s, self._last_s = glance.now_s - self._last_s, glance.now_s
        off = self._wander.step(step_s)
        if self._is_over or glance.now_s < cue.start_s:
            return None
        gone = min(1.0, max(0.0, cue.level + 0.03 * off))
        whole: Box = (0.0, 0.0, 1.0, 1.0)
        if self._life is None:
            name = f"rv{self._number + 1}"
            self.owners[name] = cue.object_ids[0] if cue.object_ids else ""
            self._life = RegionLife(
                name, label=self._cause.label, headers=[header], box=whole, confidence=gone
            )
        elif glance.now_s > cue.end_s:
            self._life.end(header)
            self._is_over = True
            return ViewReading(region=self._life.snapshot())
        else:
            self._life.see(header, box=whole, confidence=gone)
        since_s = cue.start_s - _BEFORE_S
        is_sure = glance.now_s - since_s >= SURE_S
        state = TrackState.CONFIRMED if is_sure else TrackState.TENTATIVE
        return ViewReading(
            cause=self._cause,
            gone=gone,
            sigma=0.02 + 0.06 * gone * (1 - gone),
            since_s=since_s,
            region=replace(self._life.snapshot(), state=state),
        )


def is_patch(kind: RuleKind) -> bool:
    """Say whether a kind is about a part of the picture that flickers or is veiled."""
    return kind in (RuleKind.FIRE, RuleKind.SMOKE)
