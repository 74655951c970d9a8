"""Speeds that rules measure against exact truth (``python -m tests.bench.speeds``).

Drawn boxes with a detector's jitter through the real tracker, on ground calibrated by four points.
A speed is the length of the way of the body's middle over the last second, and so is the truth that
it is compared with. Prints a Markdown table.
"""

import argparse
import itertools
import math
import random
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from contracts.geometry import Point
from contracts.tracks import Track
from ingest.sources.scenes import yard_plan as plan
from ingest.sources.scenes.car import CarPose
from ingest.sources.scenes.motion import Bend, Drive, Knot, Walk, Waypoint
from ingest.sources.scenes.yard_script import CAR, PEOPLE
from tests.bench.__main__ import machine
from tests.vision.drawn_truth import (
    FPS,
    YARD_CALIBRATION,
    Boxes,
    car_boxes,
    drive_boxes,
    middle_of,
    person_boxes,
    walk_boxes,
    watched,
    yard_boxes,
    yard_middle,
)
from vision.ground import GroundPlane
from vision.kinematics import foot_jitter
from vision.rules.ground_pace import GroundMeter
from vision.rules.pace import JITTER_POINTS, Pace, last_second

SEEDS: Final = 20
LOOP_S: Final = 80.0
LEAST_MPS: Final = 0.8
"""A tenth of less is less than boxes can tell."""
_STEPS: Final = 20
_LEG_S: Final = 2.6
"""People go so long before and after they turn."""

Place = Callable[[float], Point | None]
"""Where the middle of a body is on the ground at a time, metres."""


class Told(NamedTuple):
    """One speed that was asked for: None where none was given."""

    true_mps: float
    pace: Pace | None


class Shown(NamedTuple):
    """What is shown: boxes, where the object ``name`` truly is, and for how long."""

    name: str
    boxes: Boxes
    place: Place
    until_s: float


def told(shown: Shown, *, seed: int) -> Iterator[Told]:
    """Yield each speed of one run, once a second of the way is known."""
    meter = GroundMeter(GroundPlane(YARD_CALIBRATION))
    phase_s = seed % SEEDS / SEEDS / FPS
    for one in watched(shown.boxes, until_s=shown.until_s, seed=seed, phase_s=phase_s):
        for track in one.seen.tracks:
            if one.objects.get(track.track_id) == shown.name:
                yield from _told(track, meter, shown.place)


def _told(track: Track, meter: GroundMeter, place: Place) -> Iterator[Told]:
    window = last_second(track)
    if len(window) < 4 or window[-1].monotonic_s - window[0].monotonic_s < 0.79:
        return
    true_mps = way_mps(place, window[0].monotonic_s, window[-1].monotonic_s)
    if true_mps is None or true_mps < LEAST_MPS:
        return
    jitter = foot_jitter([p for p in track.points[-JITTER_POINTS:] if p.is_observed])
    aspect = plan.VIEW.width / plan.VIEW.height
    yield Told(true_mps, meter.measure(track, window, jitter=jitter, aspect=aspect))


def way_mps(place: Place, start_s: float, end_s: float) -> float | None:
    """Return the length of the true way over its time; None if it was not there all the time."""
    times = [start_s + (end_s - start_s) * step / _STEPS for step in range(_STEPS + 1)]
    places = [at for at in map(place, times) if at is not None]
    if len(places) < len(times):
        return None
    return sum(itertools.starmap(math.dist, itertools.pairwise(places))) / (end_s - start_s)


