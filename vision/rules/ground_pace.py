"""How fast somebody or something goes on the ground, with what that is uncertain by.

The speed is the length of the way of the last second (of up to three, where a second holds too few
sightings) over the time that it took, in metres per second: the way and not the straight line from
its beginning to its end, so that who turns a corner is as fast as before, and who stands for half
of the second is half as fast. It is that of the body's middle.

Plain numbers, since there may be hundreds of tracks in a frame.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Final

from contracts.geometry import Point, standing_point
from contracts.tracks import Track, TrackPoint
from vision.ground import LENGTH_SHARE, GroundPlane
from vision.rules.bent_way import Spot, bent_pace
from vision.rules.pace import LONGEST_WAY_S, Pace, second_before
from vision.rules.rule import TIME_SLACK_S
from vision.upright import Upright, camera_place
from vision.velocity import velocity

STEP_M: Final = 0.2
"""Standard deviation of a walker's lower foot about where the body is: half a step and less."""
NOD_M: Final = 0.06
"""... and of the head."""
TALLEST: Final = 0.8
"""Who stands taller than this share of the camera's height has a head too near to the horizon."""
SHORTEST: Final = 0.1
CHANGED: Final = 0.2
"""Heights that differ by more than this share are of somebody who bends, or is half hidden: the
head tells nothing then."""
APART_SIGMAS: Final = 2.5
"""... nor does one that stands so far off its foot,"""
MOST_APART: Final = 1
"""and if more than this do, none of them does."""
_CALM_SHARE: Final = 0.8
"""... of so many of the sightings; others may be wrong boxes."""
_STRAY_SIGMAS: Final = 4.0
"""A sighting farther off the straight way between its neighbours than this and the longest step of
the others is a wrong box."""
BEYOND_M: Final = 0.5
"""The lower edge of a vehicle's box is its nearest corner, 0.9 to 1.8 m before its middle, and the
side edges are of corners nearer than the middle as well: as if the middle were so far beyond."""
SWING_M: Final = 0.5
"""By so much that corner moves along the body while a vehicle turns by a radian."""

UPRIGHT_LABEL: Final = "person"
"""Who is told from foot and head."""
WIDE_LABELS: Final = frozenset({"bus", "car", "truck", "vehicle"})
"""What is told from a point beyond the foot."""


