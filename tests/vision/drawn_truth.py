"""Drawn objects whose every metre is known: what a rule measures against what is true.

The yard's own script, and drives and walks on the yard's ground at any speed. Boxes are those of
what is drawn, with the jitter of a detector, and go through the real tracker.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from contracts.detections import Detections
from contracts.frames import FrameHeader
from contracts.geometry import Box, Calibration, Point
from contracts.tracks import Track, TrackState
from ingest.sources.scenes import yard_plan as plan
from ingest.sources.scenes.car import CarPose, car_figure
from ingest.sources.scenes.car_body import WHEELBASE_M
from ingest.sources.scenes.motion import Drive, Walk, Waypoint
from ingest.sources.scenes.person import Looks, person_figure
from ingest.sources.scenes.yard_script import CAR_PAINT, PEOPLE, car_pose
from ingest.sources.scenes.yard_truth import yard_truth
from tests.fakes.builders import header
from vision.observation import Observation
from vision.tracker import Tracker

FPS: Final = 5.0
JITTER: Final = 0.002
"""Picture units: about one pixel of 640, as the shipped detector's boxes have it."""
_CORNERS: Final = ((-6.0, 15.0), (5.0, 15.0), (4.0, 8.0), (-4.0, 8.0))
YARD_CALIBRATION: Final = Calibration(
    picture=tuple(plan.VIEW.ground_point(x, z) for x, z in _CORNERS), ground=_CORNERS
)
LABELS: Final = ("person", "car", "bag")

Boxes = Callable[[float], Mapping[str, tuple[str, Box]]]
"""Label and box of each object by id at a time."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One analysed frame: what the tracker made of it, and which object each track is."""

    at_s: float
    seen: Observation
    objects: Mapping[str, str]


def yard_boxes(at_s: float) -> Mapping[str, tuple[str, Box]]:
    """The yard's script."""
    return {one.object_id: (one.label, one.box) for one in yard_truth(at_s)}


def yard_middle(object_id: str, at_s: float) -> Point | None:
    """Where the middle of a person or of the car of the yard is on the ground, metres."""
    if object_id in PEOPLE:
        stance = PEOPLE[object_id][1].stance(at_s)
        return None if stance is None else (stance.x_m, stance.z_m)
    pose = car_pose(at_s)
    return None if pose is None else middle_of(pose)


def middle_of(pose: CarPose) -> Point:
    """Where the middle of a car is: half of the way from its rear axle to its front axle."""
    half_m = WHEELBASE_M / 2
    return (
        pose.x_m + half_m * math.cos(pose.heading),
        pose.z_m + half_m * math.sin(pose.heading),
    )


def car_boxes(speed_mps: float, *, z: float = 12.0, slant: float = 0.0) -> Boxes:
    """A car that drives across the yard to the right, and ``slant`` away for each metre of it."""

    def boxes(at_s: float) -> Mapping[str, tuple[str, Box]]:
        along = 1 / math.hypot(1, slant)
        x = -9.0 + speed_mps * at_s * along
        pose = CarPose(x, z + (x + 9.0) * slant, math.atan(slant))
        return {} if x > 12.0 else _car(pose)

    return boxes


def drive_boxes(drive: Drive) -> Boxes:
    """A car on any way."""

    def boxes(at_s: float) -> Mapping[str, tuple[str, Box]]:
        pose = drive.pose(at_s)
        return {} if pose is None else _car(pose)

    return boxes


def _car(pose: CarPose) -> Mapping[str, tuple[str, Box]]:
    figure = car_figure(plan.VIEW, CAR_PAINT, pose, sun=plan.SUN_SHADOW, fence_z=40.0)
    box = figure.box(plan.VIEW.width, plan.VIEW.height)
    return {} if box is None else {"car": ("car", box)}


def person_boxes(speed_mps: float, *, start: Point, end: Point, stature_m: float = 1.76) -> Boxes:
    """Somebody who goes straight from one place on the ground to another."""
    lasts_s = math.dist(start, end) / speed_mps
    return walk_boxes(Walk([Waypoint(0.0, *start), Waypoint(lasts_s, *end)]), stature_m=stature_m)


def walk_boxes(walk: Walk, *, stature_m: float = 1.76) -> Boxes:
    """Somebody on any way."""
    looks = Looks(coat=(60, 60, 60), trousers=(50, 50, 70), stature_m=stature_m)

    def boxes(at_s: float) -> Mapping[str, tuple[str, Box]]:
        stance = walk.stance(at_s)
        if stance is None:
            return {}
        figure = person_figure(plan.VIEW, looks, stance, sun=plan.SUN_SHADOW)
        box = figure.box(plan.VIEW.width, plan.VIEW.height)
        return {} if box is None else {"person": ("person", box)}

    return boxes


def watched(
    boxes: Boxes, *, until_s: float, jitter: float = JITTER, phase_s: float = 0.0, seed: int = 0
) -> Iterator[Shown]:
    """Yield what the tracker makes of the boxes, five frames a second.

    Args:
        boxes: The truth.
        until_s: End, exclusive.
        jitter: Standard deviation of each edge, picture units.
        phase_s: Time of the first frame.
        seed: Of the jitter.
    """
    noise = np.random.default_rng(seed)
    tracker = Tracker()
    for index in range(round((until_s - phase_s) * FPS)):
        at_s = phase_s + index / FPS
        truth = boxes(at_s)
        found = _detections(truth, noise, jitter)
        head = header(index, at_s=at_s)
        tracks = tracker.update(found, head)
        yield Shown(
            at_s=at_s,
            seen=Observation(header=head, tracks=tracks),
            objects=_owners(tracks, truth, head),
        )


def _detections(
    truth: Mapping[str, tuple[str, Box]], noise: np.random.Generator, jitter: float
) -> Detections:
    boxes = np.array([box for _, box in truth.values()], np.float64).reshape(-1, 4)
    boxes = np.clip(boxes + noise.normal(0, jitter, boxes.shape), 0, 1)
    return Detections(
        boxes_N4=boxes.astype(np.float32),
        confidences_N=np.full(len(boxes), 0.9, np.float32),
        class_ids_N=np.array([LABELS.index(label) for label, _ in truth.values()], np.int64),
        labels=LABELS,
    )


def _owners(
    tracks: list[Track], truth: Mapping[str, tuple[str, Box]], head: FrameHeader
) -> dict[str, str]:
    owners = {}
    for track in tracks:
        is_shown = track.last.is_observed and track.last.seq == head.seq
        if track.state is TrackState.CONFIRMED and is_shown and truth:
            owners[track.track_id] = min(
                truth, key=lambda name: math.dist(truth[name][1], track.last.box)
            )
    return owners
