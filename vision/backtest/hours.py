"""When a rule is at work in a sitting, and what it hears of each track then."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from contracts.rules import RuleSettings
from vision.archive.columns import BoolArray, IntArray
from vision.archive.recorder import moment
from vision.backtest.sitting import Sitting
from vision.schedule import Schedule

_MINUTE: Final = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A span of frames in which a rule is at work without a break.

    Attributes:
        first, end: Its first frame and the one after its last.
        since_s: Stream time of its first frame if the rule was off before; -inf if not.
    """

    first: int
    end: int
    since_s: float = float("-inf")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scope:
    """What of a sitting a rule can hear of in one shift.

    Attributes:
        shift: The span of frames.
        is_known_N: The rule is told of the point, at once or when its hours begin.
        ready_K: First row of each track from which on the rule may speak about it; beyond all
            rows if it never may.
    """

    shift: Shift
    is_known_N: BoolArray
    ready_K: IntArray

    def is_ending_K(self, sitting: Sitting) -> BoolArray:
        """Say of each track whether it ends within the shift."""
        ended_K = sitting.stored.ended_K
        return np.asarray((ended_K >= self.shift.first) & (ended_K < self.shift.end), np.bool_)


def shifts(settings: RuleSettings, schedule: Schedule, sitting: Sitting) -> Iterator[Shift]:
    """Yield the shifts of a rule, as ``vision/watch.py`` keeps its hours.

    Hours begin and end with whole minutes, so one frame of each minute is asked about.
    """
    stored = sitting.stored
    if not settings.schedule:
        yield Shift(first=0, end=stored.frames)
        return
    minutes_F = stored.captured_F // _MINUTE
    known = {
        int(minute): schedule.is_on(moment(int(minute) * _MINUTE))
        for minute in np.unique(minutes_F)
    }
    is_on_F = np.array([known[minute] for minute in minutes_F.tolist()], np.bool_)
    edges = np.flatnonzero(np.diff(is_on_F)) + 1
    for first, end in zip([0, *edges], [*edges, stored.frames], strict=True):
        if is_on_F[first]:
            since_s = float(stored.stream_F[first]) if first else float("-inf")
            yield Shift(first=int(first), end=int(end), since_s=since_s)


def scope(sitting: Sitting, shift: Shift) -> Scope:
    """Return what a rule can hear of in a shift."""
    stored = sitting.stored
    is_known_N = stored.frames_N < shift.end
    ready_K = sitting.confirmed_K
    if shift.first > 0:
        is_now_N = stored.frames_N >= shift.first
        began_K = sitting.first_row(is_now_N)
        ready_K = np.maximum(ready_K, began_K)
        is_known_N &= is_now_N | _remembered(sitting, began_K)
    is_late_K = (ready_K < stored.points) & ~is_known_N[np.minimum(ready_K, stored.points - 1)]
    return Scope(
        shift=shift, is_known_N=is_known_N, ready_K=np.where(is_late_K, stored.points, ready_K)
    )


def _remembered(sitting: Sitting, began_K: IntArray) -> BoolArray:
    """Say of which points tracks still know when a shift begins."""
    is_remembered_N = np.zeros(sitting.stored.points, np.bool_)
    starts_K = sitting.starts_K1[:-1]
    for place in np.flatnonzero((began_K < sitting.stored.points) & (began_K > starts_K)).tolist():
        row = int(began_K[place])
        is_remembered_N[sitting.window_start(row) : row] = True
    return is_remembered_N
