"""What a camera usually shows, place by place, and how much of it a picture still shows.

Fine detail in relative tones stands for the scene: light, shadow and exposure scale it or leave it,
whatever stands between the scene and the sensor takes it away. A place counts only where its detail
is found again in most pictures; foliage and a street full of people say nothing about the camera.

Shape legend: H, W = picture in pixels, h, w = places, c, d = coarse picture.
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from vision.estimates import weight_of

Luma = npt.NDArray[np.uint8]
ToneArray = npt.NDArray[np.int16]
FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

PLACES: Final = (8, 5)
"""Places across and down: some 20 x 18 of the 160 x 90 pixels that are compared."""
COARSE: Final = (16, 9)
"""Size of the coarse picture: what is left of a scene that is out of focus."""
DETAIL: Final = 9
"""Detail is what differs from the mean over so many pixels each way."""
FINE: Final = 3
DARK_LEVELS: Final = 64.0
"""Added to luma before its logarithm, as in ``vision.changes``: below it noise rules."""
SETTLED_S: Final = 5.0
"""Only a scene that was seen for so long is known; the memory then begins as the median of it, so
that whoever passed meanwhile is not remembered."""
REMEMBER_S: Final = 20.0
"""Time constant of the memory from then on."""
PASSING: Final = 4.0
"""Tones by which one picture can differ at most for what is learned from it: who passes counts
little, who stays is taken up in the end."""
LEARN_EVERY_S: Final = 0.4
"""The memory is brought up to date this often."""
STRUCTURED: Final = 1.0
"""Mean square (tones) of remembered detail from which a place can be recognised at all."""
RECOGNISED: Final = 0.3
"""Correlation with what is remembered from which a place is recognised: 18 x 20 pixels of noise
reach 0.1."""
USUAL: Final = 0.5
"""Mean correlation from which a place counts as one that is recognised in most pictures."""
BLURRED: Final = 0.12
"""Share of the usual fine energy (a third of the amplitude) below which a place is blurred."""
LEAST_SIDE: Final = 16
LEAST_SHIFT: Final = 2
"""Pixels by which a scene is found elsewhere at least: 1.3 % of the width."""
FOUND: Final = 0.4
NEARER: Final = 0.15
"""Correlation with which a scene is found elsewhere, and by how much more than where it was."""
HARDLY: Final = 0.2
"""Share that is gone behind whoever is in the picture anyway."""
PARTLY: Final = 0.3
"""Share that is gone from which a picture is no example of how light and dark lie in it."""
LEAST_PLACES: Final = 4
"""Fewer known places than this say nothing about the whole."""
_LITTLE: Final = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How much of what is remembered a picture shows.

    Attributes:
        known: Places that can be judged.
        gone: Share (0..1) of known places whose detail is not found, or only blurred; 0 if too few
            are known.
        scatter: How ragged the border of what has just gone is: neighbours on either side of it,
            over the geometric mean of places gone and left. A straight front has about 0.3, blobs
            above 0.6.
        whole: Correlation of all detail with what is remembered, -1..1.
        whole_gone: The same in the places that are gone.
        layout: Contrast of the coarse picture along that of the last picture that was well; 1 is
            as it was.
        likeness: Correlation of these two, -1..1.
        fine: Amplitude of fine detail over the usual one, in all of the picture or, if less is left
            there, between its upper and lower edge: see ``_sharpness``.
        fine_gone: The same in the places that are gone.
        tones_gone: Root mean square of all detail in the places that are gone, tones.
        grain_gone: Fine over all detail there: 0.25 to 0.4 in a sharp picture, 0.6 in noise.
        contrast: Root mean square of all detail over the remembered one, noise included.
        level: Mean luma over the usual one.
    """

    known: int
    gone: float
    scatter: float
    whole: float
    whole_gone: float
    layout: float
    likeness: float
    fine: float
    fine_gone: float
    tones_gone: float
    grain_gone: float
    contrast: float
    level: float


