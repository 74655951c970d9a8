"""The pictures of the last seconds, small and grey, and what has changed since each.

Shape legend: H, W = pixels of the small pictures.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contracts.frames import Frame
from contracts.geometry import Box

Luma = npt.NDArray[np.uint8]
Changed = npt.NDArray[np.bool_]

WIDTH: Final = 160
"""Pixels. Somebody who can be told to lie is at least a tenth of the picture high: 12 of these."""
EVERY_S: Final = 0.18
"""A picture is kept this often, whatever the frame rate."""
KEPT_S: Final = 6.0
EARLIER_S: Final = 2.5
"""Who walks was elsewhere so long ago."""
CHANGED_LEVELS: Final = 14.0
"""A pixel has changed by more than this, after the light, in grey levels: noise of a compressed
picture averaged down to this size is about 2, a shadow on a floor 5 to 10."""
ANOTHER_VIEW: Final = 0.5
"""With more of the picture changed between two frames it is another view, or another light."""
RIM_PX: Final = 2
"""What stood somewhere blurs so far into its surroundings."""
LEAST_ASKED: Final = 0.25
"""Share of a box that must be left to be asked."""
TIME_SLACK_S: Final = 1e-6
_TONES: Final = (10, 30, 50, 70, 90)
"""Percentiles of the two pictures that tell what the camera's exposure did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Something that was not there before.

    Attributes:
        box: Around the middle nine tenths of it, each way.
        area: Its pixels over those of a square as high as the body that stood there.
        fill: Its pixels over those of the box, 0..1.
    """

    box: Box
    area: float
    fill: float


class RecentPictures:
    """Remembers small grey pictures of one camera's run for ``KEPT_S``."""

    def __init__(self) -> None:
        self._kept: deque[tuple[float, Luma]] = deque()
        self._now: Luma | None = None
        self._compared: dict[float, Changed] = {}

    def look(self, small: Frame) -> bool:
        """Take the newest picture.

        Returns:
            Whether it shows what the one before showed. If not, all before are forgotten: it has
            another size, or most of it changed at once, as when somebody turns the camera.
        """
        luma_HW = _small_luma(small)
        now_s = small.header.monotonic_s
        before_HW, self._now = self._now, luma_HW
        is_same = before_HW is None or (
            before_HW.shape == luma_HW.shape
            and float(_changed(luma_HW, before_HW).mean()) < ANOTHER_VIEW
        )
        if not is_same:
            self._kept.clear()
        self._compared.clear()
        if not self._kept or now_s - self._kept[-1][0] >= EVERY_S:
            self._kept.append((now_s, luma_HW))
        while now_s - self._kept[0][0] > KEPT_S:
            self._kept.popleft()
        return is_same

    def at(self, since_s: float) -> Luma:
        """Return the last picture kept up to ``since_s``, or the oldest there is."""
        return self._at(since_s)[1]

    def share_unlike(self, box: Box, before: Sequence[Luma], *, but: Box) -> float:
        """Return the share (0..1) of the pixels in a box that are as in none of some pictures.

        Args:
            box: The box.
            before: The pictures (H, W).
            but: What is left out of it: where something stood then, nothing can look as before.
                If it leaves next to nothing, nothing is left out.
        """
        now_HW = self._now
        if now_HW is None or any(now_HW.shape != before_HW.shape for before_HW in before):
            return 0.0
        changed_HW = np.logical_and.reduce([_changed(now_HW, before_HW) for before_HW in before])
        is_asked_HW = np.zeros(changed_HW.shape, np.bool_)
        part = _part(box, changed_HW.shape)
        is_asked_HW[part] = True
        is_asked_HW[_part(but, changed_HW.shape, margin=RIM_PX)] = False
        if is_asked_HW.sum() < LEAST_ASKED * changed_HW[part].size:
            is_asked_HW[part] = True
        return float(changed_HW[is_asked_HW].mean())

    def share_changed(self, box: Box, *, since_s: float) -> float:
        """Return the share (0..1) of the pixels in a box that are not as they were then.

        Compared is with the last picture kept up to ``since_s``, or the oldest there is.
        """
        changed_HW = self.changed(since_s=since_s)
        part = changed_HW[_part(box, changed_HW.shape)]
        return float(part.mean()) if part.size else 0.0

    def share_new(self, box: Box, *, since_s: float) -> float:
        """Return the share (0..1) of a box's pixels that are neither as then nor as before that.

        Where somebody only left, the ground is as it was ``EARLIER_S`` before he stood there.
        """
        new_HW = self.changed(since_s=since_s) & self.changed(since_s=since_s - EARLIER_S)
        part = new_HW[_part(box, new_HW.shape)]
        return float(part.mean()) if part.size else 0.0

    def most_like(self, box: Box, *, until_s: float) -> tuple[float, Luma]:
        """Return the picture that a box looks most like, and the share (0..1) that has changed.

        Asked are all that were kept up to then, or the oldest. Where people leave one after
        another somebody is in most of them; the bare ground is in one.
        """
        asked = [kept for kept in self._kept if kept[0] <= until_s + TIME_SLACK_S]
        shares = [
            (self.share_changed(box, since_s=at_s), luma_HW)
            for at_s, luma_HW in asked or [self._kept[0]]
        ]
        return min(shares, key=lambda pair: pair[0])

    def changed(self, *, since_s: float) -> Changed:
        """Return which pixels (H, W) of the newest picture are not as they were then."""
        if self._now is None:
            raise ValueError("no picture was looked at yet")
        at_s, before_HW = self._at(since_s)
        if at_s not in self._compared:
            self._compared[at_s] = _changed(self._now, before_HW)
        return self._compared[at_s]

    def _at(self, since_s: float) -> tuple[float, Luma]:
        return next(
            (kept for kept in reversed(self._kept) if kept[0] <= since_s + TIME_SLACK_S),
            self._kept[0],
        )


