"""Plans for rules about how a track goes: over a line, the wrong way, too fast.

Shape legend: N = points; *rows* and *steps* have an entry for each row of their first argument.
"""

import math
from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from contracts.geometry import Line
from contracts.rules import RuleKind, RuleSettings, SceneRules
from vision.archive.columns import BoolArray, FloatArray, IndexArray, IntArray
from vision.backtest.masks import inside, passes, way_distance
from vision.backtest.plan import NOBODY, NOTHING, Plan, Question
from vision.ground import GroundPlane
from vision.rules.ground_pace import BEYOND_M
from vision.rules.line_cross import HYSTERESIS, JUMP_LOOKS
from vision.rules.pace import CUT, LONGEST_S
from vision.rules.place import named_zone
from vision.rules.registry import ground_of
from vision.rules.running import BODY_M
from vision.rules.running import THRESHOLD as RUNNING
from vision.rules.speed import THRESHOLD_MPS
from vision.rules.wrong_way import BASE, THRESHOLD_DEG, heading_deg
from vision.upright import camera_place

_SURELY = 1e-9


def crossing_plan(asked: Question, *, is_together: bool = False) -> Plan:
    """Ask where a foot stands clear of the line again after it has passed over it."""
    line = asked.scene.line(asked.settings.line_id)
    hysteresis = asked.number("hysteresis", HYSTERESIS)
    sitting = asked.sitting
    rows = asked.seen_rows()
    feet = sitting.feet_N2[rows]
    is_next = np.diff(sitting.stored.tracks_N[rows]) == 0
    # Whose foot is lost goes on at its row.
    aside = np.stack([feet[1:, 0], feet[:-1, 1]], axis=1)
    may_pass = passes(feet[:-1], feet[1:], line.points) | passes(feet[:-1], aside, line.points)
    over = np.flatnonzero(is_next & may_pass) + 1
    if not len(over):
        return Plan(rows=asked.all_of(NOTHING), presence_P3=NOBODY, is_together=is_together)
    chosen, since = _clearings(asked, rows, over, line, hysteresis)
    planned = asked.with_reading(chosen, since)
    return Plan(rows=asked.all_of(planned), presence_P3=NOBODY, is_together=is_together)


def _clearings(
    asked: Question, rows: IntArray, over: IntArray, line: Line, hysteresis: float
) -> tuple[IntArray, IntArray]:
    """Return the rows that may complete each passage, and where the rule has to read from."""
    tracks = asked.sitting.stored.tracks_N[rows]
    chosen, since = [], []
    for place in np.unique(tracks[over]).tolist():
        start, end = np.searchsorted(tracks, [place, place + 1]).tolist()
        off = way_distance(line.points, asked.sitting.feet_N2[rows[start:end]])
        clear = np.flatnonzero(off >= hysteresis + _SURELY) + start
        doubtful = np.flatnonzero(off >= hysteresis - _SURELY) + start
        for index in over[(over >= start) & (over < end)].tolist():
            sure = int(np.searchsorted(clear, index))
            # Who has jumped over the line is looked at again before it counts.
            looked = int(np.searchsorted(clear, index + JUMP_LOOKS))
            last = int(clear[looked]) if looked < len(clear) else end - 1
            before = int(clear[sure - 1]) if sure else start
            among = doubtful[(doubtful >= index) & (doubtful <= last)]
            chosen += rows[among].tolist()
            since += [int(rows[before])] * len(among)
    return np.array(chosen, np.int64), np.array(since, np.int64)


def wrong_way_plan(asked: Question) -> Plan:
    """Ask where a foot may have come a base length against the allowed direction."""
    sitting, stored = asked.sitting, asked.sitting.stored
    rows = asked.seen_rows()
    zone = named_zone(asked.settings, asked.scene)
    feet = sitting.feet_N2[rows]
    if zone is not None:
        is_in = inside(zone, feet)
        rows, feet = rows[is_in], feet[is_in]
    if not len(rows):
        return Plan(rows=asked.all_of(NOTHING))
    sizes = stored.sizes_F2[stored.frames_N[rows]]
    aspect = sizes[:, 0] / np.maximum(1, sizes[:, 1])
    base = asked.number("base", BASE)
    farthest = math.cos(math.radians(asked.number("threshold_deg", THRESHOLD_DEG)))
    if farthest > 0 or aspect.min() != aspect.max():
        # Any way of the base's length may do: only who has stayed nearer than that is left out.
        return Plan(rows=asked.all_of(rows[_has_moved(asked, rows, feet, base)]))
    allowed = math.radians(_allowed_deg(asked.settings, asked.scene, float(aspect[0])))
    along = feet[:, 0] * aspect * math.sin(allowed) - feet[:, 1] * math.cos(allowed)
    least = -farthest * base * min(1.0, float(aspect[0]))
    went_back = _running_max(along, stored.tracks_N[rows]) - along
    return Plan(rows=asked.all_of(rows[went_back >= least - _SURELY]))


def _has_moved(asked: Question, rows: IntArray, feet: FloatArray, base: float) -> BoolArray:
    tracks = asked.sitting.stored.tracks_N[rows]
    extent = np.zeros(len(rows))
    for axis in (0, 1):
        low = -_running_max(-feet[:, axis], tracks)
        extent = np.hypot(extent, _running_max(feet[:, axis], tracks) - low)
    return np.asarray(extent >= base - _SURELY, np.bool_)


