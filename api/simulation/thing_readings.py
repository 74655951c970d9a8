"""What the cue ``things`` would have said of what is left and taken, and of patches of light."""

import math
from collections import deque

import numpy as np

from api.simulation.glance import Glance, jittered
from contracts.frames import FrameHeader
from contracts.geometry import Box
from contracts.rules import RuleKind
from contracts.tracks import Track
from moe_core.training.world.cue_script import CueScript
from vision.boxes import share_within
from vision.cues.company import Company
from vision.cues.regions import RegionLife, region_id
from vision.cues.seen import Removal, Thing, ThingsSeen

FOUND_S = (1.0, 2.5)
"""A thing that stands still is told of after so long without anybody before it."""
GONE_S = 1.0
SETTLE_S = 4.0
STILL_HERE_S = 1.0
TOLD_S = 2.0
REACH_BEFORE_S = 2.0
REACH_AFTER_S = 0.6
COVERED = 0.4
NAMED = 0.3
MISTAKEN = 0.45
"""Share of those who stop before a thing for long, for whom it is taken for gone."""
_LONG_AGO_S = 180.0


class ThingReadings:
    """One thing, or what looks like one, from when it comes to when it is gone."""

    def __init__(self, cue: CueScript, rng: np.random.Generator, *, number: int) -> None:
        self.owners: dict[str, str] = {}
        self._cue = cue
        self._rng = rng
        self._number = number
        self._company = Company()
        self._headers: deque[FrameHeader] = deque(maxlen=40)
        self._found_s = float(rng.uniform(*FOUND_S))
        self._label = "bag" if rng.random() < NAMED else "object"
        self._is_mistaken = cue.what != "covered" or bool(rng.random() < MISTAKEN)
        self._box: Box | None = None
        self._uncovered_s = 0.0
        self._last_s = 0.0
        self._life: RegionLife | None = None
        self._owner_id: str | None = None
        self._removal: _Removal | None = None
        self._is_over = False

    def look(self, glance: Glance) -> ThingsSeen:
        """Return what there is to be said of the frame."""
        self._headers.append(glance.header)
        self._company.look(glance.tracks, glance.header)
        step_s, self._last_s = glance.now_s - self._last_s, glance.now_s
        box = self._place(glance)
        covered = max((share_within(box, body) for body in glance.bodies()), default=0.0)
        self._uncovered_s = 0.0 if covered > COVERED else self._uncovered_s + step_s
        things = self._standing(glance, box)
        removals = self._taking(glance, box)
        keep = {self._owner_id, self._removal.taker_id if self._removal else None} - {None}
        self._company.keep([name for name in keep if name is not None])
        return ThingsSeen(things=things, removals=removals)

    @property
    def _leaves(self) -> float:
        """When the thing is gone: never, of what is left."""
        return self._cue.end_s if self._cue.kind is RuleKind.REMOVED else math.inf

    def _place(self, glance: Glance) -> Box:
        if self._box is None:
            box = self._cue.box
            if box is None:
                row = glance.scene.index(self._cue.object_ids[1])
                seen = np.flatnonzero(glance.scene.in_view_AT[row])
                frame = int(seen[0]) if len(seen) else 0
                x1, y1, x2, y2 = glance.scene.boxes_AT4[row, frame].tolist()
                box = (x1, y1, max(x2, x1 + 0.005), max(y2, y1 + 0.005))
            self._box = jittered(box, self._rng, share=0.05)
        return self._box

    def _source(self) -> str:
        """Return what a region of it truly is."""
        return self._cue.object_ids[1] if len(self._cue.object_ids) > 1 else ""

    def _standing(self, glance: Glance, box: Box) -> tuple[Thing, ...]:
        """Follow it while it stands there; nothing of what had always stood there."""
        now_s, came_s = glance.now_s, self._cue.start_s
        is_of_ground = came_s < 0 or (self._cue.box is not None and self._cue.level > 0)
        if is_of_ground or self._is_over:
            return ()
        if self._life is None:
            ripe = now_s >= came_s + self._found_s and self._uncovered_s >= min(1.0, self._found_s)
            if not ripe or now_s >= self._leaves:
                return ()
            self._life = self._begun(glance, "t", box, since_s=came_s, seen_s=now_s - 0.8)
            self._owner_id = self._company.beside(
                box, start_s=came_s - REACH_BEFORE_S, end_s=came_s + REACH_AFTER_S
            )
        elif now_s >= self._leaves + GONE_S:
            self._life.end(glance.header)
            self._is_over = True
        elif self._uncovered_s > 0 and now_s < self._leaves:
            confidence = float(self._rng.uniform(0.75, 1.0))
            self._life.see(glance.header, box=box, confidence=confidence)
        else:
            self._life.miss(glance.header)
        return (self._thing(self._life.snapshot(), box),)

    def _thing(self, region: Track, box: Box) -> Thing:
        nearest = self._company.nearest(box)
        if self._owner_id is None:
            return Thing(track=region, nearest=nearest)
        self._owner_id = self._company.now_called(self._owner_id)
        owner = self._company.track(self._owner_id)
        if owner is None:
            return Thing(track=region, nearest=nearest)
        return Thing(
            track=region,
            owner=owner,
            owner_distance=self._company.distance(owner, box),
            is_owner_seen=owner.last.is_observed,
            nearest=nearest,
        )

    def _taking(self, glance: Glance, box: Box) -> tuple[Removal, ...]:
        """Follow the place where it was."""
        now_s, gone_s = glance.now_s, self._leaves
        if self._cue.what == "patch" and self._cue.kind is RuleKind.REMOVED:
            gone_s = self._cue.start_s
        if not self._is_mistaken or now_s < gone_s + GONE_S:
            return ()
        if self._removal is None:
            if self._uncovered_s < GONE_S and self._cue.what != "covered":
                return ()
            self._removal = self._removed(glance, box, gone_s)
        else:
            self._removal.life.see(glance.header, box=box, confidence=1.0)
        found = self._removal
        taker = None if found.taker_id is None else self._company.track(found.taker_id)
        is_here = taker is not None and now_s - taker.last_seen.monotonic_s <= STILL_HERE_S
        if found.settled_s is None and (not is_here or now_s - found.found_s >= SETTLE_S):
            found.settled_s = now_s
        if found.settled_s is not None and now_s - found.settled_s > TOLD_S:
            if found.is_told:
                return ()
            found.life.end(glance.header)
            found.is_told = True
        return (
            Removal(
                track=found.life.snapshot(),
                there_s=found.there_s,
                taker=taker,
                is_by_owner=found.is_by_owner,
                is_settled=found.settled_s is not None,
            ),
        )

    def _removed(self, glance: Glance, box: Box, gone_s: float) -> "_Removal":
        taker_id = self._company.beside(
            box, start_s=gone_s - REACH_BEFORE_S, end_s=gone_s + REACH_AFTER_S
        )
        known_s = self._life.since_s if self._life is not None else self._cue.start_s
        there_s = gone_s - known_s
        if self._cue.box is not None:
            there_s = self._cue.level
        elif self._life is None and known_s < 0:
            there_s = gone_s + float(self._rng.uniform(0, _LONG_AGO_S))
        owner_id = None if self._owner_id is None else self._company.now_called(self._owner_id)
        is_by_owner = (
            taker_id is not None
            and owner_id is not None
            and self._company.now_called(taker_id) == owner_id
        )
        life = self._begun(glance, "t", box, since_s=gone_s, seen_s=gone_s, number=30)
        return _Removal(
            life=life, there_s=there_s, taker_id=taker_id, is_by_owner=is_by_owner,
            found_s=glance.now_s,
        )  # fmt: skip

    def _begun(  # a region is wide
        self,
        glance: Glance,
        letter: str,
        box: Box,
        *,
        since_s: float,
        seen_s: float,
        number: int = 0,
    ) -> RegionLife:
        name = region_id(letter, glance.header, self._number + number)
        self.owners[name] = self._source()
        headers = [one for one in self._headers if one.monotonic_s >= max(seen_s, since_s) - 1e-6]
        return RegionLife(
            name,
            label=self._label,
            headers=headers or [glance.header],
            box=box,
            confidence=1.0,
            since_s=since_s,
        )


class _Removal:
    """A removal as it is followed."""

    def __init__(
        self,
        *,
        life: RegionLife,
        there_s: float,
        taker_id: str | None,
        is_by_owner: bool,
        found_s: float,
    ) -> None:
        self.life = life
        self.there_s = there_s
        self.taker_id = taker_id
        self.is_by_owner = is_by_owner
        self.found_s = found_s
        self.settled_s: float | None = None
        self.is_told = False
