"""A publisher whose picture is bright while its tone sounds, and how far apart they are kept."""

import asyncio
from fractions import Fraction
from pathlib import Path
from statistics import median

import av
import numpy as np
from aiortc import MediaStreamTrack

from contracts.clock import SystemClock

CLOCK = SystemClock()
PERIOD_S = 1.0
ON_S = 0.4
"""Of each period it is bright and loud for so long, from its beginning on."""
_FPS = 30
_RATE = 48_000
_CHUNK = 960


class FlashTrack(MediaStreamTrack):
    """Pictures of 320 x 240, in the time since ``epoch_s`` of this machine's monotonic clock."""

    kind = "video"

    def __init__(self, epoch_s: float) -> None:
        super().__init__()
        self._epoch_s = epoch_s
        self._next = 0

    async def recv(self) -> av.VideoFrame:
        now_s = await _until(self._epoch_s + self._next / _FPS) - self._epoch_s
        self._next = int(now_s * _FPS) + 1
        level = 210 if now_s % PERIOD_S < ON_S else 40
        picture = av.VideoFrame.from_ndarray(
            np.full((240, 320, 3), level, np.uint8), format="rgb24"
        )
        picture.pts, picture.time_base = round(now_s * 90_000), Fraction(1, 90_000)
        return picture


class BeepTrack(MediaStreamTrack):
    """Its sound, in the same time."""

    kind = "audio"

    def __init__(self, epoch_s: float) -> None:
        super().__init__()
        self._epoch_s = epoch_s
        self._next = 0

    async def recv(self) -> av.AudioFrame:
        await _until(self._epoch_s + (self._next + _CHUNK) / _RATE)
        t_s = (self._next + np.arange(_CHUNK)) / _RATE
        loud = (t_s % PERIOD_S < ON_S) * 0.5 * np.sin(2 * np.pi * 440 * t_s)
        samples = np.round(loud * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = _RATE
        frame.pts, frame.time_base = self._next, Fraction(1, _RATE)
        self._next += _CHUNK
        return frame


def apart_s(path: Path, *, skip_s: float = 0.0) -> float:
    """By how much the sound of a file comes after its picture: the median of all beginnings."""
    bright, loud = _bright_begins(path), _loud_begins(path)
    found = [
        min((heard - seen for heard in loud), key=abs) for seen in bright if seen >= skip_s and loud
    ]
    assert len(found) >= 2, (bright, loud)
    return median(found)


def _bright_begins(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        levels = [
            (picture.time or 0.0, float(picture.to_ndarray(format="gray").mean()))
            for picture in container.decode(video=0)
        ]
    return _begins(levels, over=125)


def _loud_begins(path: Path) -> list[float]:
    levels: list[tuple[float, float]] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(float)).max(axis=0)
            for at in range(0, len(samples), 240):
                heard_s = (frame.time or 0.0) + at / frame.sample_rate
                levels.append((heard_s, float(samples[at : at + 240].max())))
    return _begins(levels, over=0.1)


def _begins(levels: list[tuple[float, float]], *, over: float) -> list[float]:
    """When a level rises above a bound after a tenth of a second below it."""
    begins: list[float] = []
    low_since: float | None = None
    for at_s, level in levels:
        if level <= over:
            low_since = at_s if low_since is None else low_since
            continue
        if low_since is not None and at_s - low_since > 0.1:
            begins.append(at_s)
        low_since = None
    return begins


async def _until(at_s: float) -> float:
    await asyncio.sleep(max(0.0, at_s - CLOCK.monotonic_s()))
    return CLOCK.monotonic_s()
