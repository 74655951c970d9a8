"""In every view the boxes lie where the objects are, whatever was done to the picture."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.frames import BgrImage
from tests.vision.training.scenes import CAR, GREEN, PERSON, corpus_of, known, sample, scene
from vision.training.corpus import Corpus
from vision.training.cutouts import Cutout
from vision.training.views import LEAST_SIDE, PASTED_SCORE, Objects, View, ViewMaker, worn

WALKER, PARKED = (60, 40, 110, 170), (200, 130, 330, 200)
SIZES = ((160, 256), (192, 192), (128, 320), (224, 384))
YES, NO = 0.0, 0.999
SLACK = 1.5
"""Pixels that a coloured edge may spread when a picture is resized."""
seeds = st.integers(0, 2**32 - 1)
sizes = st.sampled_from(SIZES)


class Steered(np.random.Generator):
    """Random, but for its first yes-or-no decisions, which the test makes.

    In order: a mosaic? around an object? (paste people? where there are any) mirrored?
    """

    def __init__(self, seed: int, *first: float) -> None:
        super().__init__(np.random.PCG64(seed))
        self._first = list(first)

    def random(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # numpy's overloads
        if args or kwargs or not self._first:  # choice() draws its numbers here as well
            return super().random(*args, **kwargs)
        return self._first.pop(0)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """A picture with a red person and a blue car."""
    pixels_HW3 = scene(people=[WALKER], cars=[PARKED])
    known_ones = (known(WALKER), known(PARKED, CAR))
    folder = tmp_path_factory.mktemp("street")
    return corpus_of(folder, (sample(pixels_HW3, *known_ones), pixels_HW3))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    pixels_HW3 = scene()
    return corpus_of(tmp_path_factory.mktemp("empty"), (sample(pixels_HW3), pixels_HW3))


def green_person() -> Cutout:
    return Cutout(np.full((120, 40, 3), GREEN, np.uint8), np.full((120, 40), 255, np.uint8))


def view_of(
    corpus: Corpus, random: np.random.Generator, size: tuple[int, int], *people: Cutout
) -> View:
    return ViewMaker(corpus, corpus.samples, people, random=random).make(0, size)


def mask(pixels_HW3: BgrImage, channel: int) -> npt.NDArray[np.bool_]:
    """Where a colour stands out clearly."""
    values = pixels_HW3.astype(int)
    others = [values[..., other] for other in range(3) if other != channel]
    return np.asarray((values[..., channel] > np.maximum(*others) + 60), bool)


def colour_of(label: int) -> int:
    return {PERSON: 2, CAR: 0}[label]


@given(seed=seeds, size=sizes)
@settings(max_examples=60)
def test_every_box_is_filled_by_its_object(
    street: Corpus, seed: int, size: tuple[int, int]
) -> None:
    """Turned, stretched, cut, mosaicked, mirrored: a box holds its colour from side to side."""
    view = view_of(street, np.random.default_rng(seed), size)

    for box, label in zip(view.objects.boxes_N4, view.objects.labels_N, strict=True):
        colour_HW = mask(view.clear_HW3, colour_of(int(label)))
        x1, y1, x2, y2 = box
        inner = np.s_[int(np.ceil(y1 + SLACK)) : int(y2 - SLACK),
                      int(np.ceil(x1 + SLACK)) : int(x2 - SLACK)]  # fmt: skip
        assert colour_HW[inner].all()


@given(seed=seeds, size=sizes)
@settings(max_examples=60)
def test_every_object_that_is_wholly_in_view_has_its_box(
    street: Corpus, seed: int, size: tuple[int, int]
) -> None:
    view = view_of(street, Steered(seed, NO), size)

    for label in (PERSON, CAR):
        colour_HW = mask(view.clear_HW3, colour_of(label)).astype(np.uint8)
        boxes_N4 = view.objects.boxes_N4[view.objects.labels_N == label]
        for x, y, wide, tall, _ in cv2.connectedComponentsWithStats(colour_HW)[2][1:]:
            is_cut = x == 0 or y == 0 or x + wide == size[1] or y + tall == size[0]
            if is_cut or min(wide, tall) < LEAST_SIDE + 2 * SLACK:
                continue
            seen = np.array([x, y, x + wide, y + tall])
            assert (np.abs(boxes_N4 - seen).max(axis=1) <= SLACK).any()


@given(seed=seeds, size=sizes, choice=st.sampled_from([YES, NO]))
@settings(max_examples=60)
def test_boxes_lie_in_the_view_and_have_sides(
    street: Corpus, seed: int, size: tuple[int, int], choice: float
) -> None:
    view = view_of(street, Steered(seed, choice), size, green_person())

    boxes_N4 = view.objects.boxes_N4
    assert view.clear_HW3.shape == (*size, 3)
    assert (boxes_N4 >= 0).all()
    assert (boxes_N4 <= np.array([size[1], size[0]] * 2)).all()
    assert (boxes_N4[:, 2:] - boxes_N4[:, :2] >= LEAST_SIDE).all()
    assert len(boxes_N4) == len(view.objects.labels_N) == len(view.objects.scores_N)


@given(seed=seeds, size=sizes)
@settings(max_examples=60)
def test_pasted_people_lie_where_their_boxes_say(
    empty: Corpus, seed: int, size: tuple[int, int]
) -> None:
    """Nobody is in the picture before; what is green afterwards is in a box or half hidden."""
    view = view_of(empty, Steered(seed, NO, YES), size, green_person())

    green_HW = mask(view.clear_HW3, 1)
    boxed_HW = np.zeros(size, bool)
    assert len(view.objects.boxes_N4) <= 3
    for x1, y1, x2, y2 in view.objects.boxes_N4.astype(int):
        boxed_HW[y1:y2, x1:x2] = True
        assert green_HW[y1:y2, x1:x2].any()
    assert set(view.objects.labels_N.tolist()) <= {PERSON}
    assert (view.objects.scores_N == np.float32(PASTED_SCORE)).all()
    if len(view.objects.boxes_N4) == 1:
        # Others may have been covered by him; most of what is left must be his.
        assert (green_HW & boxed_HW).sum() >= 0.4 * green_HW.sum()


def test_people_are_pasted_upright_and_lying(empty: Corpus) -> None:
    wide = tall = 0
    for seed in range(40):
        boxes_N4 = view_of(
            empty, Steered(seed, NO, YES), (224, 384), green_person()
        ).objects.boxes_N4
        shape_N = (boxes_N4[:, 2] - boxes_N4[:, 0]) / (boxes_N4[:, 3] - boxes_N4[:, 1])
        wide, tall = wide + int((shape_N > 1.3).sum()), tall + int((shape_N < 1 / 1.3).sum())

    assert wide > 10
    assert tall > 10


def test_what_only_has_the_outline_of_a_person_is_nobody(empty: Corpus) -> None:
    """Of up to three that are pasted all are decoys, none of them lies; their filling is a wall."""
    changed = 0
    for seed in range(20):
        steps = (YES, NO) * 3
        plain = view_of(empty, Steered(seed, NO, NO), (224, 384), green_person())
        view = view_of(empty, Steered(seed, NO, YES, *steps), (224, 384), green_person())

        assert not len(view.objects.boxes_N4)
        assert not mask(view.clear_HW3, 1).any()
        changed += not np.array_equal(view.clear_HW3, plain.clear_HW3)
    assert changed > 10


def test_a_decoy_shows_nothing_of_an_object(street: Corpus) -> None:
    """All of the picture but its objects' boxes may fill an outline."""
    for seed in range(20):
        maker = ViewMaker(street, street.samples, [], random=np.random.default_rng(seed))
        filled = maker._filled(green_person())
        if filled is not None:
            assert not mask(filled.pixels_HW3, 1).any()
            assert not mask(filled.pixels_HW3, 2).any()


