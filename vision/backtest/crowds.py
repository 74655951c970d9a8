"""Replays ``crowd``: frame by frame, but only where enough come together.

Shape legend: F = frames, N = points.
"""

import bisect
from collections.abc import Iterator
from typing import Final

import numpy as np

from contracts.rules import RuleSettings, SceneRules
from vision.archive.columns import CONFIRMED, BoolArray, IntArray
from vision.backtest.masks import inside
from vision.backtest.plan import Question
from vision.backtest.sitting import Sitting
from vision.observation import Observation
from vision.rules.crowd import GAP_S, HOLD_S, RELEASE, THRESHOLD
from vision.rules.place import named_zone
from vision.rules.registry import ground_of

_SURELY: Final = 1e-6


def crowded_frames(asked: Question) -> "Crowds":
    """Return how many count in each frame, and the stretches in which that matters."""
    sitting, stored = asked.sitting, asked.sitting.stored
    is_member_N = asked.scope.is_known_N & (stored.states_N == CONFIRMED)
    fits = np.isin(stored.labels_N, np.flatnonzero(asked.fits))
    is_member_N &= fits & (stored.frames_N >= asked.scope.shift.first)
    zone = named_zone(asked.settings, asked.scene)
    if zone is not None:
        is_member_N[is_member_N] = inside(zone, sitting.feet_N2[is_member_N])
    return Crowds(sitting, is_member_N, end=asked.scope.shift.end)


class Crowds:
    """Who counts in each frame, up to ``end``."""

    def __init__(self, sitting: Sitting, is_member_N: BoolArray, *, end: int) -> None:
        stored = sitting.stored
        self._end = end
        rows = np.flatnonzero(is_member_N)
        order = np.argsort(stored.frames_N[rows], kind="stable")
        self._sitting = sitting
        self._rows = rows[order]
        self._frames = stored.frames_N[self._rows]
        self._frame_list: list[int] = self._frames.tolist()
        self._counts_F = np.bincount(self._frames, minlength=stored.frames)
        self._arrived_N = _arrivals(sitting, is_member_N)

    def stretches(self, least: float, most: float, *, hold_s: float) -> Iterator[tuple[int, int]]:
        """Yield first and last frame of each stretch in which a crowd may come and go.

        Args:
            least: Members from which a crowd goes on.
            most: Members from which there is one.
            hold_s: Time that it takes to come and to go.
        """
        stream_F = self._sitting.stored.stream_F
        some = np.flatnonzero(self._counts_F >= least - _SURELY)
        if not len(some):
            return
        is_apart = np.diff(stream_F[some]) > 2 * hold_s + GAP_S + 1.0
        for frames in np.split(some, np.flatnonzero(is_apart) + 1):
            if self._counts_F[frames].max() >= most - _SURELY:
                yield self._first_arrival(frames), int(frames[-1])

    def is_over_at(self, last: int, *, hold_s: float) -> int:
        """Return the frame in which nothing is left of a crowd that last was one at ``last``.

        The time that it takes to go begins anew with each frame that stays away.
        """
        stream_F = self._sitting.stored.stream_F
        frame = since = last + 1
        while frame < self._end - 1:
            if frame > since and stream_F[frame] - stream_F[frame - 1] > GAP_S:
                since = frame
            if stream_F[frame] - stream_F[since] >= hold_s:
                break
            frame += 1
        return min(frame, self._end - 1)

    def seen(self, frame: int) -> Observation:
        """Return a frame with those who count in it."""
        start = bisect.bisect_left(self._frame_list, frame)
        end = bisect.bisect_left(self._frame_list, frame + 1, start)
        rows = self._rows[start:end].tolist()
        tracks = [self._sitting.glance(self._sitting.place_of(row), row) for row in rows]
        return Observation(header=self._sitting.header(frame), tracks=tracks)

    def _first_arrival(self, frames: IntArray) -> int:
        """Return when the first of those arrived who are there in any of the frames."""
        rows = self._rows[np.isin(self._frames, frames)]
        return int(self._arrived_N[rows].min())


def _arrivals(sitting: Sitting, is_member_N: BoolArray) -> IntArray:
    """Return for each point the frame since which its track has counted without a break."""
    stored = sitting.stored
    rows = np.arange(stored.points)
    goes_on_N = np.zeros(stored.points, np.bool_)
    goes_on_N[1:] = (
        is_member_N[1:]
        & is_member_N[:-1]
        & (np.diff(stored.tracks_N) == 0)
        & (np.diff(stored.frames_N) == 1)
    )
    began_N = np.maximum.accumulate(np.where(goes_on_N, 0, rows))
    return np.asarray(stored.frames_N[began_N], np.int64)


def limits(settings: RuleSettings, scene: SceneRules) -> tuple[float, float, float]:
    """Return the members from which a crowd goes on, from which there is one, and ``hold_s``."""
    params = settings.params
    hold_s = float(params.get("hold_s", HOLD_S))
    if "density" not in params:
        most = float(params.get("threshold", THRESHOLD))
        return RELEASE * most, most, hold_s
    zone, ground = named_zone(settings, scene), ground_of(scene)
    area_m2 = None if zone is None or ground is None else ground.area_m2(zone.polygon)
    most = float(params["density"]) * (area_m2 or 0.0)
    return RELEASE * most, most, hold_s
