"""Random comings and goings through the real tracker: walks, stays, groups, runs, lost sight."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from contracts.detections import Detections
from contracts.frames import FrameHeader
from contracts.geometry import Box, Line, Point, Zone
from contracts.rules import RuleKind, RuleSettings, SceneRules
from contracts.tracks import Track
from tests.fakes.clock import START
from tests.vision.rules.test_registry import SQUARE
from vision.tracker import Tracker

LABELS = ("person", "car", "dog")
YARD = Zone(
    zone_id="yard", polygon=((0.3, 0.2), (0.75, 0.25), (0.8, 0.9), (0.5, 0.7), (0.25, 0.95))
)
GATE = Line(line_id="gate", points=((0.5, 1.0), (0.55, 0.6), (0.45, 0.2)))

_STEPS_S = (0.2, 0.203, 1.1, 4.0, 30.0)
_STEP_SHARES = (0.90, 0.08, 0.012, 0.006, 0.002)

Frames = list[tuple[FrameHeader, Sequence[Track]]]


@dataclass(frozen=True)
class Walker:
    """Somebody who goes from place to place, a stop at each, from a time on."""

    starts_s: float
    places: tuple[Point, ...]
    pace: float
    stop_s: float
    label: str
    height: float

    def box(self, at_s: float) -> Box | None:
        left_s = at_s - self.starts_s
        if left_s < 0:
            return None
        for start, end in zip(self.places, self.places[1:], strict=False):
            walk_s = max(0.2, math.dist(start, end) / self.pace)
            if left_s < walk_s + self.stop_s:
                share = min(1.0, left_s / walk_s)
                x, y = (start[axis] + share * (end[axis] - start[axis]) for axis in (0, 1))
                width = self.height * (0.4 if self.label == "person" else 1.5)
                return (x - width / 2, y - self.height, x + width / 2, y)
            left_s -= walk_s + self.stop_s
        return None


def walkers(noise: np.random.Generator, *, count: int, until_s: float) -> list[Walker]:
    """People and cars at random; some of them in groups."""
    found: list[Walker] = []
    while len(found) < count:
        places = tuple(
            (float(x), float(y)) for x, y in noise.uniform((0.0, 0.2), (1.0, 1.0), (4, 2))
        )
        one = Walker(
            starts_s=float(noise.uniform(0, 0.7 * until_s)),
            places=places,
            pace=float(noise.choice([0.06, 0.1, 0.25, 0.5])),
            stop_s=float(noise.choice([0.0, 1.0, 8.0])),
            label=str(noise.choice(LABELS, p=(0.7, 0.2, 0.1))),
            height=float(noise.uniform(0.08, 0.3)),
        )
        group = 3 if noise.random() < 0.25 else 1
        for index in range(group):
            shift = 0.12 * index
            moved = tuple((min(1.0, x + shift), y) for x, y in places)
            found.append(replace(one, places=moved, starts_s=one.starts_s + 0.4 * index))
    return found[:count]


def street(
    seed: int,
    *,
    count: int = 8,
    until_s: float = 60.0,
    began: datetime = START,
    stalls: bool = True,
) -> Frames:
    """What the tracker makes of them, with misses, wrong labels and frames that stay away."""
    people = walkers(np.random.default_rng(seed), count=count, until_s=until_s)
    return [*followed(people, seed, until_s=until_s, began=began, stalls=stalls)]


def followed(
    people: Sequence[Walker], seed: int, *, until_s: float, began: datetime, stalls: bool
) -> Iterator[tuple[FrameHeader, Sequence[Track]]]:
    """The same frame by frame, of people who are given."""
    noise = np.random.default_rng([seed, 1])
    tracker = Tracker()
    at_s, seq = 0.0, 0
    while at_s < until_s:
        header = FrameHeader(
            camera_id="cam",
            run_id="run1",
            seq=seq,
            captured_at=began + timedelta(seconds=at_s),
            monotonic_s=at_s,
            width=640,
            height=360,
        )
        yield header, tracker.update(_detected(people, at_s, noise), header)
        at_s += float(noise.choice(_STEPS_S, p=_STEP_SHARES)) if stalls else _STEPS_S[0]
        seq += 1 + int(noise.random() < 0.02)


def _detected(people: Sequence[Walker], at_s: float, noise: np.random.Generator) -> Detections:
    found: list[tuple[npt.NDArray[np.float64], str]] = []
    for one in people:
        box = one.box(at_s)
        if box is not None and noise.random() < 0.93:
            label = one.label if noise.random() < 0.97 else str(noise.choice(LABELS))
            found.append((np.clip(np.array(box) + noise.normal(0, 0.002, 4), 0, 1), label))
    found = [(box, label) for box, label in found if box[0] < box[2] and box[1] < box[3]]
    if not found:
        return Detections.none(LABELS)
    return Detections(
        boxes_N4=np.array([box for box, _ in found], np.float32),
        confidences_N=noise.uniform(0.4, 0.95, len(found)).astype(np.float32),
        class_ids_N=np.array([LABELS.index(label) for _, label in found], np.int64),
        labels=LABELS,
    )


def _rule(kind: RuleKind, rule_id: str = "", **params: float | str) -> RuleSettings:
    by_line = (RuleKind.LINE_CROSS, RuleKind.TAILGATE)
    anywhere = (RuleKind.SPEED, RuleKind.SEQUENCE, RuleKind.CROWD, RuleKind.WRONG_WAY)
    return RuleSettings(
        rule_id=rule_id or kind.value,
        kind=kind,
        params=params,
        line_id="gate" if kind in by_line else "",
        zone_id="" if kind in (*by_line, *anywhere) else "yard",
    )


EVERY_KIND = SceneRules(
    zones=(YARD,),
    lines=(GATE,),
    calibration=SQUARE,
    rules=(
        _rule(RuleKind.INTRUSION),
        _rule(RuleKind.INTRUSION, "brief", threshold_s=0.0, grace_s=0.0),
        replace(_rule(RuleKind.INTRUSION, "cars"), labels=("vehicle",)),
        _rule(RuleKind.LOITER, threshold_s=6.0),
        _rule(RuleKind.LOITER, "long", threshold_s=12.0, grace_s=5.0),
        _rule(RuleKind.ZONE_ENTRY),
        _rule(RuleKind.ZONE_ENTRY, "steady", frames=5, grace_s=1.0),
        _rule(RuleKind.ZONE_EXIT),
        _rule(RuleKind.ZONE_EXIT, "slow-exit", outside_s=3.0, inside_s=2.0),
        _rule(RuleKind.LINE_CROSS),
        replace(_rule(RuleKind.LINE_CROSS, "people-left", direction="left", hysteresis=0.05),
                labels=("person",)),
        _rule(RuleKind.TAILGATE, within_s=4.0),
        _rule(RuleKind.CROWD, threshold=3),
        replace(_rule(RuleKind.CROWD, "few", threshold=2, hold_s=0.5), zone_id="yard"),
        replace(_rule(RuleKind.CROWD, "dense", density=0.03), zone_id="yard"),
        _rule(RuleKind.WRONG_WAY, direction=90.0),
        replace(_rule(RuleKind.WRONG_WAY, "by-line", threshold_deg=95.0), line_id="gate"),
        replace(_rule(RuleKind.WRONG_WAY, "sharp", direction=10.0, threshold_deg=40.0),
                zone_id="yard"),
        _rule(RuleKind.SPEED, threshold_mps=2.0),
        _rule(RuleKind.RUNNING, threshold=0.8),
        _rule(RuleKind.SEQUENCE, first="zone_entry", then="line_cross", within_s=20.0),
        _rule(RuleKind.SEQUENCE, "any-two", first="line_cross", then="loiter", who="any"),
    ),
)  # fmt: skip
"""Rules of every kind that tracks alone decide, with usual and unusual parameters."""