class SceneMemory:
    """The memory of one view at one size.

    Args:
        luma_HW: The first picture.
    """

    def __init__(self, luma_HW: Luma) -> None:
        self._read(luma_HW)
        self._seen = [(self._detail_HW, self._fine_now_hw)]
        self._remembered_HW = self._detail_HW.copy()
        self._well_cd = self._coarse_now_cd
        self._gone = 0.0
        self._fine_hw = self._fine_now_hw.copy()
        self._energy_hw = self._energy_now_hw.copy()
        self._usual_hw = np.ones_like(self._energy_hw)
        self._absent_hw = np.zeros(self._energy_hw.shape, np.bool_)
        self._level = self._level_now
        self._unlearned_s = 0.0
        self._pictures = 1
        self.age_s = 0.0
        """Stream time of what was learned."""

    @property
    def is_settled(self) -> bool:
        """Whether the scene is known for long enough to be missed."""
        return not self._seen

    @property
    def detail_HW(self) -> FloatArray:
        """Detail of the picture compared last."""
        return self._detail_HW

    def compare(self, luma_HW: Luma) -> Likeness:
        """Compare a picture with what is remembered; it is not learned."""
        self._read(luma_HW)
        shared_hw = _places(self._detail_HW * self._remembered_HW)
        now_hw, energy_hw = self._energy_now_hw, self._energy_hw
        self._match_hw = shared_hw / np.sqrt(now_hw * energy_hw + _LITTLE)
        layout, likeness = self._layout()
        known_hw = (energy_hw > STRUCTURED) & (self._usual_hw > USUAL)
        known = int(np.count_nonzero(known_hw))
        # In the dark all contrast shrinks; only what shrinks beyond that is out of focus.
        contrast = min(1.0, max(0.0, layout)) ** 2
        is_blurred_hw = self._fine_now_hw < BLURRED * contrast * self._fine_hw
        is_lost_hw = self._match_hw < RECOGNISED
        gone_hw = known_hw & (is_lost_hw | is_blurred_hw)
        is_enough = known >= LEAST_PLACES
        gone = float(np.count_nonzero(gone_hw) / known) if is_enough else 0.0
        self._gone = gone
        if gone < HARDLY:
            self._absent_hw = gone_hw
        there_hw = known_hw & ~self._absent_hw
        where_hw = _between(gone_hw) if gone_hw.any() else np.ones_like(gone_hw)
        shared_gone, now_gone = shared_hw[where_hw], now_hw[where_hw]
        fine_gone = self._fine_now_hw[where_hw]
        return Likeness(
            known=known,
            gone=gone,
            scatter=_least_scatter(gone_hw, there_hw) if is_enough else 0.0,
            whole=_correlation(shared_hw, now_hw, energy_hw),
            whole_gone=_correlation(shared_gone, now_gone, energy_hw[where_hw]),
            layout=layout,
            likeness=likeness,
            fine=self._sharpness(known_hw),
            fine_gone=_amplitude(fine_gone, self._fine_hw[where_hw]),
            tones_gone=math.sqrt(float(now_gone.mean())),
            grain_gone=_amplitude(fine_gone, now_gone),
            contrast=_amplitude(now_hw, energy_hw),
            level=(self._level_now + 1) / (self._level + 1),
        )

    def learn(self, step_s: float) -> None:
        """Take the picture compared last for one that shows what is usual.

        Args:
            step_s: Stream time since the one before.
        """
        if self._gone < PARTLY:
            self._well_cd = self._coarse_now_cd
        self.age_s += step_s
        self._unlearned_s += step_s
        if self._unlearned_s < LEARN_EVERY_S:
            return
        self._pictures += 1
        # A plain mean at first, so that no picture counts more than another.
        weight = max(1 / self._pictures, weight_of(self._unlearned_s, REMEMBER_S))
        self._unlearned_s = 0.0
        # Light comes and goes at once, detail is learned little by little.
        slowly = weight if not self.is_settled else weight / 4
        self._level += slowly * (self._level_now - self._level)
        if self.is_settled:
            self._take_up(np.float32(weight))
            return
        self._seen.append((self._detail_HW, self._fine_now_hw))
        if self.age_s >= SETTLED_S:
            self._settle()
            return
        for remembered, now in (
            (self._remembered_HW, self._detail_HW),
            (self._fine_hw, self._fine_now_hw),
        ):
            remembered += np.float32(weight) * (now - remembered)
        self._energy_hw = _places(self._remembered_HW * self._remembered_HW)

    def _take_up(self, weight: np.float32) -> None:
        """Learn, by little steps, what is not as remembered."""
        for remembered, now, most in (
            (self._remembered_HW, self._detail_HW, PASSING),
            (self._fine_hw, self._fine_now_hw, 0.5 * self._fine_hw + _LITTLE),
        ):
            remembered += weight * np.clip(now - remembered, -most, most)
        self._usual_hw += weight * (self._match_hw - self._usual_hw)
        self._energy_hw = _places(self._remembered_HW * self._remembered_HW)

    def _settle(self) -> None:
        """Begin the memory with the median of what was seen, and see how well each matches it."""
        details, fines = zip(*self._seen, strict=True)
        self._remembered_HW = np.median(details, axis=0).astype(np.float32)
        self._fine_hw = np.median(fines, axis=0).astype(np.float32)
        self._energy_hw = _places(self._remembered_HW * self._remembered_HW)
        matches = [
            _places(one_HW * self._remembered_HW)
            / np.sqrt(_places(one_HW * one_HW) * self._energy_hw + _LITTLE)
            for one_HW in details
        ]
        self._usual_hw = np.mean(matches, axis=0).astype(np.float32)
        self._seen.clear()

    def has_shifted(self, detail_HW: FloatArray) -> bool:
        """Say whether the remembered scene is found elsewhere in a picture: the camera was pushed.

        Costs about a millisecond.
        """
        height, width = detail_HW.shape
        if min(height, width) < LEAST_SIDE:
            return False
        (right, down), _ = cv2.phaseCorrelate(
            self._remembered_HW.astype(np.float64), detail_HW.astype(np.float64)
        )
        x, y = round(right), round(down)
        if max(abs(x), abs(y)) < LEAST_SHIFT or abs(x) > width // 2 or abs(y) > height // 2:
            return False
        now_HW = detail_HW[max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)]
        left, top = max(0, -x), max(0, -y)
        then_HW = self._remembered_HW[top : top + now_HW.shape[0], left : left + now_HW.shape[1]]
        found = similarity(now_HW, then_HW)
        return found >= max(FOUND, similarity(detail_HW, self._remembered_HW) + NEARER)

    def _read(self, luma_HW: Luma) -> None:
        self._level_now = float(cv2.mean(luma_HW)[0])
        tone_HW = np.asarray(cv2.LUT(luma_HW, _TONES), np.int16)
        self._detail_HW = _less_mean(tone_HW, DETAIL)
        fine_HW = _less_mean(tone_HW, FINE)
        self._energy_now_hw = _places(self._detail_HW * self._detail_HW)
        self._fine_now_hw = _places(fine_HW * fine_HW)
        coarse_cd = cv2.resize(tone_HW, COARSE, interpolation=cv2.INTER_AREA) * _TONE
        self._coarse_now_cd = _centred(coarse_cd)
        self._match_hw = np.ones_like(self._energy_now_hw)

    def _sharpness(self, known_hw: BoolArray) -> float:
        """Return the amplitude of fine detail over the usual one.

        A clock or a name that the camera draws is sharp whatever becomes of its lens, and may have
        more fine detail than all of the scene. It stands near the upper or lower edge; so what is
        known between them counts by itself.
        """
        everywhere = _amplitude(self._fine_now_hw, self._fine_hw)
        within_hw = _between(known_hw)
        within = _amplitude(self._fine_now_hw[within_hw], self._fine_hw[within_hw])
        return min(everywhere, within)

    def _layout(self) -> tuple[float, float]:
        """Return ``layout`` and ``likeness``, between the edges if they are more alike there."""
        everywhere = _alike(self._coarse_now_cd, self._well_cd)
        within = _alike(_centred(self._coarse_now_cd[1:-1]), _centred(self._well_cd[1:-1]))
        return max(everywhere, within, key=lambda layout: layout[1])


