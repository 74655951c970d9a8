import cv2
import numpy as np
import pytest

from contracts.frames import BgrImage, EncodedFrame
from tests.fakes.builders import header
from vision.drawing import decode_jpeg, encode_jpeg
from vision.picture import Picture

WIDTH, HEIGHT = 64, 36
HEADER = header(3, size=(WIDTH, HEIGHT))


def scene() -> BgrImage:
    noise = np.random.default_rng(4).integers(60, 200, (3, 4, 3), np.uint8)
    smooth = cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth, np.uint8)


def read(content: bytes) -> BgrImage:
    pixels_HW3 = decode_jpeg(content)
    assert pixels_HW3 is not None
    return pixels_HW3


class Shared:
    """Pixels that are there, or are not any more."""

    def __init__(self, pixels_HW3: BgrImage | None) -> None:
        self.pixels_HW3 = pixels_HW3
        self.copies = 0

    def copy(self) -> BgrImage | None:
        self.copies += 1
        return self.pixels_HW3


def test_a_jpeg_stays_as_it_came() -> None:
    content = encode_jpeg(scene())
    picture = Picture.of(EncodedFrame(header=HEADER, jpeg=content))

    assert picture is not None
    assert picture.jpeg == content
    whole = picture.whole()
    assert whole is not None
    assert np.array_equal(whole.pixels_HW3, read(content))


def test_shared_pixels_are_copied_once_and_are_the_picture() -> None:
    shared = Shared(scene())
    picture = Picture.of(EncodedFrame(header=HEADER, shared=shared))

    assert picture is not None
    for _ in range(2):
        whole = picture.whole()
        assert whole is not None
        assert np.array_equal(whole.pixels_HW3, scene())
    assert shared.copies == 1


def test_of_pixels_that_are_gone_there_is_no_picture() -> None:
    assert Picture.of(EncodedFrame(header=HEADER, shared=Shared(None))) is None


def test_a_jpeg_is_made_of_pixels_when_it_is_asked_for() -> None:
    picture = Picture(HEADER, pixels_HW3=scene())

    found = read(picture.jpeg)

    assert np.abs(found.astype(int) - scene()).mean() < 4
    assert picture.jpeg is picture.jpeg


@pytest.mark.parametrize("by", [1, 2, 4, 8])
def test_pixels_and_jpeg_are_reduced_to_the_same(by: int) -> None:
    pixels, jpeg = Picture(HEADER, pixels_HW3=scene()), Picture(HEADER, jpeg=encode_jpeg(scene()))

    one, other = pixels.reduced(by), jpeg.reduced(by)  # type: ignore[arg-type]  # of the list above

    assert one is not None
    assert other is not None
    assert one.pixels_HW3.shape == other.pixels_HW3.shape == (-(-HEIGHT // by), WIDTH // by, 3)
    assert one.header == HEADER
    assert np.abs(one.pixels_HW3.astype(int) - other.pixels_HW3).mean() < 5


def test_what_cannot_be_read_is_nothing_in_any_size() -> None:
    broken = Picture(HEADER, jpeg=b"\xff\xd8 no picture")

    assert broken.whole() is None
    assert broken.reduced(2) is None
    assert broken.jpeg == b"\xff\xd8 no picture"


def test_a_folded_picture_is_its_jpeg() -> None:
    picture = Picture(HEADER, pixels_HW3=scene())
    picture.fold()

    assert not picture.has_pixels
    whole = picture.whole()
    assert whole is not None
    assert np.array_equal(whole.pixels_HW3, read(picture.jpeg))
