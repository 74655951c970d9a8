import numpy as np
import numpy.typing as npt
import pytest

from vision.cues.ground import tones_of
from vision.cues.marks import MARGIN, Mark, read_mark

Picture = npt.NDArray[np.uint8]
SIDE = 40
WINDOW = slice(MARGIN, SIDE - MARGIN)


def floor(*, contrast: float = 12.0) -> Picture:
    noise = np.random.default_rng(2).normal(0, contrast, (SIDE // 4, SIDE // 4, 1))
    grain = np.kron(noise, np.ones((4, 4, 1)))
    lit_up = 120 + np.broadcast_to(grain, (SIDE, SIDE, 3))
    return np.asarray(np.clip(lit_up, 0, 255), np.uint8)


def with_thing(picture: Picture) -> Picture:
    shown = picture.copy()
    noise = np.random.default_rng(4).normal((30, 45, 40), 25, (7, 7, 3))
    body = np.clip(np.kron(noise, np.ones((4, 4, 1))), 0, 255)
    shown[WINDOW, WINDOW] = body.astype(np.uint8)
    return shown


def lit(picture: Picture, gain: float) -> Picture:
    shown = picture.astype(np.float32)
    shown[WINDOW, WINDOW] *= gain
    return np.clip(shown, 0, 255).astype(np.uint8)


def mark(before: Picture, after: Picture) -> Mark:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[WINDOW, WINDOW] = 255
    return read_mark(tones_of(before), tones_of(after), mask).mark


def test_the_picture_with_the_edges_has_the_thing() -> None:
    assert mark(floor(), with_thing(floor())) is Mark.PUT
    assert mark(with_thing(floor()), floor()) is Mark.TAKEN


@pytest.mark.parametrize("gain", [0.5, 0.7, 1.4, 1.9])
@pytest.mark.parametrize("contrast", [0.0, 12.0])
def test_light_and_shade_are_no_things(gain: float, contrast: float) -> None:
    ground = floor(contrast=contrast)

    assert mark(ground, lit(ground, gain)) is Mark.LIGHT


def test_another_colour_of_the_same_structure_is_no_thing() -> None:
    tinted = floor().astype(np.float32)
    tinted[WINDOW, WINDOW] *= (0.7, 1.0, 1.3)

    assert mark(floor(), tinted.astype(np.uint8)) is Mark.UNCLEAR


def test_what_has_edges_before_and_after_is_unclear() -> None:
    other = with_thing(floor())[::-1, ::-1].copy()

    assert mark(with_thing(floor()), other) is Mark.UNCLEAR