def test_a_mosaic_shows_several_pictures(street: Corpus) -> None:
    counts = [
        len(view_of(street, Steered(seed, YES), (224, 384)).objects.boxes_N4) for seed in range(20)
    ]
    assert max(counts) > 2


def test_a_seed_gives_the_same_view_again(street: Corpus) -> None:
    first, second = (
        view_of(street, np.random.default_rng(3), (160, 256), green_person()) for _ in range(2)
    )
    assert np.array_equal(first.clear_HW3, second.clear_HW3)
    assert np.array_equal(first.objects.boxes_N4, second.objects.boxes_N4)


def test_the_corpus_is_left_as_it_was(street: Corpus) -> None:
    before = street.pixels(street.samples[0]).copy()
    for seed in range(10):
        view_of(street, Steered(seed, NO, NO, YES), (160, 256), green_person())
    assert np.array_equal(street.pixels(street.samples[0]), before)


def test_objects_that_the_teachers_doubt_are_left_to_the_dense_teacher() -> None:
    objects = Objects.of(sample(scene(), known(WALKER, score=0.27), known(PARKED, CAR, 0.29)))
    assert objects.labels_N.tolist() == [CAR]


def test_no_label_is_believed_wholly() -> None:
    assert Objects.of(sample(scene(), known(WALKER))).scores_N.tolist() == [np.float32(0.95)]


@given(seed=seeds)
@settings(max_examples=40)
def test_dirt_keeps_the_size_and_leaves_the_clear_view_alone(seed: int) -> None:
    clear = scene(people=[WALKER], size=(96, 160))
    before = clear.copy()

    dirty = worn(clear, np.random.default_rng(seed))

    assert dirty.shape == clear.shape
    assert dirty.dtype == np.uint8
    assert np.array_equal(clear, before)


def test_most_views_get_dirt() -> None:
    clear = scene(people=[WALKER], size=(96, 160))
    dirty = [worn(clear, np.random.default_rng(seed)) for seed in range(20)]
    assert sum(not np.array_equal(clear, one) for one in dirty) > 10
