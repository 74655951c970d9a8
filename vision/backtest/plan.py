"""Which frames a rule has to be asked about, so that it says all that it says of every frame.

A plan names for each track the rows at which the rule may speak (rather too many than too few);
what lies between them it reads at the next one, since tracks carry what they did before. Whether
it does speak is the rule's own word: plans only save asking.

Shape legend: N = points, K = tracks, P = times that a track was present, 3 = place and frames.
"""

from dataclasses import dataclass, field

import numpy as np

from contracts.rules import RuleSettings, SceneRules
from vision.archive.columns import BoolArray, FloatArray, IntArray
from vision.backtest.hours import Scope
from vision.backtest.sitting import Sitting
from vision.labels import label_matches

READ_S = 150.0
"""A rule is shown a track at least this often where it has to read on: tracks forget."""
READ_ROWS = 5000
NOTHING: IntArray = np.zeros(0, np.int64)
NOBODY: IntArray = np.zeros((0, 3), np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """What to ask a rule.

    Attributes:
        rows: Rows to ask about, rising.
        ends: Tracks whose end it has to see as well.
        presence_P3: Place, first and last frame of each time that a track is where the rule
            watches, if that follows from the points alone; None takes it from the rule.
        is_together: The rule compares tracks: they are shown together.
    """

    rows: IntArray
    ends: frozenset[int] = frozenset()
    presence_P3: IntArray | None = None
    is_together: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """A rule, and the points that it may hear of in one shift.

    Attributes:
        fits: Of each label in the sitting, whether it is the rule's.
        heard_N: Points of tracks whose label is the rule's throughout.
        odd_K: Tracks whose label changes to or from one of the rule's: asked about everywhere.
    """

    sitting: Sitting
    scope: Scope
    settings: RuleSettings
    scene: SceneRules
    labels: tuple[str, ...]
    fits: BoolArray = field(init=False)
    heard_N: BoolArray = field(init=False)
    odd_K: BoolArray = field(init=False)

    def __post_init__(self) -> None:
        stored = self.sitting.stored
        fits = np.array([label_matches(label, self.labels) for label in stored.labels], np.bool_)
        if len(fits) == 0 or fits.all():
            heard_N, odd_K = self.scope.is_known_N, np.zeros(self.sitting.tracks, np.bool_)
        else:
            fits_N = fits[stored.labels_N]
            some_K, all_K = np.zeros((2, self.sitting.tracks), np.bool_)
            some_K[stored.tracks_N[fits_N]] = True
            all_K[:] = some_K
            all_K[stored.tracks_N[~fits_N]] = False
            odd_K = some_K & ~all_K
            heard_N = self.scope.is_known_N & all_K[stored.tracks_N]
        object.__setattr__(self, "fits", fits)
        object.__setattr__(self, "heard_N", heard_N)
        object.__setattr__(self, "odd_K", odd_K)

    def number(self, name: str, default: float) -> float:
        """Return a parameter of the rule that is a number."""
        value = self.settings.params.get(name, default)
        return default if isinstance(value, str) else float(value)

    def seen_rows(self) -> IntArray:
        """Return the rows of points in which something was seen that the rule may hear of."""
        return np.flatnonzero(self.heard_N & self.sitting.stored.is_observed_N)

    def all_of(self, rows: IntArray) -> IntArray:
        """Return the rows and all of odd tracks, not before the rule may speak of their track."""
        stored = self.sitting.stored
        if self.odd_K.any():
            odd = np.flatnonzero(self.odd_K[stored.tracks_N] & self.scope.is_known_N)
            rows = np.concatenate([rows, odd])
        ready = self.scope.ready_K[stored.tracks_N[rows]]
        rows = np.maximum(rows, ready)
        rows = rows[rows < stored.points]
        return np.unique(rows[self.scope.is_known_N[rows]])

    def with_reading(self, rows: IntArray, since: IntArray) -> IntArray:
        """Return the rows, and some between each and where the rule has to read on from."""
        stream_N = self.sitting.stream_N
        is_long = (stream_N[rows] - stream_N[since] > READ_S) | (rows - since > READ_ROWS)
        added = [
            _steps(stream_N, int(start), int(end))
            for start, end in zip(since[is_long], rows[is_long], strict=True)
        ]
        return np.concatenate([rows, *added]) if added else rows


def spans(sitting: Sitting, rows: IntArray) -> IntArray:
    """Return place, first and last frame of each unbroken run of rows of a track."""
    if not len(rows):
        return NOBODY
    stored = sitting.stored
    is_new = np.ones(len(rows), np.bool_)
    is_new[1:] = (np.diff(rows) > 1) | (np.diff(stored.tracks_N[rows]) > 0)
    firsts = rows[is_new]
    lasts = rows[np.append(is_new[1:], True)]
    columns = [stored.tracks_N[firsts], stored.frames_N[firsts], stored.frames_N[lasts]]
    return np.stack(columns, axis=1).astype(np.int64)


def _steps(stream_N: FloatArray, start: int, end: int) -> IntArray:
    """Return rows on the way from one to another, none too far from the one before."""
    rows = [start]
    while rows[-1] < end:
        later = int(np.searchsorted(stream_N[start:end], stream_N[rows[-1]] + READ_S)) + start
        rows.append(min(end, rows[-1] + READ_ROWS, max(later, rows[-1] + 1)))
    return np.array(rows, np.int64)
