"""What an empty scene looks like, pixel by pixel, and how far the current picture is from it.

Shape legend: P = planes Y, Cr, Cb; H, W = working picture in pixels; L = 256 levels of luma;
N = sampled pixels.
"""

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from vision.detect.tone import Tone, find_tone
from vision.estimates import weight_of

Planes = npt.NDArray[np.float32]
Mask = npt.NDArray[np.uint8]

SEED_S: Final = 0.8
"""Stream time of pictures that the first background is the median of."""
SEED_FRAMES: Final = (3, 15)
"""At least and at most so many pictures are kept for the median."""
SETTLE_S: Final = 6.0
"""Time constant with which the background follows slow changes of an empty scene."""
FAST_S: Final = 0.6
"""Time constant of the fast background: what stands still for about a second."""
NOISE_S: Final = 8.0
"""Time constant of the noise estimate."""
UNREST_S: Final = 30.0
"""The same inside foreground, from change between frames: foliage in wind becomes noise, a
person who stands there does not."""
LUMA_FLOOR: Final = 2.4
"""Least standard deviation of luma, grey levels: JPEG and H.264 leave about 2."""
CHROMA_FLOOR: Final = 2.0
CHROMA_SHARE: Final = 0.6
"""Chroma noise over luma noise of the same pixel."""
NOISE_CEILING: Final = 18.0
FULL_LIGHT: Final = 100.0
"""Mean luma of a scene lit well enough for these floors: contrast shrinks with the light,"""
BLACK: Final = 5.0
"""... what is darker is no scene but a bar beside it,"""
LEAST_LIGHT: Final = 0.4
"""... and to this share of them the noise that is granted may shrink with it, where it is less."""
EDGE_JITTER: Final = 0.10
"""Share of the local contrast that counts as noise: a tenth of a pixel of camera shake."""
SIGMAS: Final = 3.0
"""Score 1 lies this many standard deviations from the background."""
STILL_LEVELS: Final = 9.0
"""A pixel nearer than this to the fast background stands still, grey levels."""
EDGE_REFRESH_S: Final = 1.0
_DEVIATION_TO_SIGMA: Final = math.sqrt(math.pi / 2)
"""Standard deviation of a Gaussian over its mean absolute deviation."""
_GRID: Final = 5
"""Every fifth pixel of every fifth row is enough to measure a global change of light."""
_NEIGHBOURS: Final = np.ones((3, 3), np.uint8)


