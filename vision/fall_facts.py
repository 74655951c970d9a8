"""Facts about a fall: how deep, how fast, for how long down, and what is where the head was."""

import math
from statistics import median
from typing import Final

from contracts.incidents import Fact, FactName, RuleEvent
from contracts.rules import RuleKind
from contracts.tracks import POSTURES, Track, TrackPoint
from vision.facts import Cited
from vision.keyframes import Moment
from vision.kinematics import frame_step_s

BODIES: Final = "bodies"
NOW_S: Final = 0.7
"""How a body is at a moment is the median of so much time before it."""
UP_AGAIN: Final = 0.5
"""Whoever's head is this share of the way back is down no longer."""
_EDGE_SIGMA: Final = 0.04
"""Body heights: of a box's edge, of the shipped encoder on people who stand."""
_SHARE_SIGMA: Final = 0.05


def fall_facts(event: RuleEvent, *, track: Track, cited: Cited) -> list[Fact]:
    """Measure what a fall rests on, from the body's way up to the decisive frame.

    Empty where the event is about no fall, or its track no longer shows the beginning.
    """
    way = _way(event, track)
    if way is None:
        return []
    stood, after = way
    height = stood.box[3] - stood.box[1]
    now = [point for point in after if event.monotonic_s - point.monotonic_s <= NOW_S]
    if not now or height <= 0:
        return []
    by_box = (median(point.box[1] for point in now) - stood.box[1]) / height
    drop = float(event.detail.get("drop", by_box))
    sigma = _EDGE_SIGMA * math.sqrt(1 + 1 / len(now))
    pace = float(event.detail.get("pace", "nan"))
    gone = float(event.detail.get("gone", "nan"))
    found = [
        _fact(event, track, cited, FactName.HEAD_DROP, drop, "height", sigma),
        _fact(
            event, track, cited, FactName.FALL_PACE, pace, "height/s",
            pace * (0.1 + sigma / max(drop, sigma)),
        ),
        _fact(event, track, cited, FactName.HEAD_GONE, gone, "share", _SHARE_SIGMA),
        _posture(event, track, cited, now),
        down_fact(event, track=track, cited=cited),
    ]  # fmt: skip
    return [fact for fact in found if fact is not None and math.isfinite(fact.value)]


def down_fact(event: RuleEvent, *, track: Track, cited: Cited) -> Fact | None:
    """Measure how long whoever fell has been down by now; None if the event is about no fall."""
    way = _way(event, track)
    if way is None:
        return None
    stood, after = way
    since_s = event.monotonic_s - float(event.detail.get("down_s", "0"))
    deepest = max((point.box[1] for point in after), default=stood.box[1])
    limit = stood.box[1] + UP_AGAIN * (deepest - stood.box[1])
    end_s = since_s
    for point in (point for point in track.points if point.is_observed):
        if point.monotonic_s < since_s - 1e-6:
            continue
        if point.box[1] < limit and point.monotonic_s > event.monotonic_s:
            break
        end_s = point.monotonic_s
    step_s = frame_step_s([point for point in track.points if point.is_observed])
    return Fact(
        fact_id="",
        name=FactName.DOWN,
        subject=track.track_id,
        value=end_s - since_s,
        unit="s",
        sigma=step_s / math.sqrt(6),
        start_s=since_s,
        end_s=end_s,
        frames=_frames(cited, Moment.DECISIVE, Moment.LAST),
        source=BODIES,
    )


def _way(event: RuleEvent, track: Track) -> tuple[TrackPoint, list[TrackPoint]] | None:
    """Return where the body stood last, and the points from there to the decisive frame."""
    if event.kind is not RuleKind.FALL:
        return None
    seen = [
        point
        for point in track.points
        if point.is_observed and event.since_s - 1e-6 <= point.monotonic_s <= event.monotonic_s
    ]
    if not seen or abs(seen[0].monotonic_s - event.since_s) > 1e-3:
        return None
    return seen[0], seen


def _posture(event: RuleEvent, track: Track, cited: Cited, now: list[TrackPoint]) -> Fact | None:
    """State the posture that was seen most in the last moments; None where none was told."""
    told = [point for point in now if point.postures and point.confidence > 0]
    weight = sum(point.confidence for point in told)
    if weight <= 0:
        return None
    shares = [
        sum(point.confidence * point.postures[index] for point in told) / weight
        for index in range(len(POSTURES))
    ]
    share = max(shares)
    sigma = math.sqrt(share * (1 - share) / (len(told) + 2)) + _SHARE_SIGMA
    return _fact(
        event, track, cited, FactName.POSTURE, share, "share", sigma,
        text=POSTURES[shares.index(share)],
    )  # fmt: skip


def _fact(  # noqa: PLR0913  # a fact is wide; this is the one place that makes one here
    event: RuleEvent,
    track: Track,
    cited: Cited,
    name: FactName,
    value: float,
    unit: str,
    sigma: float,
    *,
    text: str = "",
) -> Fact:
    return Fact(
        fact_id="",
        name=name,
        subject=track.track_id,
        value=value,
        text=text,
        unit=unit,
        sigma=sigma,
        start_s=event.since_s,
        end_s=event.monotonic_s,
        frames=_frames(cited, Moment.DECISIVE),
        source=BODIES,
    )


def _frames(cited: Cited, *moments: Moment) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cited[moment] for moment in moments if moment in cited))
