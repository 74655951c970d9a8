"""What can be wrong with a camera's view, and what one picture tells of it.

Shape legend: H, W = picture in pixels, 3 = blue, green, red.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import cv2
import numpy as np

from contracts.cameras import CameraState
from contracts.frames import BgrImage
from contracts.tracks import Track
from vision.cues.scene_memory import (
    LEAST_PLACES,
    RECOGNISED,
    FloatArray,
    Likeness,
    Luma,
    similarity,
)


class Tampering(StrEnum):
    """What is wrong with the view."""

    COVERED = "covered"
    SPRAYED = "sprayed"
    DEFOCUSED = "defocused"
    MOVED = "moved"
    FROZEN = "frozen"
    BLACK = "black"
    OVER_EXPOSED = "over_exposed"
    SIGNAL_LOST = "signal_lost"

    @property
    def label(self) -> str:
        """What the view is called then: ``covered view``."""
        return _LABELS.get(self, f"{self.value} view")

    @property
    def state(self) -> CameraState:
        """Whether the camera sees nothing, or something else than it should."""
        sees = self in (Tampering.DEFOCUSED, Tampering.MOVED)
        return CameraState.DEGRADED if sees else CameraState.BLIND

    @property
    def is_by_places(self) -> bool:
        """Whether it is told by what is gone from the scene; else by what the picture is."""
        return self in _BY_PLACES


_LABELS: Final = {
    Tampering.OVER_EXPOSED: "over-exposed view",
    Tampering.SIGNAL_LOST: "lost signal",
}
_BY_PLACES: Final = frozenset(
    {Tampering.COVERED, Tampering.SPRAYED, Tampering.DEFOCUSED, Tampering.MOVED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewReading:
    """What is wrong with the view in one frame.

    Attributes:
        state: What the camera sees; suspicion alone leaves it at ``seeing``.
        cause: What is wrong, also while it is only suspected; None if nothing is.
        gone: Share (0..1) of the scene that is not seen any more.
        sigma: Standard uncertainty of ``gone``.
        since_s: Stream time of the last frame before it began.
        region: The view, confirmed once it is sure what is wrong; ended in the frame of recovery.
    """

    state: CameraState = CameraState.SEEING
    cause: Tampering | None = None
    gone: float = 0.0
    sigma: float = 0.0
    since_s: float = 0.0
    region: Track | None = None


PLAIN: Final = 4.0
"""Standard deviation of luma below which a picture shows nothing."""
BLACK: Final = 10.0
"""Mean luma of a sensor that gets no light; what covers a lens lets more through."""
WHITE: Final = 225.0
GLARE_LEVEL: Final = 250
GLARE: Final = 0.5
"""Share of pixels at the end of the scale from which a picture is over-exposed."""
DAZZLED: Final = 0.3
"""Share of known places that is gone behind glare; what was white before is no glare."""
RECOGNISABLY: Final = 0.5
"""Share of known places that may be gone of a dark scene that is recognised nevertheless."""
COLOURED: Final = 60.0
"""Difference between a picture's mean colours that no scene makes: a blue screen, colour bars."""
NO_NOISE: Final = 0.002
"""Share of pixels that change at most in a picture that comes from no sensor."""
FLAWLESS: Final = 1.0
"""Standard deviation of luma of a plain picture that comes from no sensor."""
SNOWY: Final = 2.0
GRAINY: Final = 0.5
"""Amplitude of fine detail over the usual one, and grain, from which a picture that is never the
same twice is snow."""
SNOW_MOVES: Final = 0.3
SHARP: Final = 0.35
SHARPLY: Final = 0.22
"""Amplitude of fine detail over the usual one, or over that of all detail, from which what is seen
instead of the scene is sharp."""
LASTING: Final = 2.0
"""Tones of detail that must stay the same in another view: noise is sharp as well."""
UNSHARP: Final = 0.5
"""Amplitude of fine detail, over the usual one, below which a scene that is there is blurred."""
EMPTY: Final = (0.25, 0.4, 0.2)
"""Amplitude of fine and of all detail and contrast of the coarse picture, over those that were,
below all of which nothing is left of a scene, however little there was in it."""
DARKER: Final = 0.5
"""Share of the usual light below which the lights are out."""
DIM: Final = 0.15
"""Correlation with the remembered scene at which it is still there then, however dark."""
THERE: Final = 0.4
"""The same by day: places with little detail may be hidden while the strong ones are not."""
LAYOUT: Final = 0.6
LIKE: Final = 0.8
"""Contrast and correlation of the coarse picture at which only its focus is lost."""
HAZE: Final = 0.15
HAZY: Final = 0.8
"""Contrast and correlation of the coarse picture that shines through paint, not a cover."""
RAGGED: Final = 0.6
"""Scatter of what is gone that paint leaves, but nothing that is pushed before a lens."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """One picture, measured against what is remembered and against the one before.

    Attributes:
        pixels_HW3: As decoded.
        luma_HW: As compared.
        likeness: To what is remembered.
        detail_HW, earlier_HW: Detail of this picture and of one some frames ago.
        moved, changed: See ``Stillness``.
    """

    pixels_HW3: BgrImage
    luma_HW: Luma
    likeness: Likeness
    detail_HW: FloatArray
    earlier_HW: FloatArray
    moved: float
    changed: float

    @property
    def steadiness(self) -> float:
        """Correlation of the picture's detail with that of some frames ago, -1..1."""
        return similarity(self.earlier_HW, self.detail_HW)

    @property
    def is_dark(self) -> bool:
        """Whether the lights are out, and the scene is there nevertheless."""
        likeness = self.likeness
        seen = min(likeness.whole, likeness.whole_gone)
        return likeness.level < DARKER and (seen >= DIM or likeness.likeness >= LIKE)

    @property
    def is_still_there(self) -> bool:
        """Whether most of the scene can be made out, or all of it with little light."""
        likeness = self.likeness
        is_like = likeness.whole >= THERE and likeness.layout >= LAYOUT
        return self.is_dark or (is_like and likeness.fine >= UNSHARP)

    @property
    def is_unsharp(self) -> bool:
        """Whether the scene is where it was, but out of focus."""
        likeness = self.likeness
        is_there = likeness.layout >= LAYOUT and likeness.likeness >= LIKE
        # In the dark, coding leaves hardly any fine detail.
        return is_there and likeness.fine < UNSHARP and likeness.level >= DARKER

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of the scene, however little there was in it."""
        likeness = self.likeness
        left = (likeness.fine, likeness.contrast, likeness.layout)
        return all(part < most for part, most in zip(left, EMPTY, strict=True))

    def nothing_in_it(self, *, is_gone: bool, scatter: float) -> Tampering | None:
        """Return what is wrong with a picture that shows no scene at all.

        Args:
            is_gone: What is remembered is not seen in it.
            scatter: See ``what_hides_it``.
        """
        mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(self.luma_HW))
        if deviation >= PLAIN:
            if _share_from(self.luma_HW, GLARE_LEVEL) >= GLARE and self._is_dazzled:
                return Tampering.OVER_EXPOSED
            return Tampering.SIGNAL_LOST if is_gone and self._is_snow else None
        if deviation < FLAWLESS and _colour(self.pixels_HW3) >= COLOURED:
            return Tampering.SIGNAL_LOST
        if mean >= WHITE:
            return Tampering.OVER_EXPOSED
        if self.is_dark or self._is_recognised:
            return None
        if mean <= BLACK:
            return Tampering.BLACK
        if not is_gone and self.likeness.layout >= HAZE:
            return None
        is_flawless = self.changed <= NO_NOISE and deviation < FLAWLESS
        return Tampering.SIGNAL_LOST if is_flawless else self._cover(scatter)

    def what_hides_it(self, *, scatter: float) -> Tampering:
        """Return why a scene is gone from a picture that shows something.

        Args:
            scatter: The most ragged border of what was gone while more and more of it went.
        """
        likeness = self.likeness
        lasting = likeness.tones_gone * math.sqrt(max(0.0, self.steadiness))
        is_fine = likeness.fine_gone >= SHARP or likeness.grain_gone >= SHARPLY
        is_sharp = is_fine and lasting >= LASTING
        if likeness.layout >= LAYOUT and likeness.likeness >= LIKE and not is_sharp:
            return Tampering.DEFOCUSED
        if is_sharp:
            is_card = self.changed <= NO_NOISE and _colour(self.pixels_HW3) >= COLOURED
            return Tampering.SIGNAL_LOST if is_card else Tampering.MOVED
        return self._cover(scatter)

    def _cover(self, scatter: float) -> Tampering:
        likeness = self.likeness
        shines_through = likeness.layout >= HAZE and likeness.likeness >= HAZY
        is_paint = shines_through or scatter >= RAGGED
        return Tampering.SPRAYED if is_paint else Tampering.COVERED

    @property
    def _is_recognised(self) -> bool:
        return self.likeness.known >= LEAST_PLACES and self.likeness.gone < RECOGNISABLY

    @property
    def _is_dazzled(self) -> bool:
        return self.likeness.gone >= DAZZLED or self.likeness.layout < HAZE

    @property
    def _is_snow(self) -> bool:
        likeness = self.likeness
        is_noise = likeness.fine >= SNOWY and likeness.grain_gone >= GRAINY
        return is_noise and self.moved >= SNOW_MOVES and self.steadiness < RECOGNISED


def _share_from(luma_HW: Luma, level: int) -> float:
    return np.count_nonzero(luma_HW >= level) / luma_HW.size


def _colour(pixels_HW3: BgrImage) -> float:
    """Return how colourful a picture is: the mean difference of its strongest to weakest colour."""
    few_HW3 = cv2.resize(pixels_HW3, (16, 9), interpolation=cv2.INTER_AREA)
    return float(np.ptp(few_HW3, axis=-1).mean())
