"""Where everything of the yard stands: the one set of measures that drawing and truth share.

Metres in the axes of ``projection``: the camera hangs on a mast above the origin.
"""

import math
from typing import Final, NamedTuple

from contracts.geometry import Point
from ingest.sources.scenes.projection import Pinhole

VIEW: Final = Pinhole(width=640, height=360, focal_px=520.0, mount_m=4.8, tilt_rad=math.radians(17))
FPS: Final = 12.5
"""Of the demo camera, as many sub-streams of real ones."""
PERIOD_S: Final = 80.0
"""The script begins again after this."""


class Ground(NamedTuple):
    """A rectangle on the ground."""

    left: float
    right: float
    near: float
    far: float

    def corners(self) -> tuple[tuple[float, float], ...]:
        """Return its ``(x, z)`` corners: far left, far right, near right, near left."""
        return (
            (self.left, self.far),
            (self.right, self.far),
            (self.right, self.near),
            (self.left, self.near),
        )

    def polygon(self) -> tuple[Point, ...]:
        """Return what the camera sees of it, normalised, in the order of ``corners``."""
        return tuple(VIEW.ground_point(x, z) for x, z in self.corners())


WALL_Z: Final = 16.0
"""Of the building's front and of the fence that continues it."""
WALL_LEFT: Final = -14.0
WALL_RIGHT: Final = 2.0
WALL_TOP: Final = 4.35
DOOR_LEFT: Final = -4.4
DOOR_RIGHT: Final = -0.6
DOOR_TOP: Final = 3.3
FENCE_RIGHT: Final = 13.0
FENCE_TOP: Final = 2.1
GATE_LEFT: Final = 2.6
GATE_RIGHT: Final = 6.6
STREET: Final = Ground(-30.0, 30.0, 18.2, 23.4)
RESTRICTED: Final = Ground(-5.0, 0.0, 12.9, WALL_Z)
LOADING_BAY: Final = Ground(0.4, 3.9, 7.0, 9.6)
PARKING_LEFT: Final = -7.2
PARKING_RIGHT: Final = -1.7
PARKING_ROWS: Final = (6.1, 8.9, 11.7)
"""Distances of the painted lines between bays."""
GATE_LINE_Z: Final = 15.0
"""The line that is watched lies one metre inside the gate."""
SUN_SHADOW: Final = (0.42, 0.50)
"""Shift in x and z of a shadow for each metre of height: the sun stands behind, to the left."""
