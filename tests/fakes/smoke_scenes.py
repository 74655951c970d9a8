"""Rendered smoke with exact truth, and what else hides, greys or softens a part of the picture.

A plume is mixed into a still scene: puffs leave its foot, rise, drift with the wind, spread and
thin, and turbulence goes through them. Pictures get the sensor's noise and are coded as JPEG.
Shape legend: H, W = picture in pixels, 3 = blue, green, red.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from contracts.frames import BgrImage
from tests.bench.gate_scenes import background
from tests.bench.normal_places import LOBBY, STREET, YARD

FloatPicture = npt.NDArray[np.float32]
Veil = npt.NDArray[np.float32]

WIDTH, HEIGHT, FPS = 320, 180, 5.0
NOISE: Final = 2.0
QUALITY: Final = 85
"""Of the JPEG."""
LIGHT: Final = (196.0, 198.0, 200.0)
DARK: Final = (66.0, 64.0, 62.0)
"""Blue, green, red of smoke."""
_PUFFS_A_SECOND: Final = 5.0
_AGE_S: Final = 14.0


class Painter(Protocol):
    """Changes a picture (H, W, 3) in place, by the seconds of stream time."""

    def __call__(self, picture: FloatPicture, at_s: float, /) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Plume:
    """Smoke from one foot.

    Attributes:
        foot: Where it comes from, picture units.
        starts_s, ends_s: When it does.
        colour: Of the smoke itself.
        thickness: Optical depth at the foot.
        rise, wind: Speed upward and to the right, picture heights per second.
        wide: Radius of a puff that has just left, picture heights.
        spread: Growth of that radius, picture heights per second.
    """

    foot: tuple[float, float] = (0.5, 0.75)
    starts_s: float = 5.0
    ends_s: float = float("inf")
    colour: tuple[float, float, float] = LIGHT
    thickness: float = 1.6
    rise: float = 0.07
    wind: float = 0.0
    wide: float = 0.04
    spread: float = 0.02
    seed: int = 1

    def __call__(self, picture: FloatPicture, at_s: float, /) -> None:
        """Mix the smoke of this moment into the picture."""
        alpha_HW1 = self.alpha(at_s)[:, :, None]
        picture += alpha_HW1 * (np.array(self.colour, np.float32) - picture)

    def alpha(self, at_s: float) -> Veil:
        """Return how much of each pixel the smoke hides, 0 to 1 (H, W)."""
        depth_HW = np.zeros((HEIGHT, WIDTH), np.float32)
        last = min(at_s, self.ends_s)
        first = max(self.starts_s, at_s - _AGE_S)
        numbers = range(int(first * _PUFFS_A_SECOND) + 1, int(last * _PUFFS_A_SECOND) + 1)
        for number in numbers:
            chance = np.random.default_rng((self.seed, number))
            begun_s = number / _PUFFS_A_SECOND
            if not self.starts_s <= begun_s <= last:
                continue
            age_s = at_s - begun_s
            wander = chance.normal(0, 0.02, 2) * age_s**0.8
            strength = float(chance.uniform(0.5, 1.5))
            radius = (self.wide + self.spread * age_s) * float(chance.uniform(0.8, 1.2))
            x = self.foot[0] * WIDTH + (self.wind * age_s + wander[0]) * HEIGHT
            y = self.foot[1] * HEIGHT - (self.rise * age_s + wander[1]) * HEIGHT
            thinned = strength * self.thickness * (self.wide / radius) ** 1.2 / 1.6
            _add_puff(depth_HW, (x, y), radius * HEIGHT, thinned)
        # Turbulence, carried along.
        dx, dy = self.wind * at_s * HEIGHT, -self.rise * at_s * HEIGHT
        depth_HW *= np.maximum(0.0, 1.0 + 0.5 * _drifted(dx, dy))
        hidden: Veil = 1 - np.exp(-depth_HW)
        return hidden


@dataclass(frozen=True, kw_only=True)
class FogBank:
    """Fog that comes over all of the picture within some seconds, and drifts."""

    starts_s: float = 5.0
    within_s: float = 8.0
    most: float = 0.6

    def __call__(self, picture: FloatPicture, at_s: float, /) -> None:
        alpha = self.most * float(np.clip((at_s - self.starts_s) / self.within_s, 0, 1))
        alpha_HW1 = (alpha * (1 + 0.1 * _drifted(6 * at_s, 0)))[:, :, None]
        picture += alpha_HW1 * (205.0 - picture)


@dataclass(frozen=True, kw_only=True)
class CloudShadow:
    """A shadow with a soft border that drifts across, and stays if ``stops_s`` is reached."""

    depth: float = 0.4
    per_second: float = 0.06
    wide: float = 0.3
    stops_s: float = float("inf")

    def __call__(self, picture: FloatPicture, at_s: float, /) -> None:
        middle = (-0.2 + self.per_second * min(at_s, self.stops_s)) * WIDTH
        x_W = np.arange(WIDTH, dtype=np.float32)
        soft_W = np.exp(-((np.abs(x_W - middle) / (self.wide * WIDTH / 2)) ** 4))
        picture *= (1 - self.depth * soft_W)[None, :, None]


@dataclass(frozen=True, kw_only=True)
class Walker:
    """Somebody in plain clothes on his way: ``(second, x, y of the foot)``, straight between."""

    way: Sequence[tuple[float, float, float]]
    colour: tuple[float, float, float] = (128.0, 130.0, 132.0)
    height: float = 0.45
    sways: float = 0.006

    def __call__(self, picture: FloatPicture, at_s: float, /) -> None:
        times = [point[0] for point in self.way]
        if not times[0] <= at_s <= times[-1]:
            return
        x = float(np.interp(at_s, times, [point[1] for point in self.way]))
        y = float(np.interp(at_s, times, [point[2] for point in self.way]))
        x += self.sways * np.sin(3 * at_s)
        tall = self.height * HEIGHT
        centre = (round(x * WIDTH), round(y * HEIGHT - 0.42 * tall))
        axes = (round(0.16 * tall), round(0.42 * tall))
        cv2.ellipse(picture, centre, axes, 0, 0, 360, self.colour, -1, cv2.LINE_AA)
        head = (centre[0], round(y * HEIGHT - 0.92 * tall))
        cv2.circle(picture, head, round(0.08 * tall), (110, 130, 170), -1, cv2.LINE_AA)


@dataclass(frozen=True, kw_only=True)
class Flag:
    """A grey cloth with stripes that waves on a pole."""

    colour: tuple[float, float, float] = (150.0, 150.0, 152.0)

    def __call__(self, picture: FloatPicture, at_s: float, /) -> None:
        left, top, wide, high = 120, 40, 90, 44
        for column in range(wide):
            phase = column / 14 - 5 * at_s
            lift = 0.12 * column * np.sin(phase)
            shade = 1 + 0.25 * np.cos(phase)
            rows = slice(int(top + lift), int(top + lift + high))
            picture[rows, left + column] = np.array(self.colour, np.float32) * shade
        picture[top : top + 110, left - 3 : left] = 90


@dataclass(frozen=True, kw_only=True)
class Lamp:
    """Light in a part of the picture, from and to; ``gain`` below 1 is a lamp that goes out."""

    starts_s: float = 5.0
    ends_s: float = float("inf")
    gain: float = 1.6
    every_s: float = 0.0

    def __call__(self, picture: FloatPicture, at_s: float, /) -> None:
        is_on = self.starts_s <= at_s < self.ends_s
        if not is_on or (self.every_s and int(at_s / self.every_s) % 2):
            return
        y_HW, x_HW = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        cone_HW = np.exp(-(((x_HW - 140) / 90) ** 2 + ((y_HW - 70) / 60) ** 2))
        picture *= (1 + (self.gain - 1) * cone_HW)[:, :, None]


@dataclass(frozen=True, kw_only=True)
class Defocus:
    """The lens loses its focus, all over the picture."""

    starts_s: float = 5.0
    sigma_px: float = 2.5

    def __call__(self, picture: FloatPicture, at_s: float, /) -> None:
        if at_s >= self.starts_s:
            sigma = self.sigma_px * min(1.0, (at_s - self.starts_s) / 2 + 0.2)
            picture[:] = cv2.GaussianBlur(picture, (0, 0), sigma)


@dataclass(frozen=True, kw_only=True)
class WetLens:
    """A drop or dirt on the lens: it softens a part of the picture, and stays as it is."""

    starts_s: float = 5.0
    radius: float = 0.18

    def __call__(self, picture: FloatPicture, at_s: float, /) -> None:
        if at_s < self.starts_s:
            return
        y_HW, x_HW = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        away_HW = np.hypot(x_HW - 150, y_HW - 80) / (self.radius * HEIGHT)
        soft_HW1 = np.exp(-(away_HW**4))[:, :, None]
        blurred = cv2.GaussianBlur(picture, (0, 0), 4.0)
        picture += soft_HW1 * (0.8 * blurred + 26 - picture)


@dataclass(frozen=True, kw_only=True)
class Rain:
    """Streaks all over the picture."""

    starts_s: float = 5.0
    streaks: int = 60

    def __call__(self, picture: FloatPicture, at_s: float, /) -> None:
        if at_s < self.starts_s:
            return
        chance = np.random.default_rng(round(at_s * 100))
        wet = picture.copy()
        for _ in range(self.streaks):
            x, y = int(chance.integers(0, WIDTH)), int(chance.integers(-10, HEIGHT))
            long = int(chance.integers(4, 13))
            cv2.line(wet, (x, y), (x - long // 6, y + long), (215, 215, 215), 1, cv2.LINE_AA)
        picture += 0.5 * (wet - picture)


@dataclass(frozen=True, kw_only=True)
class Tremble:
    """The camera shakes, or turns by so many pixels a second."""

    sigma_px: float = 0.7
    turns_px: float = 0.0

    def __call__(self, picture: FloatPicture, at_s: float, /) -> None:
        chance = np.random.default_rng(round(at_s * 100))
        dx, dy = chance.normal(0, self.sigma_px, 2)
        shift = np.array([[1, 0, dx + self.turns_px * at_s], [0, 1, dy]], np.float32)
        picture[:] = cv2.warpAffine(picture, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)


PLACES: Final = ("wall", "street", "yard", "lobby")


@cache
def place(name: str) -> FloatPicture:
    """Return a still scene (H, W, 3) by its name in ``PLACES``."""
    if name == "wall":
        return np.ascontiguousarray(background(2)[::2, ::2])
    backdrop = {"street": STREET, "yard": YARD, "lobby": LOBBY}[name].backdrop()
    small = cv2.resize(backdrop, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def render(
    painters: Sequence[Painter],
    at_s: float,
    random: np.random.Generator,
    *,
    where: str = "wall",
    light: float = 1.0,
    noise: float = NOISE,
) -> BgrImage:
    """Return the picture of a moment, as a decoder gives it."""
    picture = place(where) * np.float32(light)
    for paint in painters:
        paint(picture, at_s)
    picture += noise * random.standard_normal((HEIGHT, WIDTH, 1), np.float32)
    taken = np.clip(picture, 0, 255).astype(np.uint8)
    _, jpeg = cv2.imencode(".jpg", taken, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


def _add_puff(depth_HW: Veil, at: tuple[float, float], radius: float, strength: float) -> None:
    reach = 2.5 * radius
    rows = slice(max(0, int(at[1] - reach)), min(HEIGHT, int(at[1] + reach) + 1))
    columns = slice(max(0, int(at[0] - reach)), min(WIDTH, int(at[0] + reach) + 1))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    y_H = np.arange(rows.start, rows.stop, dtype=np.float32) - np.float32(at[1])
    x_W = np.arange(columns.start, columns.stop, dtype=np.float32) - np.float32(at[0])
    shape_H, shape_W = np.exp(-((y_H / radius) ** 2)), np.exp(-((x_W / radius) ** 2))
    depth_HW[rows, columns] += np.float32(strength) * np.outer(shape_H, shape_W)


def _drifted(dx: float, dy: float) -> Veil:
    """Return soft turbulence of mean 0 and deviation of about 1, carried by so many pixels."""
    field = _turbulence()
    rolled = np.roll(field, (round(dy), round(dx)), axis=(0, 1))
    return rolled[:HEIGHT, :WIDTH]


@cache
def _turbulence() -> Veil:
    random = np.random.default_rng(7)
    field = np.zeros((512, 512), np.float32)
    for grain, depth in ((8, 0.5), (16, 0.7), (32, 0.8)):
        small = random.standard_normal((512 // grain, 512 // grain)).astype(np.float32)
        field += depth * cv2.resize(small, (512, 512), interpolation=cv2.INTER_CUBIC)
    return field
