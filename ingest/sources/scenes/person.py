"""A walking person: joints in space, limbs on the picture.

A body's own axes: forward, up, and to its right, in statures. Proportions after Drillis and Contini
1966 (limb lengths as shares of stature); the gait is a sketch of one, not biomechanics.
Shape legend: J = joints, B = bands of shadow, N = points; 3 = x, y, z in the world, 2 = pixels.
"""

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np

from ingest.sources.scenes.canvas import Colour
from ingest.sources.scenes.projection import FloatArray, Pinhole
from ingest.sources.scenes.shapes import Figure, Shape, Sketch, hull

STRIDE_M: Final = 1.45
"""Way of a full gait cycle, two steps."""
_HIP, _SHOULDER, _HEAD = 0.53, 0.818, 0.93
_THIGH, _SHIN = 0.245, 0.246
_UPPER_ARM, _FOREARM = 0.186, 0.16
_HIP_HALF, _SHOULDER_HALF = 0.052, 0.108
_SWING: Final = 0.42
"""Largest angle of the thigh from the vertical while walking, radians."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What a person wears, and how tall it stands.

    Attributes:
        has_hood: The head is covered in the colour of the coat.
        has_vest: A light band across the chest, as on a high-visibility vest.
    """

    coat: Colour
    trousers: Colour
    skin: Colour = (122, 150, 196)
    hair: Colour = (38, 44, 56)
    shoes: Colour = (36, 36, 40)
    stature_m: float = 1.76
    has_hood: bool = False
    has_vest: bool = False


class Stance(NamedTuple):
    """Where a person is and what its body does.

    Attributes:
        heading: Of walking or looking, radians: 0 to the right (x), half pi away (z).
        phase: Gait cycles since the beginning.
        effort: 0 standing still to 1 walking.
        crouch: 0 upright to 1 bent down, a hand near the ground.
    """

    x_m: float
    z_m: float
    heading: float
    phase: float
    effort: float
    crouch: float = 0.0


class _Joint(IntEnum):
    """Rows of the arrays of joints; where there are two, left is first and right follows."""

    HEAD = 0
    NECK = 1
    WAIST = 2
    HIP = 3
    KNEE = 5
    ANKLE = 7
    TOE = 9
    SHOULDER = 11
    ELBOW = 13
    HAND = 15


_JOINTS: Final = 17
_SHADOW_BANDS: Final = (
    *((_Joint.HIP + side, _Joint.KNEE + side, 0.05) for side in (0, 1)),
    *((_Joint.KNEE + side, _Joint.ANKLE + side, 0.04) for side in (0, 1)),
    *((_Joint.ANKLE + side, _Joint.TOE + side, 0.03) for side in (0, 1)),
    (_Joint.WAIST, _Joint.NECK, 0.10),
    (_Joint.NECK, _Joint.HEAD, 0.055),
)
"""Parts that throw a shadow: from joint, to joint, radius as a share of the stature."""
_RING_83: Final = np.column_stack(
    (
        np.cos(np.arange(8) * np.pi / 4),
        np.zeros(8),
        np.sin(np.arange(8) * np.pi / 4),
    )
)


def person_figure(
    view: Pinhole, looks: Looks, stance: Stance, *, sun: tuple[float, float]
) -> Figure:
    """Return a person as ``view`` sees it.

    Args:
        view: Who looks.
        looks: What it wears.
        stance: Where it is and what it does.
        sun: Shift of a shadow in x and z for each metre of height.
    """
    world_J3 = _joints(looks, stance)
    scale_px = view.focal_px / float(view.depth(world_J3)[_Joint.WAIST]) * looks.stature_m
    body = _Body(looks, view.project(world_J3), scale_px, stance.heading)
    return Figure(
        shapes=body.shapes(),
        shadows=_shadows(view, world_J3, looks.stature_m, sun),
        depth_m=stance.z_m,
    )


def right_hand(looks: Looks, stance: Stance) -> FloatArray:
    """Return where the right hand is, shape (3,): what it carries hangs there."""
    return np.asarray(_joints(looks, stance)[_Joint.HAND + 1])