def straight() -> Iterator[tuple[str, Shown]]:
    """Yield who and what goes straight on at an even speed."""
    for speed_mps in (2.0, 4.0, 8.0, 12.0):
        for slant, way in ((0.0, "across"), (0.3, "slantwise")):
            boxes = car_boxes(speed_mps, z=13.0, slant=slant)
            place = _even(speed_mps, (0.0, 0.0), (1.0, 0.0))
            name = f"car, {speed_mps:g} m/s, {way}"
            yield name, Shown("car", boxes, place, 24 / speed_mps)
    for speed_mps in (1.4, 2.5, 4.0):
        for way, start, end in (
            ("across", (-5.0, 12.0), (5.0, 12.0)),
            ("towards the camera", (0.0, 19.0), (0.0, 8.0)),
            ("away from the camera", (1.0, 8.0), (1.0, 19.0)),
            ("slantwise", (-4.0, 17.0), (3.0, 9.0)),
        ):
            boxes = person_boxes(speed_mps, start=start, end=end)
            lasts_s = math.dist(start, end) / speed_mps
            place = _even(speed_mps, start, end)
            yield f"person, {speed_mps:g} m/s, {way}", Shown("person", boxes, place, lasts_s)


def _even(speed_mps: float, start: Point, end: Point) -> Place:
    share = speed_mps / math.dist(start, end)

    def place(at_s: float) -> Point:
        along = share * at_s
        return (start[0] + along * (end[0] - start[0]), start[1] + along * (end[1] - start[1]))

    return place


