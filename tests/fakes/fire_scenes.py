"""Rendered pictures of fire, and of what is as bright, as warm or as restless."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.float32]
WIDTH, HEIGHT = 320, 180
FIRE = (0.45, 0.5, 0.55, 0.75)
EMBER = (40.0, 120.0, 250.0)
"""Blue, green, red of a flame."""

Painter = Callable[[Picture, int, np.random.Generator], None]


def flames(box: tuple[float, float, float, float] = FIRE) -> Painter:
    """Tongues that change for themselves from frame to frame."""

    def paint(picture: Picture, _: int, random: np.random.Generator) -> None:
        rows, columns = _inside(box)
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        heat = np.kron(random.uniform(0.55, 1.05, (shape[0] // 3, shape[1] // 4)), np.ones((3, 4)))
        part = picture[rows, columns][: heat.shape[0], : heat.shape[1]]
        part[:] = heat[:, :, None] * np.array(EMBER, np.float32)

    return paint


def lamp(*, every: int = 0) -> Painter:
    """A warm lamp; ``every`` so many frames it goes on or off."""

    def paint(picture: Picture, seq: int, _: np.random.Generator) -> None:
        rows, columns = _inside(FIRE)
        gain = 0.4 if every and seq // every % 2 else 1.0
        picture[rows, columns] = np.array(EMBER, np.float32) * gain

    return paint


def vest(*, per_frame: float = 0.02) -> Painter:
    """Somebody in an orange vest walks through."""

    def paint(picture: Picture, seq: int, _: np.random.Generator) -> None:
        x = (0.1 + per_frame * seq) % 0.9
        rows, columns = _inside((x, 0.5, x + 0.05, 0.7))
        picture[rows, columns] = EMBER

    return paint


def sunset() -> Painter:
    """The upper part glows, evenly."""

    def paint(picture: Picture, seq: int, _: np.random.Generator) -> None:
        glow = np.linspace(1.0, 0.8, HEIGHT // 2, dtype=np.float32)[:, None, None]
        picture[: HEIGHT // 2] = glow * np.array(EMBER, np.float32) * (1 - 0.001 * seq)

    return paint


def render(painters: list[Painter], seq: int, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """The picture of one frame: a grey yard with what is painted on it, and noise."""
    picture = np.full((HEIGHT, WIDTH, 3), (95, 100, 105), np.float32)
    for paint in painters:
        paint(picture, seq, random)
    picture += random.normal(0, 2, picture.shape).astype(np.float32)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _inside(box: tuple[float, float, float, float]) -> tuple[slice, slice]:
    x1, y1, x2, y2 = box
    return (
        slice(round(y1 * HEIGHT), round(y2 * HEIGHT)),
        slice(round(x1 * WIDTH), round(x2 * WIDTH)),
    )
