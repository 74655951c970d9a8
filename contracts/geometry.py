"""Points, boxes, zones and lines, normalised: 0 to 1 of width and height, origin top left."""

import math
from dataclasses import dataclass

from contracts.errors import ConfigError
from contracts.ids import check_name

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""``(x1, y1, x2, y2)`` with ``x1 <= x2`` and ``y1 <= y2``, normalised."""


def foot(box: Box) -> Point:
    """Return the bottom centre of a box: the point that stands on the ground."""
    return ((box[0] + box[2]) / 2, box[3])


PICTURE_MARGIN = 0.01
"""A zone drawn by hand that ends this near the picture's edge is meant to reach it."""


def standing_point(box: Box) -> Point:
    """Return the point that is tested against zones and lines: the foot, kept in the picture.

    A box that touches the picture's bottom is cut off: its foot lies on the edge or, in truth,
    below it. The point is therefore clamped to ``PICTURE_MARGIN`` within all four edges, so that
    it lies inside a zone that reaches the edge instead of on its border.
    """
    # Written out, without calls: it is asked of every point of every track, several times.
    x, y, low, high = (box[0] + box[2]) / 2, box[3], PICTURE_MARGIN, 1.0 - PICTURE_MARGIN
    x, y = x if x > low else low, y if y > low else low
    return (x if x < high else high, y if y < high else high)


def centre(box: Box) -> Point:
    """Return the middle of a box."""
    return ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)


def iou(first: Box, second: Box) -> float:
    """Return intersection over union, 0 to 1; 0 where both are empty."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    areas = (first[2] - first[0]) * (first[3] - first[1]) + (second[2] - second[0]) * (
        second[3] - second[1]
    )
    return both / (areas - both)


def gap(first: Box, second: Box) -> float:
    """Return the distance between two boxes, normalised; 0 where they touch."""
    across = max(0.0, second[0] - first[2], first[0] - second[2])
    down = max(0.0, second[1] - first[3], first[1] - second[3])
    return math.hypot(across, down)


def check_point(point: Point, *, what: str) -> Point:
    """Return the point if both coordinates are finite and in 0..1; raise ConfigError if not."""
    if not all(math.isfinite(value) and 0.0 <= value <= 1.0 for value in point):
        raise ConfigError(f"{what} must lie in 0..1 of the picture, got {tuple(point)}")
    return point


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A polygon on the picture; ONVIF calls it a field.

    Raises:
        ConfigError: Fewer than 3 points, a point outside the picture, or an area of (nearly) zero.
    """

    zone_id: str
    polygon: tuple[Point, ...]
    name: str = ""
    is_restricted: bool = False

    def __post_init__(self) -> None:
        check_name(self.zone_id, what="zone id")
        if len(self.polygon) < 3:
            raise ConfigError(
                f"zone {self.zone_id}: needs at least 3 points, got {len(self.polygon)}"
            )
        for point in self.polygon:
            check_point(point, what=f"zone {self.zone_id}: a point")
        if self.area < 1e-5:
            raise ConfigError(
                f"zone {self.zone_id}: encloses {self.area:.2g} of the picture; "
                "needs at least 0.00001 (are its points on one line?)"
            )

    @property
    def area(self) -> float:
        """Enclosed share of the picture, 0 to 1 (shoelace formula)."""
        total = 0.0
        for index, (x, y) in enumerate(self.polygon):
            next_x, next_y = self.polygon[(index + 1) % len(self.polygon)]
            total += x * next_y - next_x * y
        return abs(total) / 2

    def contains(self, point: Point) -> bool:
        """Say whether the point lies inside (ray casting; a point on an edge may go either way)."""
        x, y = point
        inside = False
        previous_x, previous_y = self.polygon[-1]
        for corner_x, corner_y in self.polygon:
            if (corner_y > y) != (previous_y > y) and x < (previous_x - corner_x) * (
                y - corner_y
            ) / (previous_y - corner_y) + corner_x:
                inside = not inside
            previous_x, previous_y = corner_x, corner_y
        return inside

    def distance_to_edge(self, point: Point) -> float:
        """Return how far the point is from the nearest edge, normalised, always >= 0."""
        corners = self.polygon
        return min(
            segment_distance(point, corners[index - 1], corners[index])
            for index in range(len(corners))
        )

    def depth(self, point: Point) -> float:
        """Return how deep the point lies inside, normalised; negative is the distance outside.

        Inside, edges along the picture's border are no way out (nothing is seen beyond them) and
        do not count; a zone that is the whole picture is 1 deep everywhere.
        """
        if not self.contains(point):
            return -self.distance_to_edge(point)
        corners = self.polygon
        edges = [(corners[index - 1], corners[index]) for index in range(len(corners))]
        inner = [edge for edge in edges if not _lies_on_border(*edge)]
        return min((segment_distance(point, *edge) for edge in inner), default=1.0)


def _lies_on_border(start: Point, end: Point) -> bool:
    return any(
        max(start[axis], end[axis]) <= PICTURE_MARGIN
        or min(start[axis], end[axis]) >= 1.0 - PICTURE_MARGIN
        for axis in (0, 1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A polyline; left and right are as seen walking from its first point to its last.

    Raises:
        ConfigError: Fewer than 2 points, a point outside the picture, or a length of zero.
    """

    line_id: str
    points: tuple[Point, ...]
    name: str = ""

    def __post_init__(self) -> None:
        check_name(self.line_id, what="line id")
        if len(self.points) < 2:
            raise ConfigError(
                f"line {self.line_id}: needs at least 2 points, got {len(self.points)}"
            )
        for point in self.points:
            check_point(point, what=f"line {self.line_id}: a point")
        for start, end in zip(self.points, self.points[1:], strict=False):
            if math.dist(start, end) < 1e-6:
                raise ConfigError(f"line {self.line_id}: two neighbouring points are the same")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Four points of the ground as the picture shows them, and in metres, in the same order.

    The axes of the ground are anybody's choice. Whether the points make a plane is checked where
    one is made of them (``vision/ground.py``).
    """

    picture: tuple[Point, ...]
    ground: tuple[Point, ...]


def segment_distance(point: Point, start: Point, end: Point) -> float:
    """Return the distance from a point to the segment between ``start`` and ``end``."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    squared = along_x * along_x + along_y * along_y
    share = 0.0
    if squared > 0:
        share = ((point[0] - start[0]) * along_x + (point[1] - start[1]) * along_y) / squared
        share = min(1.0, max(0.0, share))
    return math.dist(point, (start[0] + share * along_x, start[1] + share * along_y))
