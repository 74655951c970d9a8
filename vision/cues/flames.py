"""Flames: what is as bright and warm as fire, and goes on changing in one place, out of step.

Colour alone finds lamps, sunsets and vests; flicker alone finds everybody who moves. Flames are
both, for seconds, where nobody who is followed is, and each part of them for itself: a light that
blinks changes as a whole.

Shape legend: H, W = picture in pixels, at most 320 wide, 3 = blue, green, red.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from contracts.frames import BgrImage, FrameHeader
from contracts.geometry import Box, gap
from contracts.tracks import Track
from vision.cues.company import Company
from vision.cues.ground import shrunk
from vision.cues.port import Glimpse
from vision.cues.regions import RegionLife, region_id
from vision.cues.seen import Flame, FlamesSeen
from vision.estimates import weight_of

Mask = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]

LABEL: Final = "fire"
BRIGHT: Final = 204
"""Least level of red: the outer flame of a fire by day."""
OVER_GREEN: Final = 12
OVER_BLUE: Final = 40
"""Levels by which red exceeds green and blue at least; green is hardly below blue."""
CHANGE: Final = 10
"""Levels of red by which a pixel changes from frame to frame, above noise and compression."""
REMEMBER_S: Final = 1.5
"""Time constant of how often a pixel is warm and how often it changes."""
WARM: Final = 0.25
"""A pixel of a flame is as warm as fire in so many of the last frames."""
FLICKERS: Final = 0.35
"""... and changes in so many."""
LEAST_AREA: Final = 0.0005
"""Share of the picture that flickers: 5 x 6 pixels of 320 x 180."""
HOT: Final = 225
"""The hottest tenth of a flame's red."""
IN_STEP: Final = 0.88
"""A lamp that blinks changes as a whole: its mean changes nearly as much as its pixels do."""
STEP_S: Final = 2.0
"""Time constant of both."""
NEAR: Final = 0.03
"""Picture units: tongues so near to a fire are its own."""
END_S: Final = 2.0
"""A fire that is not seen for so long is out."""
LONGEST_STEP_S: Final = 1.0
_CLOSE: Final = np.ones((5, 5), np.uint8)


class _Part(NamedTuple):
    """A connected part of the picture that flickers warmly.

    Attributes:
        area: Its pixels.
        flicker: Share of the last frames in which its pixels changed.
        net: Mean change of its red since the frame before, without sign.
        stir: Mean of what each of its pixels changed by, without sign.
    """

    box: Box
    area: int
    flicker: float
    net: float
    stir: float


@dataclass(slots=True, kw_only=True, eq=False)
class _Fire:
    """A fire as it is followed; ``net`` and ``stir`` are those of its parts, averaged."""

    life: RegionLife
    flicker: float
    net: float
    stir: float

    @property
    def is_blinking(self) -> bool:
        """Whether it changes as a whole."""
        return self.net > IN_STEP * self.stir


@dataclass(slots=True, kw_only=True)
class _Pixels:
    """What is remembered of each pixel."""

    red_HW: npt.NDArray[np.uint8]
    warm_HW: FloatArray
    change_HW: FloatArray
    seconds: float = 0.0


