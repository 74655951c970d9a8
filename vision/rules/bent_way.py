"""The pace of a way that bends, begins or ends once: how long it is, over how long it took.

A line laid through a turn is shorter than the way, and one laid through a stop is too steep: it
listens to the middle of its time more than to its ends. So the way is taken for two straight parts,
each at its own even pace, that meet somewhere; a part may be a stand.

Plain numbers, since there may be hundreds of tracks in a frame.
"""

import math
from collections.abc import Iterator, Sequence
from operator import sub
from typing import Final, NamedTuple

from contracts.geometry import Point

LEAST_SPOTS: Final = 5
PART_SPOTS: Final = 2
"""Spots of a part, besides the one where the parts meet."""
_MOST_BENDS: Final = 10
"""Places of the bend that are looked at."""
_PRICE: Final = 3.0
"""Of a parameter, in squared deviations: the logarithm of two seconds' coordinates, as the
information criterion of Schwarz (1978) has it."""
_LIKELY: Final = 8.0
"""What is dearer than the best by more is left out: it has less than 2 % of its weight."""
_WORST: Final = 4.0
"""Where even the best way leaves more than this of each square, it is none of one bend."""


class Spot(NamedTuple):
    """A place on the ground at a time, and the variance of each of its coordinates."""

    at_s: float
    x: float
    y: float
    variance: float


class _Side(NamedTuple):
    """Sums over the spots on one side of a bend: of weights times the time since it, and places."""

    time: float
    squared: float
    x: float
    y: float


class _Bent(NamedTuple):
    """One way of two parts, what it costs, and its velocities with their variances."""

    cost: float
    squares: float
    free: int
    first: Point
    second: Point
    first_variance: float
    second_variance: float
    shared: float
    second_share: float


def bent_pace(
    spots: Sequence[Spot], *, since_s: float, swing_m: float = 0.0
) -> tuple[float, float] | None:
    """Return the length of the way since a moment over the time since, and its uncertainty.

    The mean over all ways of one bend at most, straight ones among them, each with the weight that
    the spots leave it; the uncertainty holds how much these ways differ.

    Args:
        spots: Oldest first, in metres; those from before ``since_s`` help to tell the parts.
        since_s: Stream time from which the way counts, that of a spot.
        swing_m: By so many metres a spot moves on its body while that turns by a radian.

    Returns:
        Metres per second and its standard uncertainty; None for fewer than ``LEAST_SPOTS``, or
        where no way of one bend goes through them.
    """
    if len(spots) < LEAST_SPOTS or not spots[-1].at_s > since_s:
        return None
    ways = _ways(spots, since_s)
    best = min(ways, key=lambda way: way.cost)
    if best.squares > _WORST * best.free:
        return None
    span_s = spots[-1].at_s - since_s
    whole = mean = scatter = 0.0
    for way in ways:
        if way.cost - best.cost > _LIKELY:
            continue
        weight = math.exp((best.cost - way.cost) / 2)
        value, variance = _pace(way, swing_m / span_s)
        whole += weight
        step = value - mean
        mean += weight / whole * step
        scatter += weight * (variance + step * (value - mean))
    return mean, math.sqrt(scatter / whole)


def _ways(spots: Sequence[Spot], since_s: float) -> list[_Bent]:
    """Return the straight way, and those that bend at a spot or half-way between two.

    Only such as are not much dearer than the cheapest before them.
    """
    times, before, total = _sums(spots)
    whole = before[-1]
    number, span_s = 2 * len(spots), spots[-1].at_s - since_s
    ways = [_straight(_side(whole, whole[1] / whole[0]), total, number)]
    cheapest = ways[0].cost
    for bend_s, count in _bends(times):
        first = _side(before[count], bend_s)
        second = _Side(*map(sub, _side(whole, bend_s), first))
        # Eliminate both velocities, then find the place of the bend.
        lean, rise = first.time / first.squared, second.time / second.squared
        certain = whole[0] - lean * first.time - rise * second.time
        x = -(lean * first.x + rise * second.x) / certain
        y = -(lean * first.y + rise * second.y) / certain
        ahead_x = (first.x - x * first.time) / first.squared
        ahead_y = (first.y - y * first.time) / first.squared
        then_x = (second.x - x * second.time) / second.squared
        then_y = (second.y - y * second.time) / second.squared
        squares = total - ahead_x * first.x - ahead_y * first.y
        squares -= then_x * second.x + then_y * second.y
        # A stand has two parameters less, so that it may cost as much less.
        if squares + 5 * _PRICE > cheapest + _LIKELY:
            continue
        shares = (1 / first.squared + lean * lean / certain, lean * rise / certain)
        second_variance = 1 / second.squared + rise * rise / certain
        share = min(1.0, -bend_s / span_s)
        found = [
            _Bent(
                squares + 7 * _PRICE, squares, max(1, number - 7), (ahead_x, ahead_y),
                (then_x, then_y), shares[0], second_variance, shares[1], share,
            )
        ]  # fmt: skip
        # That a part is a stand raises the squares by those of its velocity.
        raised = squares + (ahead_x * ahead_x + ahead_y * ahead_y) / shares[0]
        if raised + 5 * _PRICE <= cheapest + _LIKELY:
            found.append(_stand(second, whole[0], raised, number, share, is_stop=False))
        raised = squares + (then_x * then_x + then_y * then_y) / second_variance
        if raised + 5 * _PRICE <= cheapest + _LIKELY:
            found.append(_stand(first, whole[0], raised, number, share, is_stop=True))
        for way in found:
            cheapest = min(cheapest, way.cost)
        ways += found
    return ways


