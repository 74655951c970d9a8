"""Rendered scenes for the gate, with exact truth: who is there when, and what only disturbs.

640 x 360, five frames a second, with sensor noise; ``coded`` sends them through H.264.
Shape legend: H, W = picture in pixels, 3 = blue, green, red.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import av
import cv2
import numpy as np
import numpy.typing as npt

FloatPicture = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]
Disturb = Callable[[FloatPicture, float, np.random.Generator], FloatPicture]
"""The scene at a stream second, disturbed."""

WIDTH: Final = 640
HEIGHT: Final = 360
FPS: Final = 5
LEAD_S: Final = 6.0
"""So long nothing moves before somebody comes."""
_YY, _XX = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
_CLOTHES: Final = {
    "dark": ((40, 45, 60), (30, 30, 32)),
    "dull": ((90, 110, 120), (70, 85, 100)),
}
"""Coat and trousers: a third of the background's brightness, and within 15 % of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """Somebody who comes out from behind an edge and walks on to the right.

    Attributes:
        height: Share of the picture's height.
        speed: Share of the picture's width per second.
        noise: Standard deviation of the sensor's noise, grey levels.
        clothes: ``dark`` or ``dull``.
        lasts_s: From the first glimpse.
    """

    height: float
    speed: float
    noise: float
    clothes: str
    lead_s: float = LEAD_S
    lasts_s: float = 10.0
    disturb: Disturb | None = None

    def frames(self) -> tuple[list[Picture], list[bool]]:
        """Return the pictures, and for each whether the whole of the mover is in it."""
        scene, rng = background(1), np.random.default_rng(4)
        edge, pace, tall = 0.2 * WIDTH, self.speed * WIDTH, self.height * HEIGHT
        pictures, present = [], []
        for number in range(round((self.lead_s + self.lasts_s) * FPS)):
            since_s = number / FPS - self.lead_s
            at = edge - 0.15 * tall + pace * max(0.0, since_s)
            picture = scene.copy()
            if since_s >= 0:
                _draw_person(picture, at, tall, _CLOTHES[self.clothes])
                picture[:, : int(edge)] = scene[:, : int(edge)]
            present.append(since_s >= 0 and edge + 0.15 * tall <= at < 0.97 * WIDTH)
            if self.disturb is not None:
                picture = self.disturb(picture, number / FPS, rng)
            pictures.append(_sensed(picture, self.noise, rng))
        return pictures, present


def background(seed: int, *, light: float = 1.0) -> FloatPicture:
    """Return a scene with texture of every size and a dozen hard edges."""
    rng = np.random.default_rng(seed)
    tone = np.full((HEIGHT, WIDTH), 110.0, np.float32)
    for grain, depth in ((4, 5.0), (10, 8.0), (40, 14.0), (160, 20.0)):
        field = rng.normal(0, 1, (HEIGHT // grain + 2, WIDTH // grain + 2)).astype(np.float32)
        tone += depth * cv2.resize(field, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for _ in range(12):
        x, y = int(rng.integers(0, WIDTH - 80)), int(rng.integers(0, HEIGHT - 60))
        far = (x + int(rng.integers(20, 120)), y + int(rng.integers(15, 80)))
        cv2.rectangle(tone, (x, y), far, float(rng.uniform(50, 190)), -1)
    scene: FloatPicture = np.stack([0.95 * tone, tone, 1.03 * tone], axis=-1)
    lit: FloatPicture = np.clip(light * scene, 0, 255)
    return lit


def disturbed(
    disturb: Disturb | None, *, noise: float, light: float, seconds: float
) -> list[Picture]:
    """Return the pictures of a scene in which nobody is."""
    scene, rng = background(2, light=light), np.random.default_rng(4)
    pictures = []
    for number in range(round(seconds * FPS)):
        picture = scene if disturb is None else disturb(scene, number / FPS, rng)
        pictures.append(_sensed(picture, noise, rng))
    return pictures


def coded(pictures: Sequence[Picture]) -> Iterator[Picture]:
    """Yield the pictures as a camera's H.264 at constant rate factor 28 leaves them."""
    stored = io.BytesIO()
    with av.open(stored, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {
            "crf": "28",
            "preset": "veryfast",
            "tune": "zerolatency",
            "g": "25",
            "threads": "1",
        }
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    stored.seek(0)
    with av.open(stored, "r") as container:
        for frame in container.decode(container.streams.video[0]):
            yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def _sensed(picture: FloatPicture, noise: float, rng: np.random.Generator) -> Picture:
    grain = rng.standard_normal((HEIGHT, WIDTH, 1), np.float32)
    return np.clip(picture + noise * grain, 0, 255).astype(np.uint8)


def _draw_person(
    picture: FloatPicture, x: float, tall: float, clothes: Sequence[tuple[int, int, int]]
) -> None:
    """Draw trousers, coat and head, to a sixteenth of a pixel, feet at 62 % of the height."""
    foot = 0.62 * HEIGHT
    parts = (
        (0.25, 0.12, 0.25, clothes[1]),
        (0.66, 0.15, 0.20, clothes[0]),
        (0.92, 0.065, 0.08, (120, 140, 180)),
    )
    left, right = int(max(0, x - tall)), int(min(WIDTH, x + tall))
    top, bottom = int(foot - 1.2 * tall), int(foot + 3)
    if right <= left:
        return
    enlarged = cv2.resize(
        picture[top:bottom, left:right], None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST
    )
    for above, wide, high, colour in parts:
        centre = (round((x - left) * 64), round((foot - above * tall - top) * 64))
        axes = (max(1, round(wide * tall * 64)), max(1, round(high * tall * 64)))
        cv2.ellipse(enlarged, centre, axes, 0, 0, 360, colour, -1, cv2.LINE_AA, 4)
    size = (right - left, bottom - top)
    picture[top:bottom, left:right] = cv2.resize(enlarged, size, interpolation=cv2.INTER_AREA)


def dimming(scene: FloatPicture, at_s: float, rng: np.random.Generator) -> FloatPicture:
    """Lose 45 % of the light within 12 s."""
    return scene * np.float32(1 - 0.45 * min(1.0, max(0.0, (at_s - 6) / 12)))


def clouds(scene: FloatPicture, at_s: float, rng: np.random.Generator) -> FloatPicture:
    """Let shadows of up to 30 % drift over, one in seven seconds."""
    depth = 0.15 * (1 + np.sin(2 * np.pi * at_s / 7)) * (0.6 + 0.4 * np.sin(_XX / 200 + at_s / 3))
    return np.asarray(scene * (1 - depth[..., None]), np.float32)


def lamp(scene: FloatPicture, at_s: float, rng: np.random.Generator) -> FloatPicture:
    """Switch a lamp on and off every 6 s: 70 % more light beneath it."""
    cone = np.exp(-(((_XX - 200) / 260) ** 2 + ((_YY - 80) / 200) ** 2))[..., None]
    return np.asarray(scene * (1 + 0.7 * cone * (int(at_s // 6) % 2)), np.float32)


def headlights(scene: FloatPicture, at_s: float, rng: np.random.Generator) -> FloatPicture:
    """Sweep a beam that more than doubles the light across the picture in 3 s, every 8 s."""
    way = (at_s % 8) / 3
    if way > 1:
        return scene
    x = -100 + way * (WIDTH + 200)
    beam = np.exp(-(((_XX - x) / 70) ** 2 + ((_YY - 220) / 45) ** 2))[..., None]
    return np.asarray(scene * (1 + 1.2 * beam) + 18 * beam, np.float32)


def rain(streaks: int) -> Disturb:
    """Return rain of so many half transparent streaks in each picture."""

    def fall(scene: FloatPicture, at_s: float, rng: np.random.Generator) -> FloatPicture:
        wet = scene.copy()
        for _ in range(streaks):
            x, y, long = rng.integers(0, WIDTH), rng.integers(-20, HEIGHT), rng.integers(8, 26)
            end = (int(x - 0.15 * long), int(y + long))
            cv2.line(wet, (int(x), int(y)), end, (215, 215, 215), 1, cv2.LINE_AA)
        return 0.5 * (scene + wet)

    return fall


def shake(sigma_px: float) -> Disturb:
    """Return a camera that shakes by so many pixels."""

    def move(scene: FloatPicture, at_s: float, rng: np.random.Generator) -> FloatPicture:
        dx, dy = rng.normal(0, sigma_px, 2)
        shift = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
        moved = cv2.warpAffine(scene, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        return np.asarray(moved, np.float32)

    return move


def tree(scene: FloatPicture, at_s: float, rng: np.random.Generator) -> FloatPicture:
    """Wave foliage over the leftmost 15 % of the picture, by up to 5 pixels."""
    wide = int(0.15 * WIDTH)
    xx, yy = _XX[:, :wide], _YY[:, :wide]
    dx = 3 * np.sin(2 * np.pi * at_s / 1.7 + yy / 40) + 2 * np.sin(2 * np.pi * at_s / 0.9 + xx / 15)
    dy = 1.5 * np.sin(2 * np.pi * at_s / 1.3 + xx / 25)
    map_x, map_y = (xx + 20 + dx).astype(np.float32), (yy + dy).astype(np.float32)
    waved = scene.copy()
    waved[:, :wide] = cv2.remap(
        _FOLIAGE, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )[..., None]
    return waved


def _foliage() -> FloatPicture:
    leaves = np.random.default_rng(3).normal(0, 1, (HEIGHT // 5, WIDTH // 5)).astype(np.float32)
    return np.asarray(80 + 28 * cv2.resize(leaves, (WIDTH, HEIGHT)), np.float32)


_FOLIAGE: Final = _foliage()
