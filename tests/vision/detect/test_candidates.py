import numpy as np
import pytest

from vision.detect.candidates import MOST_OBJECTS, alike, choose
from vision.detect.fitting import Fit

FIT = Fit(input_size=(96, 160), fitted=(80, 160))
APART = alike(("person", "car"))


def scores(*rows: tuple[float, float]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array(rows, np.float32)


def test_boxes_come_in_shares_of_the_picture_best_first() -> None:
    boxes = np.array([[16, 8, 32, 40], [80, 0, 160, 80]], np.float32)

    chosen = choose(scores((0.6, 0.1), (0.2, 0.9)), boxes, FIT, confidence=0.5, alike_C=APART)

    assert chosen.boxes_K4 == pytest.approx(np.array([[0.5, 0, 1, 1], [0.1, 0.1, 0.2, 0.5]]))
    assert chosen.confidences_K == pytest.approx([0.9, 0.6])
    assert chosen.classes_K.tolist() == [1, 0]


def test_of_two_that_overlap_the_better_stays_unless_it_is_of_another_class() -> None:
    boxes = np.array([[10, 10, 50, 70]] * 3, np.float32) + np.array([[0], [1], [2]], np.float32)

    chosen = choose(scores((0.6, 0), (0.8, 0), (0, 0.7)), boxes, FIT, confidence=0.5, alike_C=APART)

    assert chosen.confidences_K == pytest.approx([0.8, 0.7])
    assert chosen.classes_K.tolist() == [0, 1]


def test_boxes_end_at_the_picture_and_not_at_the_input() -> None:
    boxes = np.array([[-20, 60, 40, 200]], np.float32)

    chosen = choose(scores((0.9, 0)), boxes, FIT, confidence=0.5, alike_C=APART)

    assert chosen.boxes_K4 == pytest.approx(np.array([[0, 0.75, 0.25, 1]]))


def test_what_lies_wholly_in_the_padding_or_has_no_extent_is_nothing() -> None:
    boxes = np.array([[10, 82, 40, 95], [20, 20, 20, 50], [50, 40, 30, 60]], np.float32)

    chosen = choose(scores((0.9, 0), (0.9, 0), (0.9, 0)), boxes, FIT, confidence=0.5, alike_C=APART)

    assert len(chosen.boxes_K4) == 0


def test_the_threshold_itself_counts() -> None:
    boxes = np.array([[0, 0, 10, 10], [50, 50, 60, 60]], np.float32)

    chosen = choose(scores((0.5, 0), (0.49, 0)), boxes, FIT, confidence=0.5, alike_C=APART)

    assert chosen.confidences_K == pytest.approx([0.5])


def test_a_picture_full_of_noise_gives_no_more_than_can_be_described_in_time() -> None:
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, 75, (5000, 2)).astype(np.float32)
    boxes = np.hstack([corners, corners + 2])

    chosen = choose(
        rng.uniform(0.5, 1, (5000, 2)).astype(np.float32), boxes, FIT, confidence=0.5, alike_C=APART
    )

    assert len(chosen.boxes_K4) == MOST_OBJECTS
    assert (np.diff(chosen.confidences_K) <= 0).all()


def test_a_vehicle_of_two_likely_kinds_is_one_vehicle() -> None:
    boxes = np.array([[10, 10, 50, 70], [11, 10, 51, 70]], np.float32)

    chosen = choose(
        scores((0.6, 0), (0, 0.7)), boxes, FIT, confidence=0.5, alike_C=alike(("car", "truck"))
    )

    assert chosen.classes_K.tolist() == [1]


def test_only_classes_that_are_taken_for_each_other_are_alike() -> None:
    labels = ("person", "bicycle", "motorcycle", "car", "bus", "truck", "dog", "cat", "bag")

    assert alike(labels).tolist() == [0, 1, 1, 3, 3, 3, 6, 6, 8]
