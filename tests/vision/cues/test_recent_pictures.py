import cv2
import numpy as np
import numpy.typing as npt
import pytest

from contracts.frames import Frame
from contracts.geometry import Box
from tests.fakes.tracks import header_at
from vision.cues.recent_pictures import RecentPictures, arrived

ROOM = np.random.default_rng(3).integers(60, 180, (9, 16, 3), np.uint8)
ASPECT = 640 / 360


def picture(
    at_s: float,
    *boxes: Box,
    gain: float = 1.0,
    size: tuple[int, int] = (320, 180),
    room: npt.NDArray[np.uint8] = ROOM,
) -> Frame:
    """A room, and dark things in it."""
    pixels = cv2.resize(room, size, interpolation=cv2.INTER_LINEAR)
    for x1, y1, x2, y2 in boxes:
        width, height = size
        pixels[int(y1 * height) : int(y2 * height), int(x1 * width) : int(x2 * width)] = 10
    brighter = np.clip(pixels * gain, 0, 255).astype(np.uint8)
    return Frame(header=header_at(at_s), pixels_HW3=brighter)


MAN: Box = (0.4, 0.2, 0.5, 0.7)


def test_what_came_and_what_went_has_changed() -> None:
    pictures = RecentPictures()
    pictures.look(picture(0.0, MAN))
    pictures.look(picture(1.0, (0.6, 0.6, 0.8, 0.7)))

    assert pictures.share_changed(MAN, since_s=0.0) > 0.8
    assert pictures.share_changed((0.6, 0.6, 0.8, 0.7), since_s=0.0) > 0.8
    assert pictures.share_changed((0.0, 0.0, 0.3, 1.0), since_s=0.0) == 0


def test_another_exposure_is_no_change() -> None:
    pictures = RecentPictures()
    pictures.look(picture(0.0))
    pictures.look(picture(1.0, gain=0.7))

    assert pictures.share_changed((0.0, 0.0, 1.0, 1.0), since_s=0.0) < 0.02


def test_compares_with_the_picture_of_the_time_that_is_asked_for() -> None:
    pictures = RecentPictures()
    for at_s, things in ((0.0, ()), (1.0, (MAN,)), (2.0, (MAN,))):
        pictures.look(picture(at_s, *things))

    assert pictures.share_changed(MAN, since_s=0.5) > 0.8
    assert pictures.share_changed(MAN, since_s=1.5) == 0


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(
            picture(0.2, room=ROOM[::-1, ::-1]),
            id="another view",
        ),
        pytest.param(picture(0.2, size=(160, 120)), id="another size"),
    ],
)
def test_another_view_begins_anew(other: Frame) -> None:
    pictures = RecentPictures()
    assert pictures.look(picture(0.0, (0.0, 0.0, 0.5, 1.0)))

    assert not pictures.look(other)
    assert pictures.share_changed((0.0, 0.0, 1.0, 1.0), since_s=0.0) == 0


def test_what_came_to_lie_beside_somebody_is_found() -> None:
    pictures = RecentPictures()
    pictures.look(picture(0.0, MAN))
    pictures.look(picture(1.0, (0.5, 0.6, 0.75, 0.72)))

    came = arrived(pictures.changed(since_s=0.0), MAN, (0.42, 0.4, 0.55, 0.7), aspect=ASPECT)

    assert came is not None
    assert came.box == pytest.approx((0.5, 0.6, 0.75, 0.72), abs=0.03)
    assert came.fill > 0.9
    assert came.area == pytest.approx(0.25 * ASPECT * 0.12 / 0.5**2, rel=0.2)


def test_where_nothing_came_nothing_is_found() -> None:
    pictures = RecentPictures()
    pictures.look(picture(0.0, MAN))
    pictures.look(picture(1.0))

    assert arrived(pictures.changed(since_s=0.0), MAN, MAN, aspect=ASPECT) is None


def test_what_came_elsewhere_is_somebody_else() -> None:
    pictures = RecentPictures()
    pictures.look(picture(0.0, MAN))
    pictures.look(picture(1.0, MAN, (0.62, 0.2, 0.68, 0.5)))

    assert arrived(pictures.changed(since_s=0.0), MAN, MAN, aspect=ASPECT) is None


def test_ground_that_was_bare_for_a_moment_has_not_changed_since_then() -> None:
    pictures = RecentPictures()
    there: Box = (0.3, 0.6, 0.58, 0.7)
    for at_s, things in ((0.0, (MAN,)), (1.0, ()), (2.0, (MAN,)), (3.0, ()), (4.0, (there,))):
        pictures.look(picture(at_s, *things))
        if at_s == 3:
            assert pictures.share_changed(MAN, since_s=2.0) > 0.8
            assert pictures.most_like(MAN, until_s=2.0)[0] == 0
            assert pictures.most_like(MAN, until_s=0.0)[0] > 0.8

    assert pictures.most_like(there, until_s=2.0)[0] == pytest.approx(0.65, abs=0.1)
