"""Tamperings and what looks like them, laid over any pictures: rendered scenes or real clips.

Each is a function of a picture (H, W, 3, float32, 0..255), the seconds since it began (negative
before) and a generator of random numbers; it works at any size.
Shape legend: H, W = picture in pixels, 3 = blue, green, red.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from tests.bench.gate_scenes import FloatPicture, Picture, background

Effect = Callable[[FloatPicture, float, np.random.Generator], FloatPicture]
Field = npt.NDArray[np.float32]


def tampered(
    pictures: Iterable[tuple[float, FloatPicture]],
    effect: Effect,
    *,
    begins_s: float,
    ends_s: float,
    noise: float = 0.0,
    is_optical: bool = True,
) -> Iterator[Picture]:
    """Yield pictures (with their stream seconds) under an effect from begin to end.

    What happens before the lens gets the sensor's noise, what happens after the sensor does not.
    """
    rng = np.random.default_rng(11)
    for at_s, picture in pictures:
        since_s = at_s - begins_s if at_s < ends_s else -1.0
        grain = noise * rng.standard_normal((*picture.shape[:2], 1), np.float32)
        if since_s < 0:
            shown = picture + grain
        elif is_optical:
            shown = effect(picture, since_s, rng) + grain
        else:
            shown = effect(np.asarray(picture + grain, np.float32), since_s, rng)
        yield np.clip(shown, 0, 255).astype(np.uint8)


def _grid(picture: FloatPicture) -> tuple[Field, Field]:
    """Return y and x of each pixel, 0..1 over the height and over the width."""
    return _grid_of(*picture.shape[:2])


@cache
def _grid_of(height: int, width: int) -> tuple[Field, Field]:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return y / height, x / width


def _mixed(picture: FloatPicture, other: FloatPicture | float, alpha: Field) -> FloatPicture:
    return np.asarray(picture + alpha[..., None] * (other - picture), np.float32)


def _blurred(picture: FloatPicture, share: float) -> FloatPicture:
    """Blur by a standard deviation of so many widths."""
    sigma = share * picture.shape[1]
    return picture if sigma < 0.2 else np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma))


def _warped(picture: FloatPicture, *, shift: tuple[float, float], turn_deg: float) -> FloatPicture:
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, 1.0)
    matrix[:, 2] += (shift[0] * width, shift[1] * height)
    moved = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.float32)


def _elsewhere(picture: FloatPicture, seed: int) -> FloatPicture:
    height, width = picture.shape[:2]
    return np.asarray(cv2.resize(background(seed), (width, height)), np.float32)


def cover(level: float, *, slides_s: float, reach: float = 1.0) -> Effect:
    """Slide something out of focus before the lens, from the left, trembling a little.

    Args:
        level: Its brightness.
        slides_s: Until it is in place.
        reach: Share of the width that it covers.
    """

    def effect(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
        y, x = _grid(picture)
        tremble = 0.004 * float(rng.standard_normal())
        edge = (reach + 0.1) * min(1.0, (since_s + 0.1) / max(slides_s, 0.1)) + tremble
        alpha = np.clip((edge - x) / 0.08, 0, 1).astype(np.float32)
        body = level * (0.85 + 0.3 * np.sin(3 * x + 2 * y + 0.5))[..., None]
        tint = np.array([0.85, 0.95, 1.15], np.float32)
        return _mixed(picture, np.asarray(body * tint, np.float32), alpha)

    return effect


def spray(colour: tuple[float, float, float], *, lasts_s: float = 1.0) -> Effect:
    """Spray soft blobs of paint until they cover nearly everything, here and there thinner."""
    blobs = np.random.default_rng(5).uniform(0, 1, (90, 4))

    def effect(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
        y, x = _grid(picture)
        clear = np.ones(x.shape, np.float32)
        count = int(len(blobs) * min(1.0, (since_s + 0.2) / lasts_s))
        for at_x, at_y, size, thick in blobs[:count]:
            radius = 0.05 + 0.12 * size
            distance = ((x - at_x) / radius) ** 2 + (0.56 * (y - at_y) / radius) ** 2
            clear *= 1 - (0.6 + 0.38 * thick) * np.exp(-(distance**2)).astype(np.float32)
        return _mixed(_blurred(picture, 0.002), np.asarray(colour, np.float32), 1 - clear)

    return effect


def defocus(share: float, *, ramp_s: float) -> Effect:
    """Turn the focus away within ``ramp_s``: blurred by so many widths in the end."""

    def effect(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
        return _blurred(picture, share * min(1.0, (since_s + 0.1) / max(ramp_s, 0.1)))

    return effect


def turned(*, shift: tuple[float, float] = (0.0, 0.0), turn_deg: float = 0.0) -> Effect:
    """Push the camera within 0.4 s: by a share of width and height, and by an angle."""

    def effect(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
        share = min(1.0, (since_s + 0.1) / 0.4)
        return _warped(
            picture, shift=(share * shift[0], share * shift[1]), turn_deg=share * turn_deg
        )

    return effect


def turned_away(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
    """Turn the camera to another scene."""
    if since_s < 0.4:
        return _blurred(_warped(picture, shift=(since_s, 0.0), turn_deg=0.0), 0.02)
    return _elsewhere(picture, 7)


class Freeze:
    """Repeat the picture of the beginning, with a running clock drawn into it or without."""

    def __init__(self, *, has_clock: bool = False) -> None:
        self._has_clock = has_clock
        self._kept: FloatPicture | None = None

    def __call__(
        self, picture: FloatPicture, since_s: float, rng: np.random.Generator
    ) -> FloatPicture:
        if self._kept is None or since_s < 0.01:
            self._kept = picture.copy()
        shown = np.clip(self._kept, 0, 255).astype(np.uint8)
        if self._has_clock:
            cv2.putText(
                shown, f"{since_s:06.2f}", (8, shown.shape[0] - 8), cv2.FONT_HERSHEY_PLAIN,
                shown.shape[1] / 640, (255, 255, 255), 1,
            )  # fmt: skip
        return shown.astype(np.float32)


def plain(blue: float, green: float, red: float, *, grain: float = 0.0) -> Effect:
    """Show one colour, with so much noise."""

    def effect(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
        shown = np.empty_like(picture)
        shown[:] = (blue, green, red)
        noise = rng.standard_normal((*shown.shape[:2], 1), np.float32)
        return np.asarray(shown + grain * noise, np.float32)

    return effect


def over_exposed(level: float) -> Effect:
    """Open the iris until the mean would be ``level`` if there were no end of the scale."""

    def effect(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
        gain = level / max(1.0, float(picture.mean()))
        return np.asarray(np.clip(gain * picture + 30, 0, 255), np.float32)

    return effect


def torch(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
    """Shine a torch into the lens: white in the middle, a veil everywhere."""
    y, x = _grid(picture)
    glare = np.exp(-(((x - 0.5) / 0.45) ** 4 + ((y - 0.5) / 0.5) ** 4))[..., None]
    return np.asarray(np.clip(0.4 * picture + 110 + 400 * glare, 0, 255), np.float32)


def bars(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
    """Show a test card of colour bars."""
    colours = ((191, 191, 191), (0, 191, 191), (191, 191, 0), (0, 191, 0), (191, 0, 191),
               (0, 0, 191), (191, 0, 0))  # fmt: skip
    width = picture.shape[1]
    shown = np.empty_like(picture)
    for index, colour in enumerate(colours):
        shown[:, index * width // 7 : (index + 1) * width // 7] = colour
    return shown


def snow(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
    """Show the noise of a receiver without a signal."""
    grain = rng.uniform(0, 255, (*picture.shape[:2], 1)).astype(np.float32)
    return np.repeat(grain, 3, axis=2)


TAMPERINGS: Final[dict[str, tuple[Callable[[], Effect], str]]] = {
    "hand slides in within 0.5 s": (lambda: cover(45, slides_s=0.5), "covered"),
    "dark cloth": (lambda: cover(22, slides_s=0.2), "covered"),
    "sheet of paper": (lambda: cover(170, slides_s=0.3), "covered"),
    "three quarters covered": (lambda: cover(60, slides_s=0.3, reach=0.75), "covered"),
    "grey paint sprayed for 1 s": (lambda: spray((120, 120, 120)), "sprayed"),
    "red paint sprayed for 1 s": (lambda: spray((40, 40, 170)), "sprayed"),
    "focus lost at once": (lambda: defocus(0.015, ramp_s=0.0), "defocused"),
    "focus lost within 0.6 s": (lambda: defocus(0.012, ramp_s=0.6), "defocused"),
    "focus lost badly": (lambda: defocus(0.03, ramp_s=0.3), "defocused"),
    "pushed aside by 20 %": (lambda: turned(shift=(0.2, 0.05)), "moved"),
    "pushed aside by 6 %": (lambda: turned(shift=(0.06, 0.0)), "moved"),
    "turned by 20 degrees": (lambda: turned(turn_deg=20.0), "moved"),
    "turned to another scene": (lambda: turned_away, "moved"),
    "picture repeated": (Freeze, "frozen"),
    "picture repeated, clock runs": (lambda: Freeze(has_clock=True), "frozen"),
    "black": (lambda: plain(0, 0, 0), "black"),
    "lens cap, sensor noise": (lambda: plain(2, 2, 2, grain=3.0), "black"),
    "iris wide open": (lambda: over_exposed(700.0), "over_exposed"),
    "white": (lambda: plain(255, 255, 255), "over_exposed"),
    "torch into the lens": (lambda: torch, "over_exposed"),
    "blue screen": (lambda: plain(160, 0, 0), "signal_lost"),
    "grey screen": (lambda: plain(128, 128, 128), "signal_lost"),
    "colour bars": (lambda: bars, "signal_lost"),
    "snow": (lambda: snow, "signal_lost"),
}
"""What is done to the camera, and the cause that is to be told."""
ELECTRONIC: Final = frozenset({"frozen", "black", "signal_lost"})
"""Causes that lie behind the sensor: no noise is added to them."""


def insect(*, size: float, crawls: bool) -> Effect:
    """Let something dark and out of focus sit or crawl on the lens."""

    def effect(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
        y, x = _grid(picture)
        at_x = 0.3 + (0.06 * since_s if crawls else 0.2)
        at_y = 0.5 + (0.1 * np.sin(2 * since_s) if crawls else 0.0)
        distance = ((x - at_x) / size) ** 2 + (0.56 * (y - at_y) / size) ** 2
        return _mixed(picture, 25.0, (0.95 * np.exp(-(distance**3))).astype(np.float32))

    return effect


def exposure_step(gain: float, *, overshoot_s: float) -> Effect:
    """Change the light; the exposure first goes too far, then takes most of it back."""

    def effect(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
        now = gain if since_s < overshoot_s else gain**0.4
        return np.clip(picture * now, 0, 255).astype(np.float32)

    return effect


def lights_out(left: float, *, grain: float) -> Effect:
    """Switch the lights off: a part is left, and the noise of a high gain."""

    def effect(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
        noise = rng.standard_normal((*picture.shape[:2], 1), np.float32)
        return np.asarray(left * picture + grain * noise, np.float32)

    return effect


def lamp_elsewhere(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
    """Switch one lamp off and another on: light from the other side, new shadows."""
    y, x = _grid(picture)
    light = 0.45 + 1.1 * x
    shadow = np.where((x > 0.3) & (x < 0.45) & (y > 0.4), 0.5, 1.0)
    return np.clip(picture * (light * shadow)[..., None], 0, 255).astype(np.float32)


def to_night(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
    """Take the infrared filter out: grey, too bright for 0.6 s, then noisy."""
    grey = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    gain = 3.0 if since_s < 0.6 else 0.8
    noise = rng.standard_normal((*picture.shape[:2], 1), np.float32)
    return np.clip(gain * grey + 5 * noise, 0, 255).astype(np.float32)


def flash(lasts_s: float) -> Effect:
    """Flash a light straight into the lens for a moment."""

    def effect(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
        if since_s % 4 > lasts_s:
            return picture
        return np.clip(3 * picture + 190, 0, 255).astype(np.float32)

    return effect


def focus_seeking(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
    """Lose the focus for 0.8 s and find it again, every 5 s."""
    return _blurred(picture, 0.02) if since_s % 5 < 0.8 else picture


def lorry(*, passes_s: float, is_plain: bool) -> Effect:
    """Let a lorry drive past that fills the picture between its ends."""

    def effect(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
        height, width = picture.shape[:2]
        long = 2 * width
        way = int((width + long) * since_s / passes_s)
        if way >= width + long:
            return picture
        side = np.full((height, long, 3), (150, 140, 135), np.uint8)
        if not is_plain:
            for at in range(0, long, max(4, width // 6)):
                cv2.rectangle(
                    side, (at, height // 5), (at + width // 14, height // 2), (60, 60, 60), -1
                )
            cv2.putText(
                side, "HAULAGE" * 3, (10, int(0.7 * height)), 0, height / 120, (20, 20, 20), 4
            )
        left, right = max(0, way - long), min(width, way)
        shown = picture.copy()
        shown[:, left:right] = side[:, left - way + long : right - way + long]
        return shown

    return effect


def crowd(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
    """Let people walk past everywhere, close to the camera."""
    height, width = picture.shape[:2]
    shown = picture.copy()
    people = np.random.default_rng(9).uniform(0, 1, (26, 5))
    for start, depth, pace, tone, hair in people:
        at = int((start + (0.1 + 0.25 * pace) * since_s) % 1.2 * width - 0.1 * width)
        tall = int((0.35 + 0.6 * depth) * height)
        foot = int((0.75 + 0.35 * depth) * height)
        coat = (40 + 180 * tone, 30 + 150 * hair, 60 + 120 * tone)
        cv2.ellipse(shown, (at, foot - tall // 2), (tall // 6, tall // 3), 0, 0, 360, coat, -1)
        cv2.circle(shown, (at, foot - tall), tall // 10, (110 * hair, 130, 170), -1)
    return shown


def drops(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
    """Leave rain drops on the lens: a third of the picture is blurred."""
    y, x = _grid(picture)
    wet = np.zeros(x.shape, np.float32)
    for at_x, at_y, size in np.random.default_rng(2).uniform(0, 1, (14, 3)):
        radius = 0.04 + 0.06 * size
        distance = ((x - at_x) / radius) ** 2 + (0.56 * (y - at_y) / radius) ** 2
        wet = np.maximum(wet, np.exp(-(distance**3)).astype(np.float32))
    return _mixed(picture, _blurred(picture, 0.02), wet)


def fog(picture: FloatPicture, since_s: float, rng: np.random.Generator) -> FloatPicture:
    """Let fog come up within 40 s until a quarter of the contrast is left."""
    left = 1 - 0.75 * min(1.0, since_s / 40)
    return np.asarray(left * picture + (1 - left) * 170, np.float32)


DISTURBANCES: Final[dict[str, Effect]] = {
    "insect sits on the lens": insect(size=0.12, crawls=False),
    "insect crawls over the lens": insect(size=0.16, crawls=True),
    "exposure jumps by 3, adapts in 1 s": exposure_step(3.0, overshoot_s=1.0),
    "exposure falls to a quarter, adapts in 1 s": exposure_step(0.25, overshoot_s=1.0),
    "lights out, a tenth is left": lights_out(0.1, grain=4.0),
    "lights out, 4 % is left": lights_out(0.04, grain=2.0),
    "another lamp, other shadows": lamp_elsewhere,
    "day to night": to_night,
    "flashes of 0.6 s": flash(0.6),
    "headlights into the lens for 1 s": flash(1.0),
    "focus sought for 0.8 s": focus_seeking,
    "lorry passes in 4 s": lorry(passes_s=4.0, is_plain=False),
    "lorry passes in 8 s": lorry(passes_s=8.0, is_plain=False),
    "plain lorry passes in 2.5 s": lorry(passes_s=2.5, is_plain=True),
    "crowd close to the camera": crowd,
    "drops on the lens": drops,
    "fog within 40 s": fog,
    "a third covered": cover(45, slides_s=0.3, reach=0.33),
    "nudged by 0.5 %": turned(shift=(0.005, 0.0)),
}
"""What is to be no alert."""