def _bends(times: Sequence[float]) -> Iterator[tuple[float, int]]:
    """Yield when a way may bend, and how many spots are not after that."""
    places = range(PART_SPOTS, len(times) - PART_SPOTS)
    for place in places[:: 1 + len(places) // (_MOST_BENDS + 1)]:
        yield times[place], place + 1
        if place + 1 < len(times) - PART_SPOTS:
            yield (times[place] + times[place + 1]) / 2, place + 1


_Sums = tuple[float, float, float, float, float, float, float]
"""Of weights, those times time and its square, times x and y, and times time and x and y."""


def _sums(spots: Sequence[Spot]) -> tuple[list[float], list[_Sums], float]:
    """Return the times up to the last spot, and sums over the first 0, 1, 2, ... spots.

    And the squares of all places about their middle, as all places are here.
    """
    last_s = spots[-1].at_s
    weights = [1 / max(spot.variance, 1e-12) for spot in spots]
    whole = sum(weights)
    left = sum(w * spot.x for w, spot in zip(weights, spots, strict=True)) / whole
    top = sum(w * spot.y for w, spot in zip(weights, spots, strict=True)) / whole
    times, sums, total = [], [(0.0,) * 7], 0.0
    one = two = three = four = five = six = seven = 0.0
    for weight, spot in zip(weights, spots, strict=True):
        at_s, x, y = spot.at_s - last_s, spot.x - left, spot.y - top
        pull, across, along = weight * at_s, weight * x, weight * y
        one, two, three = one + weight, two + pull, three + pull * at_s
        four, five = four + across, five + along
        six, seven = six + at_s * across, seven + at_s * along
        total += across * x + along * y
        times.append(at_s)
        sums.append((one, two, three, four, five, six, seven))
    return times, sums, total


def _side(sums: _Sums, bend_s: float) -> _Side:
    weight, time, squared, x, y, time_x, time_y = sums
    return _Side(
        time - bend_s * weight,
        squared - bend_s * (2 * time - bend_s * weight),
        time_x - bend_s * x,
        time_y - bend_s * y,
    )


def _straight(side: _Side, total: float, number: int) -> _Bent:
    """Return the way without a bend, by the sums about the middle of its time."""
    velocity, variance = (side.x / side.squared, side.y / side.squared), 1 / side.squared
    squares = total - velocity[0] * side.x - velocity[1] * side.y
    return _Bent(
        squares + 4 * _PRICE, squares, max(1, number - 4), velocity, velocity,
        variance, variance, variance, 0.0,
    )  # fmt: skip


def _stand(
    side: _Side, whole: float, squares: float, number: int, share: float, *, is_stop: bool
) -> _Bent:
    """Return the way of which only one side moves."""
    spanned = side.squared - side.time * side.time / whole
    velocity, variance = (side.x / spanned, side.y / spanned), 1 / spanned
    still = (0.0, 0.0)
    return _Bent(
        squares + 5 * _PRICE, squares, max(1, number - 5),
        velocity if is_stop else still, still if is_stop else velocity,
        variance if is_stop else 0.0, 0.0 if is_stop else variance, 0.0, share,
    )  # fmt: skip


def _pace(way: _Bent, swing: float) -> tuple[float, float]:
    """Return the mean of both parts' paces by the time that each takes, and its variance."""
    after = way.second_share
    before = 1 - after
    first, second = math.hypot(*way.first), math.hypot(*way.second)
    # What is uncertain of a velocity makes it longer, not shorter.
    pace = before * math.sqrt(max(0.0, first**2 - way.first_variance))
    pace += after * math.sqrt(max(0.0, second**2 - way.second_variance))
    variance = before**2 * way.first_variance + after**2 * way.second_variance
    turned = 0.0
    if first > 0 and second > 0:
        along = way.first[0] * way.second[0] + way.first[1] * way.second[1]
        aside = way.first[0] * way.second[1] - way.first[1] * way.second[0]
        variance += 2 * before * after * way.shared * along / (first * second)
        turned = math.atan2(aside, along)
    spread = max(1.0, way.squares / way.free)
    return pace, spread * variance + (swing * turned) ** 2