def arrived(changed_HW: Changed, stood: Box, found: Box, *, aspect: float) -> Arrival | None:
    """Return what has come to be beside a place where somebody stood and was not there then.

    Args:
        changed_HW: What is not as it was when somebody stood there.
        stood: The box in which they stood, normalised: what is new is outside of it.
        found: The box in which they were found last, which what is new must touch.
        aspect: Width of the picture over its height, in pixels.

    Returns:
        The largest connected piece within a body's reach; None if there is next to nothing.
    """
    height = stood[3] - stood[1]
    reach = height / aspect
    middle = (stood[0] + stood[2]) / 2
    rows, columns = _part(
        (middle - 1.1 * reach, stood[1], middle + 1.1 * reach, stood[3] + 0.45 * height),
        changed_HW.shape,
    )
    new_HW = changed_HW.astype(np.uint8)
    new_HW[_part(stood, changed_HW.shape, margin=RIM_PX)] = 0
    count, labels_HW, stats, _ = cv2.connectedComponentsWithStats(
        np.ascontiguousarray(new_HW[rows, columns]), connectivity=8
    )
    pixels_high = height * changed_HW.shape[0]
    if count < 2 or pixels_high < 4:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    ys, xs = np.nonzero(labels_HW == largest)
    top, bottom = np.percentile(ys, (5, 95)) + rows.start
    left, right = np.percentile(xs, (5, 95)) + columns.start
    full_h, full_w = changed_HW.shape
    box = (
        float(left / full_w),
        float(top / full_h),
        min(1.0, float((right + 1) / full_w)),
        min(1.0, float((bottom + 1) / full_h)),
    )
    if not _touch(box, found, slack=0.1 * height):
        return None
    extent = max(1.0, (bottom - top + 1) * (right - left + 1))
    return Arrival(box=box, area=len(ys) / pixels_high**2, fill=min(1.0, len(ys) / extent))


def _touch(box: Box, other: Box, *, slack: float) -> bool:
    return (
        box[0] - slack <= other[2]
        and other[0] - slack <= box[2]
        and box[1] - slack <= other[3]
        and other[1] - slack <= box[3]
    )


def _small_luma(small: Frame) -> Luma:
    height, width = small.pixels_HW3.shape[:2]
    grey_HW = cv2.cvtColor(small.pixels_HW3, cv2.COLOR_BGR2GRAY)
    if width > WIDTH:
        size = (WIDTH, max(1, round(height * WIDTH / width)))
        grey_HW = cv2.resize(grey_HW, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(grey_HW, (3, 3), 0), np.uint8)


def _changed(now_HW: Luma, before_HW: Luma) -> Changed:
    """Return where two pictures differ, after the line that best maps one exposure on the other.

    The line is fitted twice: by the tones of both pictures, and again by what then fits, since
    what came and went would pull at it.
    """
    then_N = before_HW[::3, ::3].astype(np.float32).ravel()
    now_N = now_HW[::3, ::3].astype(np.float32).ravel()
    gain, offset = _line(np.percentile(then_N, _TONES), np.percentile(now_N, _TONES))
    fits_N = np.abs(now_N - (then_N * gain + offset)) < CHANGED_LEVELS
    if np.count_nonzero(fits_N) > then_N.size // 2:
        gain, offset = _line(then_N[fits_N], now_N[fits_N])
    difference_HW = np.abs(now_HW - (before_HW * np.float32(gain) + np.float32(offset)))
    return np.asarray(difference_HW > CHANGED_LEVELS, np.bool_)


def _line(then_N: npt.NDArray[np.floating], now_N: npt.NDArray[np.floating]) -> tuple[float, float]:
    """Return gain and offset of the least squares, the gain within what a camera does."""
    away_N = then_N - then_N.mean()
    spread = float(away_N @ away_N)
    gain = float(away_N @ (now_N - now_N.mean())) / spread if spread > 1 else 1.0
    gain = min(2.0, max(0.5, gain))
    return gain, float(now_N.mean() - gain * then_N.mean())


def _part(box: Box, shape: tuple[int, ...], *, margin: int = 0) -> tuple[slice, slice]:
    """Return the rows and columns of a box and a margin in pixels, cut at the picture's edge."""
    height, width = shape[:2]
    x1, y1, x2, y2 = (min(1.0, max(0.0, value)) for value in box)
    top, left = int(y1 * height) - margin, int(x1 * width) - margin
    bottom, right = math.ceil(y2 * height) + margin, math.ceil(x2 * width) + margin
    return (
        slice(max(0, top), max(top + 1, bottom)),
        slice(max(0, left), max(left + 1, right)),
    )
