"""Plans for rules about zones: stays, entries, exits.

Shape legend: N = points; what is about *rows* has one entry for each row of its first argument.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contracts.geometry import Zone
from vision.archive.columns import BoolArray, FloatArray, IntArray
from vision.backtest.masks import edge_distance, inside
from vision.backtest.plan import NOBODY, NOTHING, Plan, Question, spans
from vision.rules.rule import TIME_SLACK_S
from vision.rules.stay import GRACE_S, LOOKS, MOSTLY, UNSEEN
from vision.rules.zone_entry import FRAMES
from vision.rules.zone_exit import CLEAR, OUTSIDE_S

_SURELY = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Stays:
    """Rows inside a zone, rising, and of each the number of its stay; of each stay its first.

    ``befores`` are the rows that each first one was come from; the first one itself where its track
    begins with it.
    """

    rows: IntArray
    numbers: IntArray
    firsts: IntArray
    befores: IntArray


def dwell_plan(asked: Question, *, threshold_s: float) -> Plan:
    """Ask where a stay has first lasted long enough (``intrusion``, ``loiter``)."""
    grace_s = asked.number("grace_s", GRACE_S)
    stays = _stays(asked, grace_s)
    stream_N = asked.sitting.stream_N
    dwell_s = stream_N[stays.rows] - stream_N[stays.firsts[stays.numbers]]
    is_long = dwell_s >= asked.number("threshold_s", threshold_s) - TIME_SLACK_S
    is_steady = is_long & _is_mostly_inside(asked, stays)
    is_sure = is_steady & (_in_a_row(asked, stays) >= LOOKS) & _is_seen_lately(asked, stays)
    return _first_of_stays(asked, stays, [is_steady, is_sure], grace_s)


def entry_plan(asked: Question) -> Plan:
    """Ask where a track has first been inside for enough points in a row."""
    grace_s = asked.number("grace_s", GRACE_S)
    stays = _stays(asked, grace_s)
    is_met = _in_a_row(asked, stays) >= asked.number("frames", FRAMES)
    return _first_of_stays(asked, stays, [is_met], grace_s)


def exit_plan(asked: Question) -> Plan:
    """Ask where a track has been outside for long enough, and at the end of who was inside."""
    zone, sitting = _zone(asked), asked.sitting
    rows = asked.seen_rows()
    feet = sitting.feet_N2[rows]
    is_inside = inside(zone, feet)
    tracks = sitting.stored.tracks_N[rows]
    index = np.arange(len(rows))
    is_first = np.ones(len(rows), np.bool_)
    is_first[1:] = np.diff(tracks) > 0
    began = np.maximum.accumulate(np.where(is_first, index, 0))
    inside_at = np.maximum.accumulate(np.where(is_inside, index, -1))
    is_out = ~is_inside & (inside_at >= began)
    stream = sitting.stream_N[rows]
    out_s = stream - stream[np.minimum(inside_at + 1, len(rows) - 1)]
    may = is_out & (out_s >= asked.number("outside_s", OUTSIDE_S) - TIME_SLACK_S)
    may[may] = edge_distance(zone, feet[may]) >= CLEAR - _SURELY
    chosen = rows[_until_sure(may, inside_at, rows, feet, zone, asked)]
    first_inside_K = sitting.first_row(_mask(rows[is_inside], len(sitting.stream_N)))
    was_inside_K = asked.odd_K | (first_inside_K < sitting.stored.points)
    ends = np.flatnonzero(was_inside_K & asked.scope.is_ending_K(sitting))
    last_rows = sitting.starts_K1[1:][ends] - 1
    planned = asked.all_of(np.concatenate([chosen, last_rows]))
    since = np.minimum(first_inside_K[sitting.stored.tracks_N[planned]], planned)
    rows_read = asked.all_of(asked.with_reading(planned, since))
    return Plan(rows=rows_read, ends=frozenset(ends.tolist()), presence_P3=NOBODY)


def _until_sure(
    may: BoolArray,
    spell: IntArray,
    rows: IntArray,
    feet: FloatArray,
    zone: Zone,
    asked: Question,
) -> IntArray:
    """Return of each time outside the candidates up to the first that is clear without doubt."""
    candidates = np.flatnonzero(may)
    if not len(candidates):
        return NOTHING
    is_sure = edge_distance(zone, feet[candidates]) >= CLEAR + _SURELY
    tracks = asked.sitting.stored.tracks_N[rows[candidates]]
    is_sure &= rows[candidates] >= asked.scope.ready_K[tracks]
    spells = spell[candidates]
    sure_before: IntArray = np.cumsum(is_sure) - is_sure
    starts = np.searchsorted(spells, spells)
    return np.asarray(candidates[sure_before == sure_before[starts]], np.int64)


def _stays(asked: Question, grace_s: float) -> _Stays:
    sitting = asked.sitting
    seen = asked.seen_rows()
    rows = seen[inside(_zone(asked), sitting.feet_N2[seen])]
    stream = sitting.stream_N[rows]
    is_new = np.ones(len(rows), np.bool_)
    is_new[1:] = (np.diff(sitting.stored.tracks_N[rows]) > 0) | (
        np.diff(stream) > grace_s + TIME_SLACK_S
    )
    firsts = rows[is_new]
    befores = seen[np.maximum(np.searchsorted(seen, firsts) - 1, 0)]
    is_same = sitting.stored.tracks_N[befores] == sitting.stored.tracks_N[firsts]
    return _Stays(
        rows=rows,
        numbers=np.cumsum(is_new) - 1,
        firsts=firsts,
        befores=np.where(is_same, np.minimum(befores, firsts), firsts),
    )


def _in_a_row(asked: Question, stays: _Stays) -> IntArray:
    """Return of each row of stays how many points up to it were inside, none outside between."""
    order = np.searchsorted(asked.seen_rows(), stays.rows)
    is_alone = np.ones(len(stays.rows), np.bool_)
    is_alone[1:] = (np.diff(order) > 1) | (np.diff(stays.numbers) > 0)
    began = np.maximum.accumulate(np.where(is_alone, np.arange(len(order)), 0))
    return np.arange(len(order)) - began + 1


def _is_seen_lately(asked: Question, stays: _Stays) -> BoolArray:
    """Say of each row of stays whether its track was seen in ``LOOKS`` of the newest rows."""
    seen = asked.seen_rows()
    earlier = np.searchsorted(seen, stays.rows) - (LOOKS - 1)
    return np.asarray(stays.rows - seen[np.maximum(earlier, 0)] < UNSEEN + LOOKS)


def _is_mostly_inside(asked: Question, stays: _Stays) -> BoolArray:
    """Say of each row of stays whether half of the points of its stay up to it were inside."""
    firsts = stays.firsts[stays.numbers]
    points_inside = np.arange(len(stays.rows)) - np.searchsorted(stays.rows, firsts) + 1
    seen = asked.seen_rows()
    points = np.searchsorted(seen, stays.rows) - np.searchsorted(seen, firsts) + 1
    return np.asarray(points_inside >= MOSTLY * points)


def _first_of_stays(
    asked: Question, stays: _Stays, conditions: Sequence[BoolArray], grace_s: float
) -> Plan:
    """Ask about the first row of each stay that meets each condition, once the track is ready."""
    ready = asked.scope.ready_K[asked.sitting.stored.tracks_N[stays.rows]]
    firsts: list[IntArray] = []
    for is_met in conditions:
        candidates = np.flatnonzero(is_met & (stays.rows >= ready))
        _, index = np.unique(stays.numbers[candidates], return_index=True)
        firsts.append(candidates[index])
    chosen = np.unique(np.concatenate(firsts))
    since = stays.befores[stays.numbers[chosen]]
    rows = asked.with_reading(stays.rows[chosen], since)
    return Plan(rows=asked.all_of(rows), presence_P3=_presence(asked, stays, grace_s))


def _presence(asked: Question, stays: _Stays, grace_s: float) -> IntArray:
    """Return from when to when a rule counts each stay, absences within the grace included."""
    sitting, stored = asked.sitting, asked.sitting.stored
    rows = np.arange(stored.points)
    inside_N = np.full(stored.points, -1, np.int64)
    inside_N[stays.rows] = stays.rows
    inside_N = np.maximum.accumulate(inside_N)
    is_present_N = inside_N >= sitting.starts_K1[stored.tracks_N]
    is_present_N &= asked.scope.is_known_N & (rows >= asked.scope.ready_K[stored.tracks_N])
    away_s = sitting.stream_N - sitting.stream_N[np.maximum(inside_N, 0)]
    is_present_N &= away_s <= grace_s + TIME_SLACK_S
    return spans(sitting, np.flatnonzero(is_present_N))


def _zone(asked: Question) -> Zone:
    return asked.scene.zone(asked.settings.zone_id)


def _mask(rows: IntArray, size: int) -> BoolArray:
    is_there = np.zeros(size, np.bool_)
    is_there[rows] = True
    return is_there
