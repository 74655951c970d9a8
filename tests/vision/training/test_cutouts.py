"""People who stand alone and whole are cut out; others are left where they are."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts.frames import BgrImage
from tests.vision.training.scenes import CAR, GREEN, RED, corpus_of, known, sample
from vision.training.corpus import Object
from vision.training.cutouts import PER_SOURCE, Cutout, cut_people, turned

STANDING = (100, 40, 150, 180)


def oval(
    box: tuple[int, int, int, int] = STANDING, *, size: tuple[int, int] = (224, 384)
) -> BgrImage:
    """A red oval that touches the sides of a box, on a finely speckled ground."""
    pixels_HW3 = np.random.default_rng(1).integers(90, 110, (*size, 3)).astype(np.uint8)
    x1, y1, x2, y2 = box
    middle, half = ((x1 + x2) // 2, (y1 + y2) // 2), ((x2 - x1) // 2, (y2 - y1) // 2)
    cv2.ellipse(pixels_HW3, middle, half, 0, 0, 360, RED, -1)
    return pixels_HW3


def cut(folder: Path, pixels_HW3: BgrImage, *objects: Object) -> list[Cutout]:
    corpus = corpus_of(folder, (sample(pixels_HW3, *objects), pixels_HW3))
    return cut_people(corpus, corpus.samples)


def test_a_person_is_cut_along_his_outline(tmp_path: Path) -> None:
    [person] = cut(tmp_path, oval(), known(STANDING))

    rows, columns = person.alpha_HW.shape
    assert rows == pytest.approx(140, abs=6)
    assert columns == pytest.approx(50, abs=6)
    assert person.pixels_HW3.shape == (rows, columns, 3)
    body = person.pixels_HW3[person.alpha_HW == 255].mean(axis=0)
    assert body == pytest.approx(RED, abs=25)
    assert person.alpha_HW[0, 0] == 0
    assert person.alpha_HW[rows // 2, columns // 2] == 255


def test_a_cutout_keeps_no_hold_on_the_corpus(tmp_path: Path) -> None:
    [person] = cut(tmp_path, oval(), known(STANDING))
    assert person.pixels_HW3.flags.writeable


@pytest.mark.parametrize(
    ("objects", "why"),
    [
        ((known(STANDING, score=0.5),), "nobody is sure of him"),
        ((known(STANDING, CAR),), "he is a car"),
        ((known((100, 40, 125, 95)),), "too small"),
        ((known((100, 40, 200, 180)),), "too wide"),
        ((known((100, 40, 120, 180)),), "too thin"),
        ((known((1, 40, 51, 180)),), "cut off by the edge of the picture"),
        ((known(STANDING), known((110, 40, 160, 180), score=0.2)), "another is in front of him"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_who_is_not_seen_alone_and_whole_is_not_cut_out(
    tmp_path: Path, objects: tuple[Object, ...], why: str
) -> None:
    assert cut(tmp_path, oval(), *objects) == [], why


def test_a_patch_that_fills_its_box_is_no_outline_of_a_person(tmp_path: Path) -> None:
    picture = oval((300, 40, 350, 180))
    picture[40:180, 100:150] = RED
    assert cut(tmp_path, picture, known(STANDING)) == []


def test_an_empty_box_gives_no_person(tmp_path: Path) -> None:
    plain = np.full((224, 384, 3), 100, np.uint8)
    assert cut(tmp_path, plain, known(STANDING)) == []


def test_one_video_does_not_give_all_the_people(tmp_path: Path) -> None:
    picture = oval()
    items = [
        (sample(picture, known(STANDING), source=name, time_s=float(number)), picture)
        for name in ("a.mp4", "b.mp4")
        for number in range(PER_SOURCE + 2)
    ]
    corpus = corpus_of(tmp_path, *items)

    assert len(cut_people(corpus, corpus.samples[: PER_SOURCE + 2])) == PER_SOURCE
    assert len(cut_people(corpus, corpus.samples[PER_SOURCE:][:3])) == 3


def block(rows: int = 120, columns: int = 40) -> Cutout:
    """A green block, opaque all over."""
    return Cutout(
        np.full((rows, columns, 3), GREEN, np.uint8), np.full((rows, columns), 255, np.uint8)
    )


@pytest.mark.parametrize(
    ("degrees", "height", "wanted"),
    [(0, 120, (120, 40)), (0, 60, (60, 20)), (90, 120, (40, 120)), (-90, 60, (20, 60)),
     (180, 120, (120, 40)), (45, 120, (113, 113))],
)  # fmt: skip
def test_a_turned_person_is_cropped_to_what_is_left(
    degrees: float, height: float, wanted: tuple[int, int]
) -> None:
    found = turned(block(), degrees=degrees, height=height)

    assert found is not None
    assert found.alpha_HW.shape == pytest.approx(wanted, abs=3)
    assert found.pixels_HW3.shape[:2] == found.alpha_HW.shape
    for side in (
        found.alpha_HW[0],
        found.alpha_HW[-1],
        found.alpha_HW[:, 0],
        found.alpha_HW[:, -1],
    ):
        assert (side > 127).any()
    assert (found.pixels_HW3[found.alpha_HW > 250] == GREEN).all()


def test_who_becomes_too_small_is_gone() -> None:
    assert turned(block(), degrees=0, height=10) is None


def test_turning_leaves_the_cutout_as_it_was() -> None:
    person = block()
    turned(person, degrees=30, height=50)
    assert (person.pixels_HW3 == GREEN).all()
    assert (person.alpha_HW == 255).all()