class GroundMeter:
    """Measures metres per second on the ground plane."""

    def __init__(self, ground: GroundPlane) -> None:
        self._ground = ground
        self._seen: tuple[float, Upright, Point | None] | None = None

    def measure(
        self, track: Track, points: Sequence[TrackPoint], *, jitter: float, aspect: float
    ) -> Pace | None:
        """See ``PaceMeter``."""
        upright, camera = self._from(aspect)
        return ground_pace(
            points,
            self._ground,
            jitter=jitter,
            before=second_before(track, points),
            upright=upright if track.label == UPRIGHT_LABEL else None,
            camera=camera if track.label in WIDE_LABELS else None,
        )

    def _from(self, aspect: float) -> tuple[Upright, Point | None]:
        """Return what is told of heights, and where the camera hangs, in pictures so wide."""
        if self._seen is None or self._seen[0] != aspect:
            camera = camera_place(self._ground, aspect=aspect)
            self._seen = (aspect, Upright(self._ground, aspect=aspect), camera)
        return self._seen[1:]

    def is_slow(self, points: Sequence[TrackPoint], *, limit: float, aspect: float) -> bool:
        """See ``PaceMeter``."""
        del aspect
        chosen = (points[0], points[len(points) // 2], points[-1])
        start, middle, end = (self._ground.place(standing_point(p.box)) for p in chosen)
        if start is None or middle is None or end is None:
            return False
        gone = math.dist(start, middle) + math.dist(middle, end)
        return gone < limit * (points[-1].monotonic_s - points[0].monotonic_s)

    def words(self, *, aspect: float) -> dict[str, str]:
        """See ``PaceMeter``."""
        del aspect
        return {"by": "ground"}


def ground_pace(
    points: Sequence[TrackPoint],
    ground: GroundPlane,
    *,
    jitter: float,
    before: Sequence[TrackPoint] = (),
    upright: Upright | None = None,
    camera: Point | None = None,
) -> Pace | None:
    """Return the length of the way through the points over its time, metres per second.

    By ways of one bend at most (``bent_pace``) through the points and those before them, each place
    with the weight that its distance leaves it; of these points alone where no such way fits, and
    by the median slope where none does even then.

    Args:
        points: Of the last second, oldest first.
        ground: The plane.
        jitter: Standard deviation of the foot's coordinates, picture units.
        before: Those of the second before it, oldest first.
        upright: Given for people: a place is told from foot and head together.
        camera: Where on the ground the camera hangs, given for vehicles: their middle is beyond
            the foot of their box.

    Returns:
        The uncertainty holds that of the calibration, ``LENGTH_SHARE``, that of steps, and of a
        vehicle that turns that of where its foot is. Nobody is faster than the fastest step of
        the foot. None where the points are on no one way, or near the horizon.
    """
    feet, spots = _spots([*before, *points], ground, jitter, upright=upright, camera=camera)
    if len(spots) < len(points):
        return None
    last = spots[-len(points) :]
    rough = velocity(
        [spot.at_s for spot in last],
        [(spot.x, spot.y) for spot in last],
        noise=ground.blur_m(standing_point(points[-1].box), jitter),
    )
    if rough is None:
        return None
    since_s, oldest_s = last[0].at_s, last[-1].at_s - LONGEST_WAY_S - TIME_SLACK_S
    long = [spot for spot in spots if spot.at_s >= min(since_s, oldest_s)]
    swing_m = 0.0 if camera is None else SWING_M
    pace, sigma = (
        bent_pace(_without_strays(long), since_s=since_s, swing_m=swing_m)
        or bent_pace(_without_strays(last), since_s=since_s, swing_m=swing_m)
        or (rough.speed, rough.sigma)
    )
    value = min(pace, _fastest_step(spots, feet))
    return Pace(value=value, sigma=math.hypot(sigma, LENGTH_SHARE * pace))


def _spots(
    points: Sequence[TrackPoint],
    ground: GroundPlane,
    jitter: float,
    *,
    upright: Upright | None,
    camera: Point | None,
) -> tuple[list[Point], list[Spot]]:
    """Return where the newest of the points are that have a place without a gap.

    By the foot, and by all that is known.
    """
    placed: list[tuple[TrackPoint, Point, Point]] = []
    for point in reversed(points):
        foot = standing_point(point.box)
        place = ground.place(foot)
        if place is None:
            break
        placed.append((point, foot, place if camera is None else beyond(place, camera)))
    if not placed:
        return [], []
    placed.reverse()
    share = None if upright is None else _share([(p, foot) for p, foot, _ in placed], upright)
    # Blurs grow with the square of the distance.
    _, foot, _ = placed[-1]
    blur = ground.blur_m(foot, jitter) * ground.scale(foot) ** 2
    step = 0.0 if upright is None else STEP_M**2
    by_foot: list[Spot] = []
    by_both: list[Spot] = []
    apart = 0
    for point, foot, place in placed:
        blurred = (blur / ground.scale(foot) ** 2) ** 2
        x, y, variance = *place, blurred + step
        by_foot.append(Spot(point.monotonic_s, x, y, variance))
        if upright is None or share is None:
            continue
        below = upright.foot((foot[0], point.box[1]), share)
        other = None if below is None else ground.place(below)
        if other is not None:
            sway = blurred / (1 - share) ** 2 + NOD_M**2
            if math.dist(other, place) > APART_SIGMAS * math.sqrt(variance + sway):
                apart += 1
            else:
                weight = variance / (variance + sway)
                x, y = x + weight * (other[0] - x), y + weight * (other[1] - y)
                variance *= 1 - weight
        by_both.append(Spot(point.monotonic_s, x, y, variance))
    feet = [place for _, _, place in placed]
    return feet, by_both if by_both and apart <= MOST_APART else by_foot


def _share(seen: Sequence[tuple[TrackPoint, Point]], upright: Upright) -> float | None:
    """Return how tall somebody stands; None where that changes, or is no height of a person."""
    shares = sorted(upright.share(foot, (foot[0], point.box[1])) for point, foot in seen)
    middle = shares[len(shares) // 2]
    if not SHORTEST < middle < TALLEST:
        return None
    off = sorted(abs(share / middle - 1) for share in shares)
    return middle if off[int(_CALM_SHARE * (len(off) - 1))] <= CHANGED else None


def beyond(place: Point, camera: Point) -> Point:
    """Return the place so much farther from the camera as a vehicle's middle is from its foot."""
    apart = math.dist(place, camera)
    longer = 1 + BEYOND_M / max(apart, BEYOND_M)
    return (
        camera[0] + longer * (place[0] - camera[0]),
        camera[1] + longer * (place[1] - camera[1]),
    )


def _without_strays(spots: Sequence[Spot]) -> Sequence[Spot]:
    """Return the spots without those that are far off the way of their neighbours."""
    last = len(spots) - 1
    if last < 4:
        return spots
    steps = [math.hypot(b.x - a.x, b.y - a.y) for a, b in itertools.pairwise(spots)]
    longest = sorted(range(last), key=steps.__getitem__)[:-4:-1]
    strays = set()
    for index, (at_s, x, y, variance) in enumerate(spots):
        bound = _STRAY_SIGMAS * math.sqrt(variance)
        bound += steps[next(at for at in longest if at not in (index - 1, index))]
        # Between its neighbours; at the ends, on from the two that are next to it.
        before = 2 if index == 0 else last - 2 if index == last else index - 1
        after = 1 if index == 0 else last - 1 if index == last else index + 1
        start_s, start_x, start_y, _ = spots[before]
        end_s, end_x, end_y, _ = spots[after]
        share = (at_s - start_s) / (end_s - start_s)
        off_x = start_x + share * (end_x - start_x) - x
        off_y = start_y + share * (end_y - start_y) - y
        if off_x * off_x + off_y * off_y > bound * bound:
            strays.add(index)
    return [spot for index, spot in enumerate(spots) if index not in strays] if strays else spots


def _fastest_step(spots: Sequence[Spot], feet: Sequence[Point]) -> float:
    """Return a speed that no way through these feet exceeds."""
    across = along = 0.0
    for (before, start), (after, end) in itertools.pairwise(zip(spots, feet, strict=True)):
        passed_s = after.at_s - before.at_s
        across = max(across, abs(end[0] - start[0]) / passed_s)
        along = max(along, abs(end[1] - start[1]) / passed_s)
    return math.hypot(across, along)
