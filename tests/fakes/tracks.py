"""Tracks as a rule meets them: one growing snapshot for each frame."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from contracts.frames import FrameHeader
from contracts.geometry import Point
from contracts.incidents import RuleEvent
from contracts.tracks import Track, TrackPoint, TrackState
from tests.fakes.builders import box_at
from tests.fakes.clock import START
from vision.observation import Observation
from vision.rules.rule import Rule


def header_at(at_s: float, *, seq: int | None = None, camera_id: str = "cam") -> FrameHeader:
    """The frame at stream second ``at_s``, numbered in milliseconds unless said otherwise."""
    return FrameHeader(
        camera_id=camera_id,
        run_id="run1",
        seq=round(at_s * 1000) if seq is None else seq,
        captured_at=START + timedelta(seconds=at_s),
        monotonic_s=at_s,
        width=640,
        height=360,
    )


def observed(tracks: Sequence[Track], header: FrameHeader) -> Observation:
    """A frame without cues."""
    return Observation(header=header, tracks=tracks)


def followed(
    feet: Sequence[tuple[float, Point]],
    *,
    track_id: str = "t1",
    label: str = "person",
    state: TrackState = TrackState.CONFIRMED,
) -> Track:
    """A track seen at the given stream seconds and feet; numbered as ``header_at`` does."""
    points = tuple(
        TrackPoint(
            seq=round(at_s * 1000),
            monotonic_s=at_s,
            captured_at=START + timedelta(seconds=at_s),
            box=box_at(foot),
            confidence=0.9,
            is_observed=True,
        )
        for at_s, foot in feet
    )
    return Track(
        track_id=track_id,
        camera_id="cam",
        run_id="run1",
        label=label,
        label_confidence=1.0,
        state=state,
        points=points,
        hits=len(points),
        misses=0,
        first_seen_at=points[0].captured_at,
        first_seen_s=points[0].monotonic_s,
    )


def missed(track: Track, at_s: float) -> Track:
    """The same track in a frame in which no detection was associated."""
    point = replace(
        track.last,
        seq=round(at_s * 1000),
        monotonic_s=at_s,
        captured_at=START + timedelta(seconds=at_s),
        confidence=0.0,
        is_observed=False,
    )
    return replace(
        track,
        state=TrackState.LOST,
        points=(*track.points, point),
        misses=track.misses + 1,
    )


def play(
    rule: Rule, feet: Sequence[tuple[float, Point]], *, track_id: str = "t1", label: str = "person"
) -> list[RuleEvent]:
    """Show the rule one frame after the other, each with the track so far; all it says."""
    return [
        event
        for index in range(len(feet))
        for event in rule.update(
            observed(
                [followed(feet[: index + 1], track_id=track_id, label=label)],
                header_at(feet[index][0]),
            )
        )
    ]


Ways = Mapping[str, Sequence[tuple[float, Point]]]
"""Of each track by id: where its foot is at which stream second."""


def play_all(
    rule: Rule, ways: Ways, *, label: str = "person", ends: Collection[str] = ()
) -> list[RuleEvent]:
    """Show the rule all frames of several tracks; all it says.

    A track is there from its first to its last second and unseen in between where it has no
    foot; those named in ``ends`` end in a frame of their own, 2.2 s after they were last seen.
    """
    moments = {at_s for way in ways.values() for at_s, _ in way}
    endings = {round(ways[name][-1][0] + 2.2, 6): name for name in ends}
    events: list[RuleEvent] = []
    for now_s in sorted(moments | endings.keys()):
        tracks = []
        for name, way in ways.items():
            so_far = [(at_s, foot) for at_s, foot in way if at_s <= now_s]
            if so_far and now_s <= way[-1][0]:
                tracks.append(followed(so_far, track_id=name, label=label))
            elif endings.get(now_s) == name:
                tracks.append(followed(so_far, track_id=name, state=TrackState.ENDED, label=label))
        events += rule.update(observed(tracks, header_at(now_s)))
    return events


def straight(
    start: Point, end: Point, *, from_s: float = 0.0, until_s: float, step_s: float = 0.2
) -> list[tuple[float, Point]]:
    """An even walk, ``step_s`` between frames."""
    frames = round((until_s - from_s) / step_s)
    return [
        (
            round(from_s + index * step_s, 6),
            (
                start[0] + (end[0] - start[0]) * index / max(1, frames),
                start[1] + (end[1] - start[1]) * index / max(1, frames),
            ),
        )
        for index in range(frames + 1)
    ]
