"""Scuffles as the rule meets them, and pictures in which something stirs."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from contracts.frames import BgrImage
from contracts.geometry import Box
from contracts.tracks import Track, TrackState
from tests.fakes.tracks import followed, header_at
from vision.cues.port import Cues
from vision.cues.scuffle_reading import Likelihood, Scuffle
from vision.observation import Observation

PLACE: Box = (0.4, 0.3, 0.6, 0.8)
ELSEWHERE: Box = (0.0, 0.3, 0.15, 0.8)


def scuffle(
    at_s: float,
    likelihood: float,
    *,
    region_id: str = "rs1",
    since_s: float = 0.0,
    box: Box = PLACE,
    people: Sequence[str] = (),
    is_seen: bool = True,
) -> Scuffle:
    """A region that has stirred at every fifth of a second since ``since_s``."""
    steps = max(1, round((at_s - since_s) / 0.2) + 1)
    times = [round(at_s - 0.2 * back, 3) for back in range(steps)][::-1]
    track = followed(
        [(time_s, (0.5, 0.8)) for time_s in times], track_id=region_id, label="scuffle"
    )
    points = tuple(replace(point, box=box) for point in track.points)
    if not is_seen:
        points = (*points[:-1], replace(points[-1], is_observed=False))
    region = replace(
        track,
        points=points,
        is_region=True,
        state=TrackState.CONFIRMED if is_seen else TrackState.LOST,
    )
    return Scuffle(region=region, likelihood=Likelihood(likelihood, 0.05), people=tuple(people))


def scene(at_s: float, *scuffles: Scuffle, tracks: Sequence[Track] = ()) -> Observation:
    """A frame with these scuffles."""
    return Observation(header=header_at(at_s), tracks=tracks, cues=Cues(scuffles=tuple(scuffles)))


def court(*, width: int = 320, height: int = 180) -> BgrImage:
    """An empty court with a ground that flow can hold on to."""
    noise = np.random.default_rng(3).normal(0, 1, (height // 4, width // 4)).astype(np.float32)
    rough = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    grey = np.clip(110 + 12 * rough, 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def patch(pixels_HW3: BgrImage, *, at: tuple[int, int], seed: int, size: int = 24) -> BgrImage:
    """The picture with a textured square; its middle is at ``at``, in pixels."""
    noise = np.random.default_rng(seed).normal(0, 1, (8, 8)).astype(np.float32)
    grey = np.clip(60 + 45 * cv2.resize(noise, (size, size)), 0, 255).astype(np.uint8)
    drawn_HW3 = pixels_HW3.copy()
    left, top = at[0] - size // 2, at[1] - size // 2
    drawn_HW3[top : top + size, left : left + size] = grey[..., None]
    return drawn_HW3


def walking(step: int) -> BgrImage:
    """A body that walks to the right, four pixels a step."""
    return patch(court(), at=(80 + 4 * step, 90), seed=1)


def struggling(step: int) -> BgrImage:
    """Two bodies that pull each other about in one place."""
    draw = np.random.default_rng((7, step))
    pixels_HW3 = court()
    for body in range(2):
        x, y = draw.integers(-9, 10, 2).tolist()
        pixels_HW3 = patch(pixels_HW3, at=(150 + 18 * body + x, 90 + y), seed=20 + body)
    return pixels_HW3