def turning_walk(seed: int) -> Shown | None:
    """Return somebody who turns, stops, sets out, or goes faster, at once or over 0.6 s.

    None where the way would leave the middle of the yard.
    """
    drawn = random.Random(seed)  # noqa: S311  # a scene, no secret
    change_s = drawn.choice((0.0, 0.3, 0.6))
    first = drawn.choice((0.0, 1.2, 1.4, 2.5, 4.0))
    second = drawn.choice((0.0, 1.2, 1.4, 2.5, 4.0) if first else (1.4, 2.5, 4.0))
    if drawn.random() < 0.5:
        second = first or second
    heading = drawn.uniform(0, 2 * math.pi)
    turn = drawn.choice((-1, 1)) * drawn.choice((0.5, 1.0, 1.57, 2.2, 3.1))
    after = heading + (turn if first and second else 0.0)
    corner = (drawn.uniform(-2, 2), drawn.uniform(10.0, 14.0))
    x = z = 0.0
    way, step_s = [(0.0, 0.0)], 0.02
    steps = round(2 * _LEG_S / step_s)
    for step in range(steps):
        past_s = (step + 0.5) * step_s - _LEG_S
        share = min(1.0, max(0.0, past_s / change_s + 0.5)) if change_s else float(past_s > 0)
        x += step_s * ((1 - share) * first * math.cos(heading) + share * second * math.cos(after))
        z += step_s * ((1 - share) * first * math.sin(heading) + share * second * math.sin(after))
        way.append((x, z))
    middle = way[steps // 2]
    points = [
        Waypoint(step * step_s, corner[0] + x - middle[0], corner[1] + z - middle[1])
        for step, (x, z) in enumerate(way)
    ]
    if any(abs(point.x_m) > 7 or not 6.5 < point.z_m < 20 for point in points):
        return None
    walk = Walk(points)

    def place(at_s: float) -> Point | None:
        stance = walk.stance(at_s)
        return None if stance is None else (stance.x_m, stance.z_m)

    return Shown("person", walk_boxes(walk), place, walk.span_s[1])


def drive_of(kind: str, seed: int) -> Shown | None:
    """Return a car that goes straight on, turns by a quarter, brakes to a stand or sets out.

    Whichever way it points; None where it would leave the yard.
    """
    drawn = random.Random(seed)  # noqa: S311  # a scene, no secret
    heading, mps = drawn.uniform(0, 2 * math.pi), drawn.choice((2.0, 3.0, 5.0, 8.0))
    radius_m, side = drawn.choice((4.0, 5.0, 7.0)), drawn.choice((-1, 1))
    change_s = mps / drawn.choice((2.0, 3.0, 5.0))
    middle = (drawn.uniform(-2, 2), drawn.uniform(11, 16))
    bends = [Bend(60.0)]
    if kind == "turns":
        mps = min(mps, 5.0)
        quarter = Bend(radius_m * math.pi / 2, side * math.pi / 2)
        bends = [Bend(mps * 2), quarter, Bend(mps * 2)]
        length_m = sum(bend.length_m for bend in bends)
        knots = [Knot(0.0, 0.0, mps), Knot(length_m / mps, length_m, mps)]
    elif kind == "brakes":
        end = (2.0 + change_s, mps * (2.0 + change_s / 2))
        knots = [Knot(0.0, 0.0, mps), Knot(2.0, 2 * mps, mps), Knot(*end, 0.0)]
        knots.append(Knot(end[0] + 2.0, end[1], 0.0))
    elif kind == "sets out":
        knots = [Knot(0.0, 0.0, 0.0), Knot(1.5, 0.0, 0.0)]
        knots.append(Knot(1.5 + change_s, mps * change_s / 2, mps))
        knots.append(Knot(3.5 + change_s, mps * (2 + change_s / 2), mps))
    else:
        knots = [Knot(0.0, 0.0, mps), Knot(3.0, 3 * mps, mps)]
    until_s = knots[-1].at_s
    half = Drive(CarPose(0.0, 0.0, heading), bends, knots).pose(until_s / 2)
    if half is None:
        return None
    start = CarPose(middle[0] - half.x_m, middle[1] - half.z_m, heading)
    drive = Drive(start, bends, knots)
    poses = [drive.pose(until_s * step / 20.001) for step in range(20)]
    if any(pose is None or not 7 < pose.z_m < 24 for pose in poses):
        return None

    def place(at_s: float) -> Point | None:
        pose = drive.pose(at_s)
        return None if pose is None else middle_of(pose)

    return Shown("car", drive_boxes(drive), place, until_s)


def _yard(name: str) -> Shown:
    return Shown(name, yard_boxes, lambda at_s: yard_middle(name, at_s), LOOP_S)


def rows(*, seeds: int, ways: int) -> Iterator[str]:
    """Yield the lines of the table."""
    yield (
        "| what moves | speeds | mean error | median | 90 of 100 | within 10 % "
        "| within 1 uncertainty | within 2 |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for name, even in straight():
        yield _row(name, [one for seed in range(seeds) for one in told(even, seed=seed)])
    numbers = range(ways)
    walks = [(n, shown) for n in numbers if (shown := turning_walk(n)) is not None]
    yield _row(
        f"{len(walks)} people who turn, stop or set out",
        [one for seed, shown in walks for one in told(shown, seed=seed)],
    )
    for kind in ("goes straight on", "brakes", "sets out", "turns"):
        drives = [(n, shown) for n in numbers if (shown := drive_of(kind, n)) is not None]
        name = f"car that {kind}, any way, {len(drives)} of them"
        yield _row(name, [one for seed, shown in drives for one in told(shown, seed=seed)])
    people, car = (
        [one for name in names for seed in range(seeds) for one in told(_yard(name), seed=seed)]
        for names in (tuple(PEOPLE), (CAR,))
    )
    yield _row("the yard's script, its people", people)
    yield _row("the yard's script, its car", car)
    yield _row("the yard's script", people + car)


def _row(name: str, found: Sequence[Told]) -> str:
    """One row; a speed that was not given is none within 10 %."""
    given = [(one.true_mps, one.pace) for one in found if one.pace is not None]
    errors = [pace.value / true_mps - 1 for true_mps, pace in given]
    sizes = sorted(map(abs, errors))
    apart = [abs(pace.value - true_mps) / pace.sigma for true_mps, pace in given]
    one, two = (sum(sigmas <= bound for sigmas in apart) / len(apart) for bound in (1, 2))
    return (
        f"| {name} | {len(found)} | {statistics.mean(errors):+.1%} "
        f"| {statistics.median(sizes):.1%} | {sizes[int(0.9 * len(sizes))]:.1%} "
        f"| {sum(size <= 0.1 for size in sizes) / len(found):.0%} | {one:.0%} | {two:.0%} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="runs of each even way (20)")
    parser.add_argument("--ways", type=int, default=300, help="of each kind that turns (300)")
    arguments = parser.parse_args()
    sys.stdout.write(f"{machine()}\n\n")
    for line in rows(seeds=arguments.seeds, ways=arguments.ways):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
