"""What counts as found, as missed, as wrong, and as neither."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.frames import BgrImage
from tests.vision.training.scenes import CAR, PERSON, corpus_of, known, sample, scene
from vision.training.corpus import Object
from vision.training.evaluate import VEHICLES, Verdicts, judge, match, truth_of
from vision.training.sources import CLASSES

HERE, CLOSE, AWAY = (10, 10, 50, 110), (14, 10, 54, 110), (200, 10, 240, 110)
TRUCK = CLASSES.index("truck")


def verdicts_of(*pairs: tuple[float, bool], truths: int) -> Verdicts:
    scores, right = zip(*pairs, strict=True)
    return Verdicts(np.array(scores, np.float32), np.array(right), truths)


def test_a_box_close_to_a_true_one_is_right_and_another_wrong() -> None:
    found = [known(CLOSE, score=0.9), known(AWAY, score=0.8)]

    verdicts = match(found, [known(HERE)], [])

    assert [is_right for _, is_right in verdicts] == [True, False]


def test_a_second_box_for_the_same_person_is_wrong() -> None:
    found = [known(CLOSE, score=0.5), known(HERE, score=0.9)]

    verdicts = match(found, [known(HERE)], [])

    assert [(item.score, is_right) for item, is_right in verdicts] == [(0.9, True), (0.5, False)]


def test_two_people_close_together_are_each_found_once() -> None:
    beside = (30, 10, 70, 110)
    found = [known(HERE, score=0.9), known(beside, score=0.8)]

    verdicts = match(found, [known(HERE), known(beside)], [])

    assert [is_right for _, is_right in verdicts] == [True, True]


def test_what_nobody_is_sure_of_counts_neither_way() -> None:
    assert match([known(CLOSE, score=0.9)], [], [known(HERE, score=0.2)])[0][1] is None


def test_small_boxes_where_nothing_is_count_neither_way() -> None:
    found = [known((0, 0, 10, 15), score=0.9), known((0, 0, 10, 17), score=0.8)]
    assert [is_right for _, is_right in match(found, [], [])] == [None, False]


def test_nothing_found_gives_no_verdicts() -> None:
    assert match([], [known(HERE)], []) == []


@pytest.mark.parametrize(
    ("item", "side"),
    [
        (known(HERE, score=0.4), "sure"),
        (known(HERE, score=0.39), "unsure"),
        (known(HERE, score=0.14), "left out"),
        (known((10, 10, 20, 25)), "unsure"),
        (known(HERE, CAR), "left out"),
    ],
    ids=["sure", "not quite sure", "hardly seen", "low", "of another class"],
)
def test_truth_is_what_is_sure_and_large_enough(item: Object, side: str) -> None:
    sure, unsure = truth_of(sample(scene(), item), (PERSON,))
    assert (len(sure), len(unsure)) == {"sure": (1, 0), "unsure": (0, 1), "left out": (0, 0)}[side]


def test_a_detector_is_held_against_every_picture(tmp_path: Path) -> None:
    first, second = scene(people=[HERE]), scene(people=[AWAY])
    corpus = corpus_of(
        tmp_path, (sample(first, known(HERE)), first), (sample(second, known(AWAY)), second)
    )

    def always_here(pixels_HW3: BgrImage) -> list[Object]:
        return [known(HERE, score=0.6 if pixels_HW3[20, 20, 2] > 200 else 0.8)]

    verdicts = judge(corpus, corpus.samples, always_here, (PERSON,))

    assert verdicts.truths == 2
    assert verdicts.scores_N.tolist() == [np.float32(0.6), np.float32(0.8)]
    assert verdicts.is_right_N.tolist() == [True, False]


def test_a_truck_that_is_called_a_car_was_seen(tmp_path: Path) -> None:
    picture = scene(cars=[HERE])
    corpus = corpus_of(tmp_path, (sample(picture, known(HERE, TRUCK)), picture))

    verdicts = judge(corpus, corpus.samples, lambda _: [known(HERE, CAR, 0.9)], VEHICLES)

    assert verdicts.is_right_N.tolist() == [True]


def test_other_classes_are_not_asked_about(tmp_path: Path) -> None:
    picture = scene()
    corpus = corpus_of(tmp_path, (sample(picture), picture))

    verdicts = judge(corpus, corpus.samples, lambda _: [known(HERE, CAR, 0.9)], (PERSON,))

    assert len(verdicts.scores_N) == verdicts.truths == 0


def test_precision_and_recall_at_a_threshold() -> None:
    verdicts = verdicts_of((0.9, True), (0.8, False), (0.5, True), (0.3, True), truths=6)
    assert verdicts.at(0.5) == pytest.approx((2 / 3, 2 / 6))
    assert verdicts.at(0.95) == (0, 0)


def test_the_lowest_threshold_that_is_precise_enough_finds_the_most() -> None:
    verdicts = verdicts_of((0.9, True), (0.8, False), (0.5, True), (0.3, True), truths=4)

    assert verdicts.recall_at_precision(0.75) == pytest.approx((3 / 4, 0.3))
    assert verdicts.recall_at_precision(1.0) == pytest.approx((1 / 4, 0.9))


def test_a_detector_that_is_never_precise_enough_finds_nothing() -> None:
    assert verdicts_of((0.9, False), truths=3).recall_at_precision(0.5) == (0, 1)


@given(
    st.lists(st.tuples(st.integers(1, 99), st.booleans()), min_size=1, max_size=30,
             unique_by=lambda pair: pair[0]),
    st.floats(0.1, 1.0),
)  # fmt: skip
def test_the_threshold_keeps_its_promise(pairs: list[tuple[int, bool]], least: float) -> None:
    verdicts = verdicts_of(
        *((percent / 100, is_right) for percent, is_right in pairs), truths=len(pairs)
    )

    recall, threshold = verdicts.recall_at_precision(least)

    if recall:
        precision, again = verdicts.at(threshold)
        assert precision >= least - 1e-9
        assert again == pytest.approx(recall)
