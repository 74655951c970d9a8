"""Smoke: a soft grey veil that comes up somewhere, stays, spreads, and never keeps its shape.

What it is told by is what it does to what is behind it (``veils``): the detail fades without
anything sharp in its place. People and vehicles hide detail but are opaque, and sharp at the edge;
shadows have no light of their own; dirt on the lens keeps its shape; fog takes all of the picture.
Steam, spray and dust that hang in the air look like smoke, and are told as such.

Where a wall, the sky or the night shows no detail there is none to fade, and nothing is seen.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contracts.frames import FrameHeader
from contracts.geometry import Box, gap
from contracts.tracks import Track, TrackState
from vision.cues.company import MOVING_LABELS, cover
from vision.cues.port import Glimpse
from vision.cues.regions import RegionLife, region_id
from vision.cues.seen import Smoke, SmokeSeen
from vision.cues.veils import CELL, Backdrop, Flags, FloatArray, Veils, read_size
from vision.estimates import weight_of

LABEL: Final = "smoke"
REMEMBER_S: Final = 2.5
"""Time constant of how often a cell is veiled."""
OFTEN: Final = 0.4
"""Share of that time in which a cell of smoke is veiled: whoever passes leaves less behind."""
LEAST_CELLS: Final = 6
"""Cells that are veiled by the smallest smoke: 0.7 % of 40 x 22."""
STILL_THERE: Final = 0.3
"""Share of them that is veiled in this very picture."""
SEEN_THROUGH: Final = 0.15
"""A cell that keeps so much of its detail is not hidden by anything opaque."""
THIN: Final = 0.2
"""Share of the cells that must be seen through: smoke has a thin border."""
STIRS: Final = 0.45
"""Levels by which its cells change from look to look: it never keeps its shape."""
LIFTS: Final = 4.0
"""Levels by which it is brighter or darker than what it hides: coding alone softens detail too."""
SHARP: Final = 0.2
"""Sharp cells in and around it, for each that is veiled."""
FOOT: Final = 0.3
"""Share of the first cells that are still veiled: a puff drifts away from where it was made."""
JUDGED_S: Final = 6.0
"""The likelihood is of the looks of the last seconds."""
NEAR: Final = 0.1
"""Picture units: veils so near to smoke are its own."""
END_S: Final = 4.0
"""Smoke that is not seen for so long is over."""
LOOK_S: Final = 0.38
"""The picture is read so often while nothing is veiled,"""
STILL_LOOK_S: Final = 0.9
"""... so often while nothing moves either,"""
CLOSE_LOOK_S: Final = 0.15
"""... and so often while there is something."""
LONGEST_STEP_S: Final = 1.0
_RISE_S: Final = REMEMBER_S * math.log(1 / (1 - OFTEN))
"""A cell must have been veiled for so long to count."""
_BLOCK: Final = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patch:
    """A connected part of the picture that is often veiled.

    Attributes:
        cells: How many cells of it are.
        own_hw: Which they are.
        kept: Share of their detail that is left.
        is_like_smoke: It looks in all respects as smoke does, in this look.
    """

    box: Box
    own_hw: Flags
    cells: int
    kept: float
    is_like_smoke: bool


@dataclass(slots=True, kw_only=True, eq=False)
class _Plume:
    """Smoke as it is followed, with the looks of the last seconds.

    Attributes:
        first_hw: Its cells when it was found: the foot that smoke goes on coming from.
        is_at_foot: Enough of them are still veiled.
    """

    life: RegionLife
    first_hw: Flags
    is_at_foot: bool = True
    most_cells: int
    kept: float
    looks: deque[tuple[float, bool]] = field(default_factory=deque)

    def take(self, patches: Sequence[_Patch], header: FrameHeader) -> None:
        """Bring it up to date with its parts of this look; none if it is not seen."""
        now_s = header.monotonic_s
        self.looks.append((now_s, any(patch.is_like_smoke for patch in patches)))
        while now_s - self.looks[0][0] > JUDGED_S:
            self.looks.popleft()
        if not patches:
            self.life.miss(header)
            return
        largest = max(patches, key=lambda patch: patch.cells)
        foot = sum(np.count_nonzero(patch.own_hw & self.first_hw) for patch in patches)
        self.is_at_foot = bool(foot >= FOOT * np.count_nonzero(self.first_hw))
        self.most_cells = max(self.most_cells, sum(patch.cells for patch in patches))
        self.kept = largest.kept
        boxes = [patch.box for patch in patches]
        around = (
            min(box[0] for box in boxes),
            min(box[1] for box in boxes),
            max(box[2] for box in boxes),
            max(box[3] for box in boxes),
        )
        self.life.see(header, box=around, confidence=self.likelihood()[0])

    def likelihood(self) -> tuple[float, float]:
        """Return how likely the next look is to look like smoke, and the sigma of that.

        By Laplace's rule of succession; neighbouring looks say the same, so that only one in a
        second counts as a look of its own.
        """
        share = sum(is_like for _, is_like in self.looks) / len(self.looks)
        trials = min(float(len(self.looks)), self.looks[-1][0] - self.looks[0][0] + 1)
        value = (share * trials + 0.5) / (trials + 1)
        return value, math.sqrt(value * (1 - value) / (trials + 2))


class SmokeCue:
    """Follows smoke in the pictures of one camera's run.

    A change of the picture's size, and a view that is another for seconds, begin everything anew;
    frames that go back in time change nothing.
    """

    def __init__(self) -> None:
        self._backdrop: Backdrop | None = None
        self._size: tuple[int, ...] = ()
        self._often_hw: FloatArray = np.zeros((0, 0), np.float32)
        self._plumes: list[_Plume] = []
        self._looked_s: float | None = None
        self._is_close = False
        self._last = SmokeSeen()

    def look(self, glimpse: Glimpse) -> SmokeSeen:
        """See ``Cue.look``."""
        header = glimpse.header
        now_s = header.monotonic_s
        if self._looked_s is not None:
            patience_s = LOOK_S if glimpse.motion.is_moving else STILL_LOOK_S
            if now_s - self._looked_s < (CLOSE_LOOK_S if self._is_close else patience_s):
                return self._last
        step_s = LONGEST_STEP_S if self._looked_s is None else now_s - self._looked_s
        self._looked_s = now_s
        picture_HW3 = read_size(glimpse.small.pixels_HW3)
        if min(picture_HW3.shape[:2]) < CELL:
            return self._follow([], header)
        if self._backdrop is None or self._size != picture_HW3.shape:
            self._backdrop, self._size = Backdrop(picture_HW3), picture_HW3.shape
            self._often_hw = np.zeros(self._backdrop.shape, np.float32)
            return self._follow([], header)
        veils = self._backdrop.look(
            picture_HW3,
            covered_hw=_covered(glimpse.tracks, self._backdrop.shape, header),
            step_s=min(step_s, LONGEST_STEP_S),
        )
        return self._follow(self._patches(veils, min(step_s, LONGEST_STEP_S)), header)

    def _patches(self, veils: Veils, step_s: float) -> list[_Patch]:
        """Return what is often veiled, after this look."""
        weight = weight_of(step_s, REMEMBER_S)
        if veils.is_upset:
            self._often_hw *= 1 - weight
            return []
        known = veils.is_known
        self._often_hw[known] += weight * (veils.is_veiled[known] - self._often_hw[known])
        self._is_close = bool(np.count_nonzero(veils.is_veiled) >= LEAST_CELLS // 2)
        often_hw = self._often_hw > OFTEN
        if np.count_nonzero(often_hw) < LEAST_CELLS:
            return []
        closed_hw = cv2.morphologyEx(often_hw.astype(np.uint8), cv2.MORPH_CLOSE, _BLOCK)
        count, labels_hw, stats_n5, _ = cv2.connectedComponentsWithStats(closed_hw)
        patches = []
        for index in range(1, count):
            own_hw = (labels_hw == index) & often_hw
            if np.count_nonzero(own_hw) >= LEAST_CELLS:
                box = _box(stats_n5[index], often_hw.shape)
                patches.append(_patch(veils, own_hw, labels_hw == index, box))
        return patches

    def _follow(self, patches: list[_Patch], header: FrameHeader) -> SmokeSeen:
        """Join the patches to the smoke that is known, or begin to follow it."""
        parts: dict[int, list[_Patch]] = {index: [] for index in range(len(self._plumes))}
        fresh = []
        for patch in patches:
            gaps = [gap(plume.life.box, patch.box) for plume in self._plumes]
            if gaps and min(gaps) <= NEAR:
                parts[gaps.index(min(gaps))].append(patch)
            elif patch.is_like_smoke:
                fresh.append(patch)
        for index, plume in enumerate(self._plumes):
            is_over = header.monotonic_s - plume.life.seen_s > END_S
            if is_over and not parts[index]:
                plume.life.end(header)
            else:
                plume.take(parts[index], header)
        told = list(self._plumes)
        for patch in fresh:
            life = RegionLife(
                region_id("k", header, len(told)),
                label=LABEL,
                headers=[header],
                box=patch.box,
                confidence=0.5,
                since_s=max(0.0, header.monotonic_s - _RISE_S),
            )
            plume = _Plume(
                life=life, first_hw=patch.own_hw, most_cells=patch.cells, kept=patch.kept
            )
            plume.looks.append((header.monotonic_s, True))
            told.append(plume)
        self._plumes = [plume for plume in told if plume.life.state is not TrackState.ENDED]
        self._is_close = self._is_close or bool(self._plumes)
        seen = SmokeSeen(smoke=tuple(_told(plume) for plume in told))
        is_alive = [one.track.state is not TrackState.ENDED for one in seen.smoke]
        self._last = SmokeSeen(smoke=tuple(compress(seen.smoke, is_alive)))
        return seen


def _told(plume: _Plume) -> Smoke:
    value, sigma = plume.likelihood()
    return Smoke(
        track=plume.life.snapshot(),
        likelihood=value,
        sigma=sigma,
        kept=min(1.0, max(0.0, plume.kept)),
        grown=plume.most_cells / np.count_nonzero(plume.first_hw),
        is_at_foot=plume.is_at_foot,
    )


def _patch(veils: Veils, own_hw: Flags, whole_hw: Flags, box: Box) -> _Patch:
    """Measure a part of the picture that is often veiled."""
    cells = int(np.count_nonzero(own_hw))
    around_hw = cv2.dilate(whole_hw.astype(np.uint8), _BLOCK) > 0
    veiled = int(np.count_nonzero(veils.is_veiled & around_hw))
    sharp = int(np.count_nonzero(veils.is_hard & around_hw))
    kept_n = veils.kept_hw[own_hw]
    is_like_smoke = (
        np.count_nonzero(veils.is_veiled & own_hw) >= STILL_THERE * cells
        and float(np.mean(kept_n > SEEN_THROUGH)) >= THIN
        and float(veils.stir_hw[own_hw].mean()) >= STIRS
        and float(np.abs(veils.lift_hw[own_hw]).mean()) >= LIFTS
        and sharp <= SHARP * veiled
    )
    return _Patch(
        box=box,
        own_hw=own_hw,
        cells=cells,
        kept=float(np.mean(np.clip(kept_n, 0, 1))),
        is_like_smoke=bool(is_like_smoke),
    )


def _box(stats_5: npt.NDArray[np.int32], shape: tuple[int, ...]) -> Box:
    left, top, wide, high = (int(value) for value in stats_5[:4])
    height, width = shape
    return (left / width, top / height, (left + wide) / width, (top + high) / height)


def _covered(tracks: Sequence[Track], shape: tuple[int, int], header: FrameHeader) -> Flags:
    """Return the cells in front of which somebody is.

    Smoke itself may be followed as an object that nobody can name; it does not cover itself.
    """
    movers = [
        track
        for track in tracks
        if track.label in MOVING_LABELS and track.state is not TrackState.ENDED
    ]
    return cover(movers, shape, header) > 0