def _joints(looks: Looks, stance: Stance) -> FloatArray:
    """Return where the joints are in the world, shape (17, 3), in the order of ``_Joint``."""
    local_J3 = np.empty((_JOINTS, 3))
    cycle = 2 * math.pi * stance.phase
    lean = 0.05 * stance.effort + 0.95 * stance.crouch
    waist_up = _HIP + 0.012 * stance.effort * math.cos(2 * cycle) - 0.24 * stance.crouch
    trunk, neck = _SHOULDER - _HIP, _HEAD - _SHOULDER
    neck_at = (trunk * math.sin(lean), waist_up + trunk * math.cos(lean))
    local_J3[_Joint.WAIST] = (0.0, waist_up, 0.0)
    local_J3[_Joint.NECK] = (*neck_at, 0.0)
    local_J3[_Joint.HEAD] = (
        neck_at[0] + 0.6 * neck * math.sin(lean),
        neck_at[1] + neck * (0.4 + 0.6 * math.cos(lean)),
        0.0,
    )
    for side, outward in ((0, -1.0), (1, 1.0)):
        leg = _leg(waist_up, stance, cycle + side * math.pi)
        arm = _arm(neck_at, stance, cycle + (1 - side) * math.pi)
        for joint, (forward, up) in (*leg, *arm):
            is_leg = joint < _Joint.SHOULDER
            half = _HIP_HALF if is_leg else _SHOULDER_HALF
            local_J3[joint + side] = (forward, up, outward * half)
    local_J3 *= looks.stature_m
    cosine, sine = math.cos(stance.heading), math.sin(stance.heading)
    return np.column_stack(
        (
            stance.x_m + local_J3[:, 0] * cosine + local_J3[:, 2] * sine,
            local_J3[:, 1],
            stance.z_m + local_J3[:, 0] * sine - local_J3[:, 2] * cosine,
        )
    )


_Placed = tuple[_Joint, tuple[float, float]]
"""A joint and where it is: forward and up, in statures."""


def _leg(waist_up: float, stance: Stance, cycle: float) -> tuple[_Placed, ...]:
    thigh = _SWING * stance.effort * math.sin(cycle) + 0.85 * stance.crouch
    # The knee bends most while the leg swings forward and is nearly straight on the ground.
    bend = stance.effort * (0.12 + 0.85 * max(0.0, math.cos(cycle)) ** 1.5) + 1.75 * stance.crouch
    knee = (_THIGH * math.sin(thigh), waist_up - _THIGH * math.cos(thigh))
    ankle = (
        knee[0] + _SHIN * math.sin(thigh - bend),
        max(0.03, knee[1] - _SHIN * math.cos(thigh - bend)),
    )
    return (
        (_Joint.HIP, (0.0, waist_up)),
        (_Joint.KNEE, knee),
        (_Joint.ANKLE, ankle),
        (_Joint.TOE, (ankle[0] + 0.11, ankle[1] - 0.025)),
    )


def _arm(neck: tuple[float, float], stance: Stance, cycle: float) -> tuple[_Placed, ...]:
    swing = 0.42 * stance.effort * math.sin(cycle) + 0.25 * stance.crouch
    bent = swing + 0.28 + 0.25 * stance.effort
    elbow = (neck[0] + _UPPER_ARM * math.sin(swing), neck[1] - _UPPER_ARM * math.cos(swing))
    hand = (elbow[0] + _FOREARM * math.sin(bent), elbow[1] - _FOREARM * math.cos(bent))
    return (
        (_Joint.SHOULDER, (neck[0], neck[1] - 0.02)),
        (_Joint.ELBOW, elbow),
        (_Joint.HAND, hand),
    )


