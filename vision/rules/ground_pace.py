"""How fast somebody or something goes on the ground, with what that is uncertain by.

Plain numbers, since there may be hundreds of tracks in a frame.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from contracts.geometry import Point, standing_point
from contracts.tracks import Track, TrackPoint
from vision.estimates import MAD_TO_SIGMA
from vision.ground import LENGTH_SHARE, GroundPlane
from vision.rules.pace import Pace, second_before
from vision.upright import Upright
from vision.velocity import LEAST_POINTS, Velocity, velocity

LONGER_S: Final = (2.0, 1.5)
"""Windows that are taken instead of the last second where they agree with it."""
AGREED_SHARE: Final = 0.02
"""So much of a speed two windows may differ beyond what is uncertain of the shorter one."""
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
MOST_APART: Final = 1
"""... and so are more sightings than this whose head stands so far off their foot."""
_CALM_SHARE: Final = 0.8
"""... of so many of the sightings; others may be wrong boxes."""
_OFF_SIGMAS: Final = 3.0
_OFF_SHARE: Final = 0.15
"""A sighting farther off the way than this share of its length does not count."""


UPRIGHT_LABEL: Final = "person"
"""Who is told from foot and head."""


class GroundMeter:
    """Measures metres per second on the ground plane."""

    def __init__(self, ground: GroundPlane) -> None:
        self._ground = ground
        self._upright: tuple[float, Upright] | None = None

    def measure(
        self, track: Track, points: Sequence[TrackPoint], *, jitter: float, aspect: float
    ) -> Pace | None:
        """See ``PaceMeter``."""
        found = ground_velocity(
            points,
            self._ground,
            jitter=jitter,
            before=second_before(track, points),
            upright=self._standing(aspect) if track.label == UPRIGHT_LABEL else None,
        )
        return None if found is None else Pace(value=found.speed, sigma=found.sigma)

    def _standing(self, aspect: float) -> Upright:
        if self._upright is None or self._upright[0] != aspect:
            self._upright = (aspect, Upright(self._ground, aspect=aspect))
        return self._upright[1]

    def is_slow(self, first: TrackPoint, last: TrackPoint, *, limit: float, aspect: float) -> bool:
        """See ``PaceMeter``."""
        del aspect
        start = self._ground.place(standing_point(first.box))
        end = self._ground.place(standing_point(last.box))
        if start is None or end is None:
            return False
        return math.dist(start, end) < limit * (last.monotonic_s - first.monotonic_s)

    def words(self, *, aspect: float) -> dict[str, str]:
        """See ``PaceMeter``."""
        del aspect
        return {"by": "ground"}


class _Spot(NamedTuple):
    """A place on the ground at a time, and the variance of each of its coordinates."""

    at_s: float
    x: float
    y: float
    variance: float


def ground_velocity(
    points: Sequence[TrackPoint],
    ground: GroundPlane,
    *,
    jitter: float,
    before: Sequence[TrackPoint] = (),
    upright: Upright | None = None,
) -> Velocity | None:
    """Return the velocity on the ground, metres per second; None where unknown.

    A line of least squares through the places, each with the weight that its distance leaves it;
    what is off the median way of the last second (``vision/velocity.py``) is left out. Of somebody
    upright a place is told from foot and head together. Windows longer than the last second are
    taken if they agree with it: who turns or stops is measured over a second.

    Args:
        points: Of the last second, oldest first.
        ground: The plane.
        jitter: Standard deviation of the foot's coordinates, picture units.
        before: Those of the second before it, oldest first.
        upright: Given for people.

    Returns:
        The uncertainty holds that of the calibration, ``LENGTH_SHARE``, and that of steps. Nobody
        is faster than the fastest step of the foot.
    """
    feet, spots = _spots([*before, *points], ground, jitter=jitter, upright=upright)
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
    found = _line(_on_way(last, rough))
    for span_s in LONGER_S:
        longer = [spot for spot in spots if last[-1].at_s - spot.at_s <= span_s + 1e-6]
        if len(longer) <= len(last):
            continue
        other = _line(longer)
        apart = math.hypot(other.x - found.x, other.y - found.y)
        doubt = math.sqrt(max(0.0, found.sigma**2 - other.sigma**2))
        if apart <= doubt + AGREED_SHARE * found.speed:
            found = other
            break
    share = min(1.0, _fastest_step(spots, feet) / max(found.speed, 1e-12))
    sigma = math.hypot(found.sigma, LENGTH_SHARE * found.speed)
    return Velocity(x=share * found.x, y=share * found.y, sigma=sigma)


def _spots(
    points: Sequence[TrackPoint], ground: GroundPlane, *, jitter: float, upright: Upright | None
) -> tuple[list[Point], list[_Spot]]:
    """Return where the newest of the points are that have a place without a gap.

    By the foot, and by all that is known.
    """
    placed: list[tuple[TrackPoint, Point, Point]] = []
    for point in reversed(points):
        foot = standing_point(point.box)
        place = ground.place(foot)
        if place is None:
            break
        placed.append((point, foot, place))
    if not placed:
        return [], []
    placed.reverse()
    share = None if upright is None else _share([(p, foot) for p, foot, _ in placed], upright)
    # Blurs grow with the square of the distance.
    _, foot, _ = placed[-1]
    blur = ground.blur_m(foot, jitter) * ground.scale(foot) ** 2
    step = 0.0 if upright is None else STEP_M**2
    by_foot: list[_Spot] = []
    by_both: list[_Spot] = []
    apart = 0
    for point, foot, place in placed:
        blurred = (blur / ground.scale(foot) ** 2) ** 2
        x, y, variance = *place, blurred + step
        by_foot.append(_Spot(point.monotonic_s, x, y, variance))
        if upright is None or share is None:
            continue
        below = upright.foot((foot[0], point.box[1]), share)
        other = None if below is None else ground.place(below)
        if other is not None:
            sway = blurred / (1 - share) ** 2 + NOD_M**2
            apart += math.dist(other, place) > APART_SIGMAS * math.sqrt(variance + sway)
            weight = variance / (variance + sway)
            x, y = x + weight * (other[0] - x), y + weight * (other[1] - y)
            variance *= 1 - weight
        by_both.append(_Spot(point.monotonic_s, x, y, variance))
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


def _on_way(spots: Sequence[_Spot], rough: Velocity) -> Sequence[_Spot]:
    """Return those that are on the rough way; all where these would be too few."""
    since_s = spots[0].at_s
    levels = [
        (spot.x - rough.x * (spot.at_s - since_s), spot.y - rough.y * (spot.at_s - since_s))
        for spot in spots
    ]
    across, along = (sorted(axis)[len(axis) // 2] for axis in zip(*levels, strict=True))
    length = rough.speed * (spots[-1].at_s - since_s)
    kept = [
        spot
        for spot, (x, y) in zip(spots, levels, strict=True)
        if max(abs(x - across), abs(y - along))
        <= max(_OFF_SIGMAS * math.sqrt(spot.variance), _OFF_SHARE * length)
    ]
    return kept if len(kept) >= LEAST_POINTS else spots


def _line(spots: Sequence[_Spot]) -> Velocity:
    """Return the velocity of least weighted squares; its uncertainty grows with what is off it."""
    since_s, left, top, _ = spots[0]
    weights = [1 / max(variance, 1e-12) for _, _, _, variance in spots]
    places = [(at_s - since_s, x - left, y - top) for at_s, x, y, _ in spots]
    whole = middle_s = middle_x = middle_y = 0.0
    for weight, (at_s, x, y) in zip(weights, places, strict=True):
        whole += weight
        middle_s += weight * at_s
        middle_x += weight * x
        middle_y += weight * y
    middle_s, middle_x, middle_y = middle_s / whole, middle_x / whole, middle_y / whole
    spanned = speed_x = speed_y = 0.0
    for weight, (at_s, x, y) in zip(weights, places, strict=True):
        pull = weight * (at_s - middle_s)
        spanned += pull * (at_s - middle_s)
        speed_x += pull * (x - middle_x)
        speed_y += pull * (y - middle_y)
    speed_x, speed_y = speed_x / spanned, speed_y / spanned
    off: list[float] = []
    for weight, (at_s, x, y) in zip(weights, places, strict=True):
        root, past_s = math.sqrt(weight), at_s - middle_s
        off.append(root * abs(x - middle_x - speed_x * past_s))
        off.append(root * abs(y - middle_y - speed_y * past_s))
    off.sort()
    spread = max(1.0, MAD_TO_SIGMA * off[len(off) // 2])
    return Velocity(x=speed_x, y=speed_y, sigma=spread / math.sqrt(spanned))


def _fastest_step(spots: Sequence[_Spot], feet: Sequence[Point]) -> float:
    """Return a speed that no way through these feet exceeds."""
    across = along = 0.0
    for (before, start), (after, end) in itertools.pairwise(zip(spots, feet, strict=True)):
        passed_s = after.at_s - before.at_s
        across = max(across, abs(end[0] - start[0]) / passed_s)
        along = max(along, abs(end[1] - start[1]) / passed_s)
    return math.hypot(across, along)
