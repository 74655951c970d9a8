"""Constant-velocity Kalman filters for the boxes of tracks.

The four numbers of a box (centre x, y, width, height) are filtered independently, so each needs
only a 2 x 2 covariance, written out: no matrix is ever inverted. Centre x and y know each other's
noise, and so do width and height, so two covariances serve the four. Plain numbers, since a camera
sees few objects and a filter's arithmetic is less than what it takes to call a library for it.

Units: picture (0..1) and seconds.

Source: Kalman 1960; the noise that grows with the object's size is from Wojke et al. 2017,
"Simple Online and Realtime Tracking with a Deep Association Metric", section 2.1.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Final

from contracts.geometry import Box

MEASUREMENT: Final = 0.1
"""Standard deviation of a detector's box, share of the object's size."""
ACCELERATION: Final = (1.0, 0.2)
"""Standard deviation of acceleration, of the centre and of the sides, object sizes per s^2: people
start and stop at once."""
FIRST_VELOCITY: Final = (2.0, 0.3)
"""What a new object's velocity may be, of the centre and of the sides, object sizes per s."""
REST: Final = 0.15
"""Slower than this stands still, object sizes per s."""
LOST_DECAY_S: Final = 0.8
"""Unseen objects are not carried away: their velocity dies with this time constant."""
LEAST_SIZE: Final = 0.02
"""Smaller objects get the noise of this size: boxes are made of whole pixels."""
_LEAST_AREA: Final = LEAST_SIZE**2
_LEAST_SIDE: Final = 1e-4

_State = tuple[
    float, float, float, float, float, float, float, float, float, float, float, float, float,
    float, float,
]  # fmt: skip
"""Centre x, y, width, height; their velocities; variance of position, covariance and variance of
velocity, of the centre and of the sides; square of the speed below which it stands still."""


class BoxFilters:
    """The motion of many boxes, kept in rows that the caller numbers."""

    def __init__(self) -> None:
        self._states: list[_State] = []

    def __len__(self) -> int:
        return len(self._states)

    def add(self, boxes: Sequence[Box]) -> None:
        """Append filters for new boxes, at rest."""
        for x1, y1, x2, y2 in boxes:
            wide, high = x2 - x1, y2 - y1
            squared = max(wide * high, _LEAST_AREA)
            variance = MEASUREMENT**2 * squared
            self._states.append(
                (0.5 * (x1 + x2), 0.5 * (y1 + y2), wide, high, 0.0, 0.0, 0.0, 0.0,
                 variance, 0.0, FIRST_VELOCITY[0] ** 2 * squared,
                 variance, 0.0, FIRST_VELOCITY[1] ** 2 * squared, 0.0)
            )  # fmt: skip

    def keep(self, is_kept: Sequence[bool]) -> None:
        """Drop the filters that are not kept; the others move up."""
        self._states = list(compress(self._states, is_kept))

    def predict(self, step_s: float, *, lost: Sequence[int] = ()) -> list[Box]:
        """Move all boxes on by ``step_s`` >= 0; the speed of the lost ones fades.

        Returns:
            Where they are now, as ``boxes`` has it.
        """
        double, step2 = 2 * step_s, step_s * step_s
        # What acceleration adds to the variance of position, the covariance, that of velocity.
        c, s = ACCELERATION[0] ** 2, ACCELERATION[1] ** 2
        step3, step4 = step2 * step_s / 2, step2 * step2 / 4
        c0, c1, c2, s0, s1, s2 = step4 * c, step3 * c, step2 * c, step4 * s, step3 * s, step2 * s
        moved: list[_State] = []
        boxes: list[Box] = []
        for x, y, w, h, vx, vy, vw, vh, p0, p1, p2, q0, q1, q2, rest in self._states:
            squared = w * h
            if squared < _LEAST_AREA:
                squared = _LEAST_AREA
            x += vx * step_s
            y += vy * step_s
            w += vw * step_s
            h += vh * step_s
            if w < _LEAST_SIDE:
                w = _LEAST_SIDE
            if h < _LEAST_SIDE:
                h = _LEAST_SIDE
            half_w, half_h = 0.5 * w, 0.5 * h
            boxes.append((x - half_w, y - half_h, x + half_w, y + half_h))
            moved.append(
                (x, y, w, h, vx, vy, vw, vh,
                 p0 + double * p1 + step2 * p2 + c0 * squared, p1 + step_s * p2 + c1 * squared,
                 p2 + c2 * squared,
                 q0 + double * q1 + step2 * q2 + s0 * squared, q1 + step_s * q2 + s1 * squared,
                 q2 + s2 * squared, rest)
            )  # fmt: skip
        self._states = moved
        if lost:
            left = math.exp(-step_s / LOST_DECAY_S)
            for row in lost:
                x, y, w, h, vx, vy, vw, vh, *others, rest = moved[row]
                # Whether it stood when it was last measured stays as it was.
                moved[row] = (  # type: ignore[assignment]  # the others are as many as they were
                    x, y, w, h, vx * left, vy * left, vw * left, vh * left, *others,
                    rest * left * left,
                )  # fmt: skip
        return boxes

    def correct(self, measured: Mapping[int, Box]) -> None:
        """Take in what was measured, by row; the others were not seen."""
        states = self._states
        for row, (x1, y1, x2, y2) in measured.items():
            x, y, w, h, vx, vy, vw, vh, p0, p1, p2, q0, q1, q2, _ = states[row]
            wide, high = x2 - x1, y2 - y1
            squared = wide * high
            if squared < _LEAST_AREA:
                squared = _LEAST_AREA
            variance = MEASUREMENT**2 * squared
            off_x, off_y, off_w, off_h = (
                0.5 * (x1 + x2) - x,
                0.5 * (y1 + y2) - y,
                wide - w,
                high - h,
            )
            whole = p0 + variance
            centre, speed = p0 / whole, p1 / whole
            whole = q0 + variance
            side, growth = q0 / whole, q1 / whole
            left, left_side = 1 - centre, 1 - side
            states[row] = (
                x + centre * off_x, y + centre * off_y, w + side * off_w, h + side * off_h,
                vx + speed * off_x, vy + speed * off_y, vw + growth * off_w, vh + growth * off_h,
                p0 * left, p1 * left, p2 - speed * p1,
                q0 * left_side, q1 * left_side, q2 - growth * q1, REST**2 * squared,
            )  # fmt: skip

    def at_rest(self) -> list[bool]:
        """Say for each box whether it stood still when it was last measured.

        A new box's velocity is zero too, but nobody knows it yet; so the answer is no.
        """
        return [
            state[4] * state[4] < state[14] and state[5] * state[5] < state[14]
            for state in self._states
        ]

    def velocities(self) -> list[tuple[float, float]]:
        """Return how fast each box's centre moves, across and down, picture units per s."""
        return [(state[4], state[5]) for state in self._states]

    def boxes(self) -> list[Box]:
        """Return all boxes; they may reach out of the picture."""
        boxes: list[Box] = []
        for state in self._states:
            x, y, half_w, half_h = state[0], state[1], 0.5 * state[2], 0.5 * state[3]
            boxes.append((x - half_w, y - half_h, x + half_w, y + half_h))
        return boxes
