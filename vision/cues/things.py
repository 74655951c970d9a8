"""Things that were left, and things that were taken: what stands where nothing stood, or no longer.

Small detectors do not see bags, and see none at all where the motion gate is shut, so things are
found as what stands still and is not the ground (``vision/cues/ground.py``). Which of the two
pictures, before or after, has the thing in it, its edges tell (``vision/cues/marks.py``); who left
or took it, those who were in reach then (``vision/cues/company.py``).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.detections import ANY_LABEL
from contracts.frames import FrameHeader
from contracts.geometry import Box, gap, iou
from contracts.tracks import Track, TrackState
from vision.cues.company import Company, cover
from vision.cues.ground import Ground, tones_of
from vision.cues.marks import Mark
from vision.cues.places import Place, agreement, changes_at, look_alike, places_in
from vision.cues.port import Glimpse
from vision.cues.regions import RegionLife, region_id
from vision.cues.restless import RESTLESS
from vision.cues.seen import Removal, Thing, ThingsSeen
from vision.cues.thing_state import Left, Taken, ThingState

THING_LABELS: Final = frozenset({"backpack", "bag", "handbag", "suitcase"})
MAX_THINGS: Final = 12
"""So many are followed at once, oldest first."""
GONE_S: Final = 1.0
"""A thing is gone once the ground has been seen where it was for so long."""
THERE: Final = 0.5
"""Least share of a thing that must be seen for it to be there; of the ground, to be gone."""
SETTLE_S: Final = 4.0
"""What somebody carries is waited for so long to be put down again."""
STILL_HERE_S: Final = 1.0
"""... while he was seen within this time: a detector misses people now and then."""
MOVED_S: Final = 30.0
"""A thing that appears within this time of the removal of one like it was moved."""
TELL_S: Final = 2.0
"""A removal is told of for so long once it is settled."""
FORGET_LIGHT_S: Final = 4.0
"""Light and shadow that stand for so long belong to the ground."""
FORGET_S: Final = 20.0
"""... and so does what nobody can say what it is."""
REACH_BEFORE_S: Final = 2.0
REACH_AFTER_S: Final = 0.6
"""Who left a thing was in reach of it so long before or after it appeared."""
SHUT_STEP_S: Final = 0.9
"""While the gate is shut and nothing changes, the picture is compared this often."""
HEADERS: Final = 100
PART_S: Final = 10.0
PART_GAP: Final = 0.03
"""What appears or goes within this time and so near to a thing, in picture units, is part of it."""


class ThingsCue:
    """Follows what was left and what was taken in the pictures of one camera's run.

    A change of the picture's size, a cut to another scene, and a view that stays another, begin
    everything anew; frames that go back in time change nothing.
    """

    def __init__(self) -> None:
        self._state: ThingState | None = None
        self._company = Company()
        self._headers: deque[FrameHeader] = deque(maxlen=HEADERS)
        self._looked_s = 0.0

    def look(self, glimpse: Glimpse) -> ThingsSeen:
        """See ``Cue.look``."""
        header = glimpse.header
        if self._headers and header.monotonic_s <= self._headers[-1].monotonic_s:
            return ThingsSeen()
        self._headers.append(header)
        movers = self._company.look(glimpse.tracks, header)
        state = self._state
        if state is not None:
            self._company.keep(state.doers())
        if state is not None and self._is_still(glimpse, movers):
            self._carry_on(state, header)
            return self._said(state, header)
        tone_HW3 = tones_of(glimpse.small.pixels_HW3)
        if state is None or self._is_another_scene(state, tone_HW3, header):
            ended = [] if state is None else state.all()
            state = self._state = ThingState(Ground(tone_HW3))
        else:
            step_s = header.monotonic_s - self._looked_s
            ended = self._compare(state, tone_HW3, glimpse, movers, step_s=step_s)
        self._looked_s = header.monotonic_s
        for gone in ended:
            gone.life.end(header)
        return self._said(state, header, ended=ended)

    def _is_another_scene(
        self, state: ThingState, tone_HW3: npt.NDArray[np.uint8], header: FrameHeader
    ) -> bool:
        if state.ground.shape != tone_HW3.shape[:2]:
            return True
        is_cut = state.cuts.look(tone_HW3, header.monotonic_s)
        if is_cut:
            self._company = Company()
        return is_cut

    def _is_still(self, glimpse: Glimpse, movers: Sequence[Track]) -> bool:
        """Say whether there is nothing to compare: nothing has changed and nobody is there."""
        changed_hw = glimpse.motion.changed_hw
        return (
            not movers
            and changed_hw is not None
            and not changed_hw.any()
            and glimpse.header.monotonic_s - self._looked_s < SHUT_STEP_S
            and not (self._state is not None and self._state.cuts.is_weighing)
        )

    def _carry_on(self, state: ThingState, header: FrameHeader) -> None:
        for left in state.things:
            if left.is_seen:
                left.life.see(header, box=left.life.box, confidence=1.0)
            else:
                left.life.miss(header)
        for taken in state.removals:
            taken.life.see(header, box=taken.life.box, confidence=1.0)

    def _compare(
        self,
        state: ThingState,
        tone_HW3: npt.NDArray[np.uint8],
        glimpse: Glimpse,
        movers: Sequence[Track],
        *,
        step_s: float,
    ) -> list[Left | Taken]:
        """Compare a picture with the ground; return what came to its end."""
        header = glimpse.header
        covered_HW = cover(movers, state.ground.shape, header)
        standing = state.ground.look(tone_HW3, covered_HW=covered_HW, step_s=step_s)
        if standing.is_renewed:
            ended: list[Left | Taken] = [*state.things, *state.removals]
            state.things, state.removals = [], []
            return ended
        if standing.is_disturbed:
            for left in state.things:
                left.is_seen = False
                left.life.miss(header)
            for taken in state.removals:
                taken.life.see(header, box=taken.life.box, confidence=1.0)
            return []
        gone = [left for left in state.things if self._is_gone(state, left, tone_HW3, header)]
        for index, left in enumerate(gone):
            state.things.remove(left)
            is_display = changes_at(state.ground, left.place.window, left.place.mask_hw) >= RESTLESS
            if is_display or self._company.was(left.life.box):
                continue
            state.removals.append(self._removal_of(left, header, index))
            state.changes.append((left.life.seen_s, left.life.box))
        followed = [one.place.window for one in state.all()]
        places = list(places_in(standing, state.ground, followed=followed))
        self._find(state, places, glimpse, first=len(gone))
        return [*gone, *state.drop_bursts(header.monotonic_s), *self._settle(state, header)]

    def _is_gone(
        self, state: ThingState, left: Left, tone_HW3: npt.NDArray[np.uint8], header: FrameHeader
    ) -> bool:
        before, after = agreement(left.place, tone_HW3, state.ground.light_3)
        left.is_seen = after >= THERE and after > before
        if left.is_seen:
            left.empty_since_s = None
            left.life.see(header, box=left.life.box, confidence=after)
            return False
        if before < THERE or before <= after:
            left.empty_since_s = None
        elif left.empty_since_s is None:
            left.empty_since_s = header.monotonic_s
        is_gone = (
            left.empty_since_s is not None and header.monotonic_s - left.empty_since_s >= GONE_S
        )
        if not is_gone:
            left.life.miss(header)
        return is_gone

    def _removal_of(self, left: Left, header: FrameHeader, index: int) -> Taken:
        gone_s = left.life.seen_s
        taker_id = self._company.beside(
            left.life.box, start_s=gone_s - REACH_AFTER_S, end_s=gone_s + REACH_BEFORE_S
        )
        owner_id = None if left.owner_id is None else self._company.now_called(left.owner_id)
        empty = [one for one in self._headers if one.monotonic_s > gone_s] or [header]
        return Taken(
            life=RegionLife(
                region_id("t", header, index),
                label=left.life.label,
                headers=empty,
                box=left.life.box,
                confidence=1.0,
            ),
            place=left.place,
            picture_hw3=left.place.after_hw3,
            there_s=gone_s - left.life.since_s,
            taker_id=taker_id,
            is_by_owner=taker_id is not None and self._company.now_called(taker_id) == owner_id,
            is_of_ground=False,
            found_s=header.monotonic_s,
        )

    def _find(
        self, state: ThingState, places: Sequence[Place], glimpse: Glimpse, *, first: int
    ) -> None:
        """Begin to follow what is new, by numbers from ``first``; other places become ground."""
        whole = [place for place in places if not self._is_part(state, place, glimpse.header)]
        telling = [place for place in whole if self._tells(place)]
        for place in telling:
            state.changes.append((glimpse.header.monotonic_s - place.still_s, place.box))
        for index, place in enumerate(telling, first):
            if place.reading.mark is Mark.PUT and len(state.things) < MAX_THINGS:
                state.things.append(self._left(state, place, glimpse, index))
            elif place.reading.mark is Mark.TAKEN:
                state.removals.append(self._taken(place, glimpse.header, index))
                state.ground.absorb(place.window, place.mask_hw)
        for place in places:
            is_light = place.reading.mark is Mark.LIGHT
            is_told = place in telling
            if is_told or place.still_s <= (FORGET_LIGHT_S if is_light else FORGET_S):
                continue
            if not self._company.vanished_at(place.box):
                state.ground.absorb(place.window, place.mask_hw)

    def _is_part(self, state: ThingState, place: Place, header: FrameHeader) -> bool:
        """Say whether a place is a part of a thing that is known, cut off from it by its colour."""
        began_s = header.monotonic_s - place.still_s
        is_put = place.reading.mark is Mark.PUT
        known = state.things if is_put else [*state.removals, *state.past]
        return any(
            abs(one.life.since_s - began_s) <= PART_S and gap(place.box, one.life.box) <= PART_GAP
            for one in known
        )

    def _tells(self, place: Place) -> bool:
        """Say whether a place can be a thing that was left or taken: on a display it can not."""
        if not (place.is_whole and place.is_thing) or place.changes >= RESTLESS:
            return False
        if place.reading.mark is Mark.PUT:
            company = self._company
            return not (company.vanished_at(place.box) or company.stood_at(place.box))
        if place.reading.mark is Mark.TAKEN:
            return not self._company.began_at(place.box)
        return False

    def _left(self, state: ThingState, place: Place, glimpse: Glimpse, index: int) -> Left:
        header = glimpse.header
        now_s = header.monotonic_s
        appeared_s = now_s - place.still_s
        seen_s = now_s - min(place.still_s, place.uncovered_s)
        life = RegionLife(
            region_id("t", header, index),
            label=_label(place.box, glimpse.tracks),
            headers=[one for one in self._headers if one.monotonic_s >= seen_s - 1e-6] or [header],
            box=place.box,
            confidence=1.0,
            since_s=appeared_s,
        )
        owner_id = self._company.beside(
            place.box, start_s=appeared_s - REACH_BEFORE_S, end_s=appeared_s + REACH_AFTER_S
        )
        is_moved = any(
            taken.is_of_ground
            and look_alike(place.after_hw3, place, taken.picture_hw3, taken.place)
            for taken in (*state.removals, *state.past)
        )
        return Left(life=life, place=place, owner_id=owner_id, is_moved=is_moved)

    def _taken(self, place: Place, header: FrameHeader, index: int) -> Taken:
        gone_s = header.monotonic_s - place.still_s
        empty = [one for one in self._headers if one.monotonic_s >= gone_s - 1e-6] or [header]
        return Taken(
            life=RegionLife(
                region_id("t", header, index),
                label=ANY_LABEL,
                headers=empty,
                box=place.box,
                confidence=1.0,
                since_s=gone_s,
            ),
            place=place,
            picture_hw3=place.before_hw3,
            there_s=place.known_s - place.still_s,
            taker_id=self._company.beside(
                place.box, start_s=gone_s - REACH_BEFORE_S, end_s=gone_s + REACH_AFTER_S
            ),
            is_by_owner=False,
            is_of_ground=True,
            found_s=header.monotonic_s,
        )

    def _settle(self, state: ThingState, header: FrameHeader) -> list[Taken]:
        """Decide which removals are final; return those that have been told."""
        now_s = header.monotonic_s
        over: list[Taken] = []
        for taken in state.removals:
            moved_to = [
                left
                for left in state.things
                if left.life.since_s >= taken.life.since_s - SETTLE_S
                and look_alike(left.place.after_hw3, left.place, taken.picture_hw3, taken.place)
            ]
            for left in moved_to:
                left.is_moved = left.is_moved or taken.is_of_ground
            taker = None if taken.taker_id is None else self._company.track(taken.taker_id)
            is_carried = taker is not None and now_s - taker.last_seen.monotonic_s <= STILL_HERE_S
            if moved_to:
                over.append(taken)
            elif taken.settled_s is None and (not is_carried or now_s - taken.found_s >= SETTLE_S):
                taken.settled_s = now_s
            if (
                taken.settled_s is not None
                and now_s - taken.settled_s > TELL_S
                and taken not in over
            ):
                over.append(taken)
            if taken not in over and taken.found_s < now_s:
                taken.life.see(header, box=taken.life.box, confidence=1.0)
        state.removals = [taken for taken in state.removals if taken not in over]
        state.past = [one for one in (*state.past, *over) if now_s - one.found_s <= MOVED_S]
        return over

    def _said(
        self, state: ThingState, header: FrameHeader, *, ended: Sequence[Left | Taken] = ()
    ) -> ThingsSeen:
        things = [*state.things, *(one for one in ended if isinstance(one, Left))]
        removals = [*state.removals, *(one for one in ended if isinstance(one, Taken))]
        return ThingsSeen(
            things=tuple(self._thing(left) for left in things),
            removals=tuple(self._removal(taken) for taken in removals),
        )

    def _thing(self, left: Left) -> Thing:
        thing = Thing(
            track=left.life.snapshot(),
            nearest=self._company.nearest(left.life.box),
            is_moved=left.is_moved,
        )
        if left.owner_id is None:
            return thing
        left.owner_id = self._company.now_called(left.owner_id)
        owner = self._company.track(left.owner_id)
        if owner is None:
            return thing
        return replace(
            thing,
            owner=owner,
            owner_distance=self._company.distance(owner, left.life.box),
            is_owner_seen=owner.last.is_observed,
        )

    def _removal(self, taken: Taken) -> Removal:
        return Removal(
            track=taken.life.snapshot(),
            there_s=taken.there_s,
            taker=None if taken.taker_id is None else self._company.track(taken.taker_id),
            is_by_owner=taken.is_by_owner,
            is_settled=taken.settled_s is not None,
        )


def _label(box: Box, tracks: Sequence[Track]) -> str:
    """Return what a detector calls the thing, if it sees it."""
    named = [
        track.label
        for track in tracks
        if track.label in THING_LABELS
        and track.state is TrackState.CONFIRMED
        and iou(box, track.last.box) > 0.3
    ]
    return named[0] if named else ANY_LABEL
