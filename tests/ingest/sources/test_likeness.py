import av
import cv2
import numpy as np
import pytest

from contracts.frames import BgrImage
from ingest.sources.likeness import Likeness

WIDTH, HEIGHT = 320, 180


def view() -> BgrImage:
    """A place with structure everywhere."""
    noise = np.random.default_rng(1).integers(40, 200, (9, 16, 3), np.uint8)
    return np.asarray(cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST), np.uint8)


def spoilt_from(row: float) -> BgrImage:
    """The view, smeared downwards from there on."""
    pixels_HW3 = view()
    first = round(row * HEIGHT)
    pixels_HW3[first:] = pixels_HW3[first - 1]
    return pixels_HW3


def with_person() -> BgrImage:
    pixels_HW3 = view()
    pixels_HW3[80:150, 100:130] = (20, 20, 20)
    return pixels_HW3


def picture(pixels_HW3: BgrImage) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(pixels_HW3, format="bgr24").reformat(format="yuv420p")


def is_kept(pixels_HW3: BgrImage, *, of: BgrImage | None = None) -> bool:
    likeness = Likeness()
    likeness.keep(picture(view() if of is None else of))
    return likeness.is_kept(picture(pixels_HW3))


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(view(), id="the same"),
        pytest.param(with_person(), id="somebody has come"),
        pytest.param(spoilt_from(0.97), id="the last rows are missing"),
        pytest.param(cv2.convertScaleAbs(view(), beta=25), id="brighter"),
    ],
)
def test_the_view_is_known_again(shown: BgrImage) -> None:
    assert is_kept(shown)


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(spoilt_from(0.6), id="smeared"),
        pytest.param(np.full_like(view(), 128), id="grey"),
        pytest.param(np.ascontiguousarray(view()[:, ::-1]), id="another view"),
    ],
)
def test_what_does_not_show_the_view_is_told_apart(shown: BgrImage) -> None:
    assert not is_kept(shown)


def test_without_a_whole_picture_nothing_is_known() -> None:
    assert not Likeness().is_kept(picture(view()))


def test_the_newest_whole_picture_counts() -> None:
    likeness = Likeness()
    likeness.keep(picture(np.full_like(view(), 128)))
    assert not likeness.is_kept(picture(view()))

    likeness.keep(picture(view()))

    assert likeness.is_kept(picture(view()))


def test_the_size_may_change() -> None:
    larger = np.asarray(cv2.resize(view(), (2 * WIDTH, 2 * HEIGHT)), np.uint8)

    assert is_kept(larger)