def _running_max(values: FloatArray, tracks: IndexArray) -> FloatArray:
    """Return the largest value so far of each row's track."""
    # Tracks are set apart by more than values differ, so that one pass does for all.
    apart = float(values.max() - values.min()) + 1.0
    ranks = np.cumsum(np.append(0, np.diff(tracks) > 0))
    tall = np.maximum.accumulate(values + apart * ranks) - apart * ranks
    # What rounding has lost may only make a plan larger.
    return np.asarray(tall + 1e-12 * apart * (ranks[-1] + 1), np.float64)


def _allowed_deg(settings: RuleSettings, scene: SceneRules, aspect: float) -> float:
    if settings.line_id:
        points = scene.line(settings.line_id).points
        return heading_deg(points[0], points[-1], aspect)
    return float(settings.params["direction"])


def pace_plan(asked: Question) -> Plan:
    """Ask where a track may be as fast as the threshold (``speed``, ``running``)."""
    sitting, stored = asked.sitting, asked.sitting.stored
    seen = asked.seen_rows()
    boxes = stored.edges_N4(seen)
    is_whole = (boxes[:, :2].min(axis=1) >= CUT) & (boxes[:, 2:].max(axis=1) <= 1 - CUT)
    rows, boxes = seen[is_whole], boxes[is_whole]
    if len(rows) < 2:
        return Plan(rows=asked.all_of(NOTHING))
    may = _fastest(asked, rows, boxes) >= 1.0 - _SURELY
    zone = named_zone(asked.settings, asked.scene)
    if zone is not None:
        may &= inside(zone, sitting.feet_N2[rows])
    return Plan(rows=asked.all_of(rows[may]))


def _fastest(asked: Question, rows: IntArray, boxes: FloatArray) -> FloatArray:
    """Return an upper bound of the pace at each row, in thresholds.

    The rule says nobody faster than the fastest step of the last seconds, along each axis, of the
    foot or of what is told from it; and no body is smaller than the smallest box.
    """
    sitting, stored = asked.sitting, asked.sitting.stored
    sizes = stored.sizes_F2[stored.frames_N[rows]]
    aspect = sizes[:, 0] / np.maximum(1, sizes[:, 1])
    ground = ground_of(asked.scene)
    is_running = asked.settings.kind is RuleKind.RUNNING
    last_s = _Rolling(stored.tracks_N[rows], _rows_within(stored.stream_F, LONGEST_S))
    if ground is not None:
        places, is_known = ground.places(sitting.feet_N2[rows])
        variants = [places, *_beyond(ground, places, aspect)]
        ways = [variant.T / (BODY_M if is_running else 1.0) for variant in variants]
        unit = np.ones(len(rows))
    else:
        is_known = np.ones(len(rows), np.bool_)
        ways = [np.stack([sitting.feet_N2[rows, 0] * aspect, sitting.feet_N2[rows, 1]])]
        unit = -last_s.max(
            -np.maximum(boxes[:, 3] - boxes[:, 1], (boxes[:, 2] - boxes[:, 0]) * aspect), -np.inf
        )
    threshold = (
        asked.number("threshold", RUNNING)
        if is_running
        else asked.number("threshold_mps", THRESHOLD_MPS)
    )
    passed_s = np.diff(sitting.stream_N[rows])
    is_step = (np.diff(stored.tracks_N[rows]) == 0) & is_known[1:] & is_known[:-1]
    speed = np.zeros(len(rows))
    for axis in (0, 1):
        steps = np.zeros(len(rows))
        for way in ways:
            with np.errstate(divide="ignore", invalid="ignore"):
                slopes = np.where(passed_s > 0, np.abs(np.diff(way[axis])) / passed_s, np.inf)
            steps[1:] = np.maximum(steps[1:], np.where(is_step, slopes, 0.0))
        speed = np.hypot(speed, last_s.max(steps, 0.0))
    return np.asarray(speed / np.maximum(unit * threshold, 1e-12), np.float64)


def _beyond(ground: GroundPlane, places: FloatArray, aspect: FloatArray) -> Iterator[FloatArray]:
    """Yield the places as a vehicle's middle is told from them, for each shape of the picture."""
    for one in np.unique(aspect).tolist():
        camera = camera_place(ground, aspect=one)
        if camera is not None:
            apart = np.hypot(*(places - camera).T)[:, None]
            yield camera + (1 + BEYOND_M / np.maximum(apart, BEYOND_M)) * (places - camera)


class _Rolling:
    """The largest value of each row's track over the rows up to it, ``span`` of them."""

    def __init__(self, tracks: IndexArray, span: int) -> None:
        ranks = np.cumsum(np.append(0, np.diff(tracks) > 0))
        self._span = span
        self._at = np.arange(len(tracks)) + ranks * span
        self._size = int(self._at[-1]) + 1

    def max(self, values: FloatArray, nothing: float) -> FloatArray:
        """Return it; ``nothing`` is less than any value."""
        apart = np.full(self._size, nothing)
        apart[self._at] = values
        largest = ndimage.maximum_filter1d(apart, self._span, origin=(self._span - 1) // 2)
        return np.asarray(largest[self._at], np.float64)


def _rows_within(stream_F: FloatArray, span_s: float) -> int:
    """Return the largest number of frames within a span of time, and one more."""
    first = np.searchsorted(stream_F, stream_F - span_s - 1e-6)
    return int((np.arange(len(stream_F)) - first).max(initial=0)) + 2