def similarity(one_HW: FloatArray, other_HW: FloatArray) -> float:
    """Return the correlation of the detail of two pictures, -1..1."""
    shared = float(cv2.mean(one_HW * other_HW)[0])
    energies = float(cv2.mean(one_HW * one_HW)[0]) * float(cv2.mean(other_HW * other_HW)[0])
    return shared / math.sqrt(energies + _LITTLE)


def _between(places_hw: BoolArray) -> BoolArray:
    """Return those of some places that lie between the upper and lower edge; all if too few do."""
    within_hw = places_hw.copy()
    within_hw[[0, -1]] = False
    return within_hw if np.count_nonzero(within_hw) >= LEAST_PLACES else places_hw


def _alike(now_cd: FloatArray, usual_cd: FloatArray) -> tuple[float, float]:
    """Return the contrast along that of the usual picture, and the correlation with it."""
    shared = float((now_cd * usual_cd).sum())
    usual, now = float((usual_cd * usual_cd).sum()), float((now_cd * now_cd).sum())
    return shared / (usual + _LITTLE), shared / math.sqrt(usual * now + _LITTLE)


def _centred(coarse_cd: FloatArray) -> FloatArray:
    return np.asarray(coarse_cd - coarse_cd.mean(), np.float32)


def _correlation(shared_hw: FloatArray, now_hw: FloatArray, usual_hw: FloatArray) -> float:
    energies = float(now_hw.sum()) * float(usual_hw.sum())
    return float(shared_hw.sum()) / math.sqrt(energies + _LITTLE)


