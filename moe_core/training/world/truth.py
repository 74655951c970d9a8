"""What is true of an incident: whom its tracks follow, who was there, what really happened.

Shape legend: T = frames of the scene, 2 = x and y.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.geometry import PICTURE_MARGIN, Zone
from contracts.incidents import Incident
from contracts.tracks import Track, TrackPoint, TrackState
from moe_core.training.world.actors import Actor
from moe_core.training.world.scene import Scene

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

GRID: Final = 1 << 16
"""Steps across the picture on which true boxes lie: a hundredth of a pixel."""
BEFORE_S: Final = 10.0
"""Objects are told from so long before an incident to so long after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is true of one revision of an incident.

    Attributes:
        owners: For each of its tracks, the id of the true object; empty where nothing is.
        objects: Every true object that was in the picture about that time, with its exact box in
            every analysed frame; the track id is the object's.
        real_events: Ids of its rule events that are true in the world.
        is_real: What it is mainly about is true.
        family: The story that was told.
        is_look_alike: The story only looks like an event.
        site: Number of the camera.
    """

    owners: Mapping[str, str]
    objects: tuple[Track, ...] = ()
    real_events: frozenset[str] = frozenset()
    is_real: bool
    family: str
    is_look_alike: bool
    site: int


@dataclass(slots=True, kw_only=True)
class Past:
    """The exact past of a scene, as rules would have measured it without any error."""

    scene: Scene
    _inside: dict[tuple[int, str], Bools] = field(default_factory=dict)

    def row(self, object_id: str) -> int | None:
        """Return the row of a true object; None if it is none."""
        for row, actor in enumerate(self.scene.actors):
            if actor.object_id == object_id and not actor.is_ghost:
                return row
        return None

    def actor(self, row: int) -> Actor:
        """Return who that is."""
        return self.scene.actors[row]

    def feet(self, row: int) -> Array:
        """Return its standing points, shape (T, 2); NaN where it is not in view."""
        boxes_T4 = self.scene.boxes_AT4[row]
        feet_T2 = np.stack([(boxes_T4[:, 0] + boxes_T4[:, 2]) / 2, boxes_T4[:, 3]], axis=1)
        feet_T2 = np.clip(feet_T2, PICTURE_MARGIN, 1 - PICTURE_MARGIN)
        feet_T2[~self.scene.in_view_AT[row]] = np.nan
        return np.asarray(feet_T2, np.float64)

    def inside(self, row: int, zone: Zone) -> Bools:
        """Say in which frames its foot is in a zone."""
        key = (row, zone.zone_id)
        if key not in self._inside:
            self._inside[key] = contains(zone, self.feet(row))
        return self._inside[key]

    def between(self, start_s: float, end_s: float) -> Bools:
        """Say which frames lie between two times."""
        times_T = self.scene.times_T
        return np.asarray((times_T >= start_s - 1e-6) & (times_T <= end_s + 1e-6))

    def stay_s(self, row: int, zone: Zone, *, until_s: float, grace_s: float) -> float:
        """Return how long the stay that goes on at a time has lasted, absences forgiven."""
        times = self.scene.times_T[self.inside(row, zone) & self.between(-np.inf, until_s)]
        if not len(times) or until_s - times[-1] > grace_s:
            return 0.0
        breaks = np.flatnonzero(np.diff(times) > grace_s)
        first = times[breaks[-1] + 1] if len(breaks) else times[0]
        return float(times[-1] - first)


def contains(zone: Zone, points_T2: Array) -> Bools:
    """Say which points lie in a zone, as ``Zone.contains`` does; NaN lies nowhere."""
    x, y = points_T2.T
    inside = np.zeros(len(x), np.bool_)
    previous_x, previous_y = zone.polygon[-1]
    for corner_x, corner_y in zone.polygon:
        if corner_y != previous_y:
            crosses = (corner_y > y) != (previous_y > y)
            at = (previous_x - corner_x) * (y - corner_y) / (previous_y - corner_y) + corner_x
            inside ^= crosses & (x < at)
        previous_x, previous_y = corner_x, corner_y
    return np.asarray(inside & np.isfinite(x), np.bool_)


def true_objects(
    scene: Scene, *, run_id: str, start_s: float, end_s: float, before_s: float = BEFORE_S
) -> tuple[Track, ...]:
    """Return every true object in the picture at a time, as a track of exact boxes."""
    times_T = scene.times_T
    is_then_T = (times_T >= start_s - before_s) & (times_T <= end_s + before_s)
    found = []
    for row, actor in enumerate(scene.actors):
        frames = np.flatnonzero(is_then_T & scene.in_view_AT[row])
        if actor.is_ghost or not len(frames):
            continue
        boxes = (np.rint(scene.boxes_AT4[row, frames] * GRID) / GRID).tolist()
        points = tuple(
            TrackPoint(
                seq=int(scene.seqs_T[frame]),
                monotonic_s=float(times_T[frame]),
                captured_at=scene.at(float(times_T[frame])),
                box=(box[0], box[1], box[2], box[3]),
                confidence=1.0,
                is_observed=True,
            )
            for frame, box in zip(frames.tolist(), boxes, strict=True)
        )
        found.append(
            Track(
                track_id=actor.object_id,
                camera_id=scene.site.camera_id,
                run_id=run_id,
                label=actor.label,
                label_confidence=1.0,
                state=TrackState.CONFIRMED,
                points=points,
                hits=len(points),
                misses=0,
                first_seen_at=points[0].captured_at,
                first_seen_s=points[0].monotonic_s,
            )
        )
    return tuple(found)


def truth_of(
    scene: Scene,
    incident: Incident,
    *,
    owners: Mapping[str, str],
    real_events: frozenset[str],
) -> Truth:
    """Return the truth of an incident whose events have been judged."""
    first = incident.kind
    return Truth(
        owners=dict(owners),
        objects=true_objects(
            scene, run_id=incident.run_id, start_s=incident.started_s, end_s=incident.updated_s
        ),
        real_events=real_events,
        is_real=any(
            event.kind is first and event.event_id in real_events for event in incident.rule_events
        ),
        family=scene.family,
        is_look_alike=scene.is_look_alike,
        site=scene.site.number,
    )
