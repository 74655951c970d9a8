"""Zones and lines asked about many points at once, to the same bit as one by one.

Shape legend: N = points, 2 = x and y.
"""

import itertools

import numpy as np

from contracts.geometry import Point, Zone
from vision.archive.columns import BoolArray, FloatArray


def inside(zone: Zone, points_N2: FloatArray) -> BoolArray:
    """Say for each point what ``Zone.contains`` says of it."""
    x_N, y_N = points_N2[:, 0], points_N2[:, 1]
    is_inside_N = np.zeros(len(points_N2), np.bool_)
    previous_x, previous_y = zone.polygon[-1]
    for corner_x, corner_y in zone.polygon:
        if corner_y != previous_y:
            is_between_N = (corner_y > y_N) != (previous_y > y_N)
            at_N = (previous_x - corner_x) * (y_N - corner_y) / (previous_y - corner_y) + corner_x
            is_inside_N ^= is_between_N & (x_N < at_N)
        previous_x, previous_y = corner_x, corner_y
    return is_inside_N


def edge_distance(zone: Zone, points_N2: FloatArray) -> FloatArray:
    """Return each point's distance to the nearest edge of a zone."""
    corners = [*zone.polygon, zone.polygon[0]]
    return way_distance(corners, points_N2)


def way_distance(corners: "list[Point] | tuple[Point, ...]", points_N2: FloatArray) -> FloatArray:
    """Return each point's distance to the nearest segment of a polyline."""
    nearest_N = np.full(len(points_N2), np.inf)
    for start, end in itertools.pairwise(corners):
        along = np.subtract(end, start)
        squared = float(along @ along)
        share_N = np.zeros(len(points_N2))
        if squared > 0:
            share_N = np.clip(((points_N2 - start) @ along) / squared, 0.0, 1.0)
        off_N2 = points_N2 - start - share_N[:, None] * along
        nearest_N = np.minimum(nearest_N, np.hypot(off_N2[:, 0], off_N2[:, 1]))
    return nearest_N


def passes(starts_N2: FloatArray, ends_N2: FloatArray, line: tuple[Point, ...]) -> BoolArray:
    """Say for each step whether it passes over a polyline, as ``line_cross.passage`` does."""
    is_over_N = np.zeros(len(starts_N2), np.bool_)
    for first, second in itertools.pairwise(line):
        before_N = _cross(first, second, starts_N2)
        after_N = _cross(first, second, ends_N2)
        is_over_N |= ((before_N > 0) != (after_N > 0)) & (
            (_cross(starts_N2, ends_N2, first) > 0) != (_cross(starts_N2, ends_N2, second) > 0)
        )
    return is_over_N


def _cross(
    origin: "Point | FloatArray", towards: "Point | FloatArray", point: "Point | FloatArray"
) -> FloatArray:
    """Return what ``line_cross`` calculates of three points, any of which may be many."""
    origin_x, origin_y = np.moveaxis(np.asarray(origin), -1, 0)
    towards_x, towards_y = np.moveaxis(np.asarray(towards), -1, 0)
    x, y = np.moveaxis(np.asarray(point), -1, 0)
    return np.asarray(
        (towards_x - origin_x) * (y - origin_y) - (towards_y - origin_y) * (x - origin_x),
        np.float64,
    )