class _Body:
    """Draws one body from its joints on the picture; light comes from the left."""

    def __init__(
        self, looks: Looks, pixels_J2: FloatArray, scale_px: float, heading: float
    ) -> None:
        self._looks = looks
        self._at = pixels_J2
        self._scale_px = scale_px
        self._across, self._away = math.cos(heading), math.sin(heading)
        # Walking to the right, the right side is the near one.
        self._near = 1 if self._across > 0 else 0
        self._lit = 0 if self._away > 0 else 1
        self._sketch = Sketch()

    def shapes(self) -> tuple[Shape, ...]:
        """Return the parts, the far side first."""
        far, near = 1 - self._near, self._near
        self._draw_arm(far)
        self._draw_leg(far)
        self._draw_leg(near)
        self._draw_trunk()
        self._draw_head()
        self._draw_arm(near)
        return self._sketch.shapes()

    def _limb(
        self, start: FloatArray, end: FloatArray, shares: tuple[float, float], colour: Colour
    ) -> None:
        radii_px = (shares[0] * self._scale_px, shares[1] * self._scale_px)
        self._sketch.limb(start, end, radii_px, colour)

    def _draw_leg(self, side: int) -> None:
        at, looks = self._at, self._looks
        hip, knee = at[_Joint.HIP + side], at[_Joint.KNEE + side]
        ankle, toe = at[_Joint.ANKLE + side], at[_Joint.TOE + side]
        cloth = shaded(looks.trousers, 1.08 if side == self._lit else 0.82)
        self._limb(ankle, toe, (0.022, 0.017), looks.shoes)
        self._limb(hip, knee, (0.048, 0.036), cloth)
        self._limb(knee, ankle, (0.036, 0.024), shaded(cloth, 0.94))

    def _draw_arm(self, side: int) -> None:
        at, looks = self._at, self._looks
        shoulder, elbow = at[_Joint.SHOULDER + side], at[_Joint.ELBOW + side]
        hand = at[_Joint.HAND + side]
        sleeve = shaded(looks.coat, 1.02 if side == self._lit else 0.76)
        self._limb(elbow, hand, (0.025, 0.019), shaded(sleeve, 0.95))
        self._limb(hand, hand, (0.021, 0.021), looks.skin)
        self._limb(shoulder, elbow, (0.034, 0.027), sleeve)

    def _draw_trunk(self) -> None:
        at, looks, scale = self._at, self._looks, self._scale_px
        left, right = at[_Joint.SHOULDER], at[_Joint.SHOULDER + 1]
        hip_left, hip_right = at[_Joint.HIP], at[_Joint.HIP + 1]
        neck, waist, head = at[_Joint.NECK], at[_Joint.WAIST], at[_Joint.HEAD]
        cloth = shaded(looks.coat, 0.88)
        self._limb(neck, head, (0.032, 0.028), shaded(looks.skin, 0.85))
        self._limb(left, hip_left, (0.040, 0.046), cloth)
        self._limb(right, hip_right, (0.040, 0.046), cloth)
        self._limb(neck, waist, (0.060, 0.066), cloth)
        self._sketch.polygon(np.vstack((left, right, hip_right, hip_left)), cloth)
        aside = np.array([-0.028 * scale, 0.0])
        chest, belly = neck + 0.15 * (waist - neck), neck + 0.92 * (waist - neck)
        self._limb(chest + aside, belly + aside, (0.046, 0.044), shaded(looks.coat, 1.02))
        self._limb(chest + aside, belly + aside, (0.024, 0.022), shaded(looks.coat, 1.10))
        if looks.has_vest:
            half = np.array([0.084 * scale, 0.0])
            for share in (0.45, 0.75):
                middle = neck + share * (waist - neck)
                self._limb(middle - half, middle + half, (0.013, 0.013), (206, 214, 214))

    def _draw_head(self) -> None:
        looks, scale = self._looks, self._scale_px
        head = self._at[_Joint.HEAD]
        cover = looks.coat if looks.has_hood else looks.hair
        wide, high = (0.058 if looks.has_hood else 0.050) * scale, 0.064 * scale
        self._sketch.ellipse(head, (wide, high), shaded(cover, 0.92))
        if self._away < 0.35:
            face = head + np.array([self._across * 0.024 * scale, 0.014 * scale])
            self._sketch.ellipse(face, (wide * 0.74, high * 0.78), looks.skin)
        crown = head + np.array([-0.006 * scale, -0.026 * scale])
        self._sketch.ellipse(crown, (wide * 0.86, high * 0.52), shaded(cover, 1.1))


def _shadows(
    view: Pinhole, world_J3: FloatArray, stature: float, sun: tuple[float, float]
) -> tuple[FloatArray, ...]:
    fallen_J3 = on_ground(world_J3, sun)
    rings_B163 = np.array(
        [
            np.vstack(
                (
                    fallen_J3[start] + radius * stature * _RING_83,
                    fallen_J3[end] + radius * stature * _RING_83,
                )
            )
            for start, end, radius in _SHADOW_BANDS
        ]
    )
    pixels_B162 = view.project(rings_B163.reshape(-1, 3)).reshape(len(_SHADOW_BANDS), 16, 2)
    return tuple(hull(band_162) for band_162 in pixels_B162)


def on_ground(points_N3: FloatArray, sun: tuple[float, float]) -> FloatArray:
    """Return where the shadows of points (x, y, z) fall."""
    fallen_N3 = points_N3.copy()
    fallen_N3[:, 0] += sun[0] * points_N3[:, 1]
    fallen_N3[:, 2] += sun[1] * points_N3[:, 1]
    fallen_N3[:, 1] = 0.0
    return fallen_N3


def shaded(colour: Colour, factor: float) -> Colour:
    """Return a colour made lighter or darker by a factor."""
    blue, green, red = (min(255, round(part * factor)) for part in colour)
    return (blue, green, red)