def _amplitude(now_hw: FloatArray, usual_hw: FloatArray) -> float:
    return math.sqrt(float(now_hw.sum()) / (float(usual_hw.sum()) + _LITTLE))


def _least_scatter(gone_hw: BoolArray, known_hw: BoolArray) -> float:
    """Return how ragged the border is, without what stays because the camera draws it."""
    return min(_scatter(gone_hw & one_hw, one_hw) for one_hw in (known_hw, _between(known_hw)))


def _scatter(gone_hw: BoolArray, known_hw: BoolArray) -> float:
    gone, known = int(np.count_nonzero(gone_hw)), int(np.count_nonzero(known_hw))
    if gone in (0, known):
        return 0.0
    across = known_hw[:, 1:] & known_hw[:, :-1] & (gone_hw[:, 1:] != gone_hw[:, :-1])
    down = known_hw[1:] & known_hw[:-1] & (gone_hw[1:] != gone_hw[:-1])
    border = np.count_nonzero(across) + np.count_nonzero(down)
    return float(border) / math.sqrt(gone * (known - gone))


def _places(values_HW: FloatArray) -> FloatArray:
    return np.asarray(cv2.resize(values_HW, PLACES, interpolation=cv2.INTER_AREA), np.float32)


def _less_mean(tone_HW: ToneArray, size: int) -> FloatArray:
    """Return the tones less their mean over ``size`` pixels each way."""
    mean_HW = np.asarray(cv2.blur(tone_HW, (size, size)), np.int16)
    return (tone_HW - mean_HW) * _TONE


def _relative_tones() -> ToneArray:
    """Return the tone of each grey level: equal ratios of light are equal steps.

    64 steps are one of 255 tones: 16 bits are smoothed at a third of the cost of floats.
    """
    tones = np.log1p(np.arange(256) / DARK_LEVELS)
    levels: ToneArray = np.round(64 * 255 * tones / tones[-1]).astype(np.int16)
    return levels


_TONE: Final = np.float32(1 / 64)
_TONES: Final = _relative_tones()