class FlamesCue:
    """Follows flames in the pictures of one camera's run.

    Where nothing is as warm as fire, and was not lately, no more is done than to see that. A
    change of the picture's size begins everything anew; frames that go back in time change
    nothing.
    """

    def __init__(self) -> None:
        self._pixels: _Pixels | None = None
        self._company = Company()
        self._fires: list[_Fire] = []
        self._last_s: float | None = None

    def look(self, glimpse: Glimpse) -> FlamesSeen:
        """See ``Cue.look``."""
        header = glimpse.header
        if self._last_s is not None and header.monotonic_s <= self._last_s:
            return FlamesSeen()
        step_s = LONGEST_STEP_S if self._last_s is None else header.monotonic_s - self._last_s
        self._last_s = header.monotonic_s
        movers = self._company.look(glimpse.tracks, header)
        picture_HW3 = shrunk(glimpse.small.pixels_HW3)
        warm_HW = _warm(picture_HW3)
        pixels = self._pixels
        if pixels is not None and pixels.red_HW.shape != warm_HW.shape:
            pixels = self._pixels = None
        least = max(9.0, LEAST_AREA * warm_HW.size)
        if pixels is None and not self._fires and cv2.countNonZero(warm_HW) < least:
            return FlamesSeen()
        found = self._read(picture_HW3, warm_HW, movers, step_s=step_s, least=least)
        return self._follow(found, header, step_s=step_s)

    def _read(
        self,
        picture_HW3: BgrImage,
        warm_HW: Mask,
        movers: list[Track],
        *,
        step_s: float,
        least: float,
    ) -> list[_Part]:
        """Return what flickers warmly."""
        red_HW = np.ascontiguousarray(picture_HW3[:, :, 2])
        pixels = self._pixels
        if pixels is None:
            nothing_HW = np.zeros(warm_HW.shape, np.float32)
            self._pixels = _Pixels(red_HW=red_HW, warm_HW=nothing_HW, change_HW=nothing_HW.copy())
            return []
        pixels.seconds += step_s
        # A plain mean at first, so that the beginning counts no more than any other frame.
        weight = max(weight_of(step_s, REMEMBER_S), min(1.0, step_s / pixels.seconds))
        step_HW = red_HW.astype(np.int16) - pixels.red_HW
        pixels.red_HW = red_HW
        changed_HW = (np.abs(step_HW) > CHANGE).astype(np.float32)
        cv2.accumulateWeighted((warm_HW > 0).astype(np.float32), pixels.warm_HW, weight)
        cv2.accumulateWeighted(changed_HW, pixels.change_HW, weight)
        flame_HW = ((pixels.warm_HW > WARM) & (pixels.change_HW > FLICKERS)).astype(np.uint8)
        for track in movers:
            _blank(flame_HW, track.last.box)
        if cv2.countNonZero(flame_HW) < least:
            if not self._fires and float(pixels.warm_HW.max()) < WARM / 10:
                self._pixels = None
            return []
        return _regions(flame_HW, red_HW, step_HW, pixels.change_HW, least=least)

    def _follow(self, found: list[_Part], header: FrameHeader, *, step_s: float) -> FlamesSeen:
        """Join what was found to the fires that are known, or begin new ones."""
        now_s = header.monotonic_s
        parts: dict[int, list[_Part]] = {}
        fresh = []
        for part in found:
            near = [
                index
                for index, fire in enumerate(self._fires)
                if gap(fire.life.box, part.box) <= NEAR
            ]
            if near:
                parts.setdefault(near[0], []).append(part)
            else:
                fresh.append(part)
        ended = []
        for index, fire in enumerate(self._fires):
            if index in parts:
                _join(fire, parts[index], header, step_s=step_s)
            elif now_s - fire.life.seen_s > END_S:
                fire.life.end(header)
                ended.append(fire)
            else:
                fire.life.miss(header)
        told = list(self._fires)
        self._fires = [fire for fire in self._fires if fire not in ended]
        for part in fresh:
            life = RegionLife(
                region_id("f", header, len(told)),
                label=LABEL,
                headers=[header],
                box=part.box,
                confidence=part.flicker,
            )
            fire = _Fire(life=life, flicker=part.flicker, net=part.net, stir=part.stir)
            self._fires.append(fire)
            told.append(fire)
        return FlamesSeen(
            flames=tuple(
                Flame(
                    track=fire.life.snapshot(),
                    flicker=fire.flicker,
                    is_blinking=fire.is_blinking,
                )
                for fire in told
            )
        )


def _warm(picture_HW3: BgrImage) -> Mask:
    """Return where a picture is as bright and as warm as fire."""
    blue_HW, green_HW, red_HW = (
        np.ascontiguousarray(picture_HW3[:, :, channel]) for channel in range(3)
    )
    bright_HW = red_HW > BRIGHT
    if not bright_HW.any():
        return bright_HW.astype(np.uint8)
    over_green_HW = cv2.subtract(red_HW, green_HW)
    over_blue_HW = cv2.subtract(red_HW, blue_HW)
    below_blue_HW = cv2.subtract(blue_HW, green_HW)
    return np.asarray(
        bright_HW
        & (over_green_HW > OVER_GREEN)
        & (over_blue_HW > OVER_BLUE)
        & (below_blue_HW < OVER_GREEN // 3),
        np.uint8,
    )


def _blank(flame_HW: Mask, box: Box) -> None:
    """Leave out who is followed there, and a little around him."""
    height, width = flame_HW.shape
    x1, y1, x2, y2 = box
    pad = 0.05 * (y2 - y1)
    rows = slice(max(0, int((y1 - pad) * height)), int((y2 + pad) * height) + 1)
    columns = slice(max(0, int((x1 - pad) * width)), int((x2 + pad) * width) + 1)
    flame_HW[rows, columns] = 0


def _regions(
    flame_HW: Mask,
    red_HW: npt.NDArray[np.uint8],
    step_HW: npt.NDArray[np.int16],
    change_HW: FloatArray,
    *,
    least: float,
) -> list[_Part]:
    height, width = flame_HW.shape
    closed_HW = cv2.morphologyEx(flame_HW, cv2.MORPH_CLOSE, _CLOSE)
    count, labels_HW, stats_N5, _ = cv2.connectedComponentsWithStats(closed_HW)
    found = []
    for index in range(1, count):
        left, top, wide, high, area = (int(value) for value in stats_N5[index])
        if area < least:
            continue
        inside = (slice(top, top + high), slice(left, left + wide))
        own = labels_HW[inside] == index
        step_N = step_HW[inside][own]
        stir = float(np.abs(step_N).mean())
        if float(np.percentile(red_HW[inside][own], 90)) < HOT:
            continue
        box = (left / width, top / height, (left + wide) / width, (top + high) / height)
        found.append(
            _Part(
                box=box,
                area=area,
                flicker=float(change_HW[inside][own].mean()),
                net=abs(float(step_N.mean())),
                stir=stir,
            )
        )
    return found


def _join(fire: _Fire, parts: list[_Part], header: FrameHeader, *, step_s: float) -> None:
    """Bring a fire up to date with the parts of it that are seen now."""
    boxes = [part.box for part in parts]
    around = (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )
    fire.flicker = max(part.flicker for part in parts)
    weight = weight_of(step_s, STEP_S)
    largest = max(parts, key=lambda part: part.area)
    fire.net += weight * (largest.net - fire.net)
    fire.stir += weight * (largest.stir - fire.stir)
    fire.life.see(header, box=around, confidence=min(1.0, fire.flicker))
