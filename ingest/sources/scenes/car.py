"""A small car as a camera sees it: faces placed in the world, lit, those turned away left out.

Shape legend: P = points of all faces, F = faces; 3 = x, y, z in the world, 2 = pixels.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from ingest.sources.scenes.canvas import Colour
from ingest.sources.scenes.car_body import WHEEL_M, WHEELBASE_M, Mesh, body, spokes
from ingest.sources.scenes.person import on_ground, shaded
from ingest.sources.scenes.projection import FloatArray, Pinhole
from ingest.sources.scenes.shapes import Figure, Shape, hull

_AMBIENT: Final = 0.66
_SUNLIT: Final = 1.10
"""Factors on the paint of a face that the sun does not reach, and of one that faces it."""


class CarPose(NamedTuple):
    """Where the middle of the rear axle is, and where the car points.

    Attributes:
        heading: Radians: 0 to the right (x), half pi away (z).
        rolled_m: Way that the wheels have rolled.
        is_braking: Whether its brake lights are on.
    """

    x_m: float
    z_m: float
    heading: float
    rolled_m: float = 0.0
    is_braking: bool = False


def car_figure(
    view: Pinhole, paint: Colour, pose: CarPose, *, sun: tuple[float, float], fence_z: float
) -> Figure:
    """Return a car as ``view`` sees it.

    Args:
        view: Who looks.
        paint: Colour of its body.
        pose: Where it is.
        sun: Shift of a shadow in x and z for each metre of height.
        fence_z: Beyond this distance the car's middle is behind the fence.
    """
    mesh = body(paint, is_braking=pose.is_braking)
    world_P3 = _placed(mesh.points_P3, pose)
    shapes = _visible(view, mesh, world_P3, sun)
    rims = spokes(turn=pose.rolled_m / WHEEL_M)
    shapes += _visible(view, rims, _placed(rims.points_P3, pose), sun)
    shadow = hull(view.project(on_ground(world_P3, sun)))
    middle_z = pose.z_m + WHEELBASE_M / 2 * math.sin(pose.heading)
    return Figure(
        shapes=tuple(shapes),
        shadows=(shadow,),
        depth_m=middle_z,
        is_behind_fence=middle_z > fence_z,
    )


def _placed(local_P3: FloatArray, pose: CarPose) -> FloatArray:
    cosine, sine = math.cos(pose.heading), math.sin(pose.heading)
    return np.column_stack(
        (
            pose.x_m + local_P3[:, 0] * cosine + local_P3[:, 2] * sine,
            local_P3[:, 1],
            pose.z_m + local_P3[:, 0] * sine - local_P3[:, 2] * cosine,
        )
    )


def _visible(
    view: Pinhole, mesh: Mesh, world_P3: FloatArray, sun: tuple[float, float]
) -> list[Shape]:
    """Return the faces whose corners run clockwise on the picture, lit, in the mesh's order."""
    pixels_P2 = view.project(world_P3)
    turns_P = (
        pixels_P2[:, 0] * pixels_P2[mesh.next_P, 1] - pixels_P2[:, 1] * pixels_P2[mesh.next_P, 0]
    )
    is_seen_F = np.add.reduceat(turns_P, mesh.starts_F) > 0
    light_F = _light(mesh, world_P3, sun)
    ends = [*mesh.starts_F[1:], len(world_P3)]
    return [
        Shape(points_N2=pixels_P2[start:end], colour=shaded(mesh.colours[face], light_F[face]))
        for face, (start, end) in enumerate(zip(mesh.starts_F, ends, strict=True))
        if is_seen_F[face]
    ]


def _light(mesh: Mesh, world_P3: FloatArray, sun: tuple[float, float]) -> FloatArray:
    first_F3, second_F3, third_F3 = (world_P3[mesh.starts_F + corner] for corner in range(3))
    normals_F3 = np.cross(third_F3 - second_F3, first_F3 - second_F3)
    normals_F3 /= np.linalg.norm(normals_F3, axis=1, keepdims=True) + 1e-9
    towards_sun = np.array([-sun[0], 1.0, -sun[1]])
    towards_sun /= np.linalg.norm(towards_sun)
    lit_F = np.maximum(0.0, normals_F3 @ towards_sun)
    gloss_F = mesh.gloss_F * np.maximum(0.0, normals_F3[:, 1])
    return np.asarray(_AMBIENT + (_SUNLIT - _AMBIENT) * lit_F + gloss_F)