class Background:
    """The running background of one view at one size.

    Follows the scene where it is empty, keeps what it knew where something stands, and follows
    the camera's exposure everywhere at once. Two speeds: ``mean_PHW`` is the empty scene,
    ``fast_HW`` (luma) what has been there for about a second. ``still_s_HW`` says for how long
    each held pixel has not changed.
    """

    def __init__(self, height: int, width: int) -> None:
        self.is_seeded = False
        self.mean_PHW: Planes = np.zeros((3, height, width), np.float32)
        self.fast_HW: Planes = np.zeros((height, width), np.float32)
        self.still_s_HW: Planes = np.zeros((height, width), np.float32)
        self._deviation_HW: Planes = np.zeros((height, width), np.float32)
        self._edges_HW: Planes = np.zeros((height, width), np.float32)
        self._held_HW: Mask = np.zeros((height, width), np.uint8)
        self._seeds: list[Planes] = []
        self._seed_s = 0.0
        self._age_s = 0.0
        self._edges_age_s = 0.0

    def seed(self, image_PHW: Planes, *, step_s: float) -> None:
        """Collect a first picture; ``is_seeded`` from the call on that completes the median."""
        self._seed_s += step_s if self._seeds else 0.0
        self._seeds.append(image_PHW)
        if len(self._seeds) > SEED_FRAMES[1]:
            del self._seeds[1::2]
        if self._seed_s < SEED_S or len(self._seeds) < SEED_FRAMES[0]:
            return
        stack_KPHW = np.stack(self._seeds)
        self.mean_PHW = np.median(stack_KPHW, axis=0).astype(np.float32)
        self.fast_HW = image_PHW[0].copy()
        spread_HW = np.abs(stack_KPHW[:, 0] - self.mean_PHW[0]).mean(axis=0)
        self._deviation_HW = _floats(cv2.blur(spread_HW.astype(np.float32), (3, 3)))
        self.still_s_HW[:] = 0.0
        self._held_HW = np.zeros_like(self._held_HW)
        self._seeds, self._seed_s, self._age_s = [], 0.0, 0.0
        self._refresh_edges()
        self.is_seeded = True

    def restart(self) -> None:
        """Begin again with the next picture: the view is not the one that was learnt."""
        self._seeds, self._seed_s = [], 0.0
        self.is_seeded = False

    def follow_light(self, image_PHW: Planes) -> Tone:
        """Bring the background to the picture's exposure, tone curve and white balance.

        Only what was empty a frame ago is asked, so somebody who stands there changes nothing.

        Returns:
            What was found and applied.
        """
        sample = (slice(None), slice(None, None, _GRID), slice(None, None, _GRID))
        held_N = self._held_HW[sample[1:]].ravel()
        empty = np.flatnonzero(held_N == 0)
        now_PN = image_PHW[sample].reshape(3, -1).take(empty, axis=1)
        was_PN = self.mean_PHW[sample].reshape(3, -1).take(empty, axis=1)
        tone = find_tone(now_PN, was_PN, enough=0.1 * held_N.size)
        if not tone.is_plain:
            self.mean_PHW = tone.applied(self.mean_PHW)
            self.fast_HW = tone.applied_to_luma(self.fast_HW)
        return tone

    def light(self) -> float:
        """Return how well the scene is lit, ``LEAST_LIGHT`` to 1."""
        is_scene_HW = as_mask(self.mean_PHW[0] >= BLACK)
        mean = float(cv2.mean(self.mean_PHW[0], is_scene_HW)[0])
        return min(1.0, max(LEAST_LIGHT, mean / FULL_LIGHT))

    def score(self, image_PHW: Planes, *, light: float = 1.0) -> Planes:
        """Return how far each pixel (H, W) is from empty: above 1 is unlikely to be noise.

        Args:
            image_PHW: The picture.
            light: Share of the least noise that is granted; noise that was measured counts whole.
        """
        width = image_PHW.shape[2]
        difference = cv2.absdiff(image_PHW.reshape(-1, width), self.mean_PHW.reshape(-1, width))
        luma_HW, red_HW, blue_HW = difference.reshape(image_PHW.shape)
        noise_HW = self.noise(light=light)
        chroma_noise_HW = np.maximum(
            noise_HW * np.float32(CHROMA_SHARE), np.float32(light * CHROMA_FLOOR)
        )
        chroma_HW = cv2.divide(cv2.max(red_HW, blue_HW), chroma_noise_HW, scale=1 / SIGMAS)
        return _floats(cv2.max(cv2.divide(luma_HW, noise_HW, scale=1 / SIGMAS), chroma_HW))

    def noise(self, *, light: float = 1.0) -> Planes:
        """Return the standard deviation of luma (H, W) that each pixel is granted, grey levels."""
        learnt_HW = np.maximum(
            self._deviation_HW * np.float32(_DEVIATION_TO_SIGMA), np.float32(light * LUMA_FLOOR)
        )
        return _floats(np.minimum(learnt_HW + self._edges_HW, np.float32(NOISE_CEILING)))

    def update(self, image_PHW: Planes, *, held_HW: Mask, step_s: float) -> None:
        """Learn from a picture that has been judged.

        Args:
            image_PHW: The picture.
            held_HW: 255 where something stands that must not become background, 0 elsewhere.
            step_s: Stream time since the picture before.
        """
        self._age_s += step_s
        self._held_HW = held_HW
        free_HW = cv2.bitwise_not(held_HW)
        luma_HW = image_PHW[0]
        settle = weight_of(step_s, min(SETTLE_S, max(1.0, self._age_s)))
        noise = weight_of(step_s, NOISE_S)
        difference_HW = cv2.absdiff(luma_HW, self.mean_PHW[0])
        unrest_HW = cv2.absdiff(luma_HW, self.fast_HW)
        for plane_HW, mean_HW in zip(image_PHW, self.mean_PHW, strict=True):
            cv2.accumulateWeighted(plane_HW, mean_HW, settle, mask=free_HW)
        cv2.accumulateWeighted(luma_HW, self.fast_HW, weight_of(step_s, FAST_S))
        cv2.accumulateWeighted(difference_HW, self._deviation_HW, noise, mask=free_HW)
        cv2.accumulateWeighted(
            unrest_HW, self._deviation_HW, weight_of(step_s, UNREST_S), mask=held_HW
        )
        still_HW = (_floats(unrest_HW) < STILL_LEVELS) & (held_HW > 0)
        self.still_s_HW = np.where(still_HW, self.still_s_HW + np.float32(step_s), np.float32(0))
        self._edges_age_s += step_s
        if self._edges_age_s >= EDGE_REFRESH_S:
            self._refresh_edges()

    def absorb(self, image_PHW: Planes, mask_HW: Mask) -> None:
        """Make what stands under the mask (255) part of the background at once."""
        for plane_HW, mean_HW in zip(image_PHW, self.mean_PHW, strict=True):
            cv2.copyTo(plane_HW, mask_HW, mean_HW)
        cv2.copyTo(image_PHW[0], mask_HW, self.fast_HW)
        self.still_s_HW[mask_HW > 0] = 0.0

    def _refresh_edges(self) -> None:
        luma_HW = self.mean_PHW[0]
        spread_HW = cv2.subtract(cv2.dilate(luma_HW, _NEIGHBOURS), cv2.erode(luma_HW, _NEIGHBOURS))
        self._edges_HW = _floats(spread_HW * np.float32(EDGE_JITTER))
        self._edges_age_s = 0.0


def as_mask(condition_HW: npt.NDArray[np.bool_]) -> Mask:
    """Return 255 where the condition holds and 0 elsewhere."""
    return condition_HW.view(np.uint8) * np.uint8(255)


def _floats(plane: npt.NDArray[np.generic] | cv2.Mat) -> Planes:
    return np.asarray(plane, np.float32)
