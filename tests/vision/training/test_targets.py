"""What the student should answer: the dense teacher's word, corrected by labels."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.training.scenes import CAR, PERSON
from vision.encoder import anchor_points
from vision.training.dense_teacher import DenseAnswer
from vision.training.sources import CLASSES
from vision.training.targets import LEVELS, responsibility, targets
from vision.training.views import Objects

FloatArray = npt.NDArray[np.float32]
POINTS = anchor_points(224, 384).numpy()
TALL = (100.0, 50.0, 140.0, 170.0)


def silent() -> DenseAnswer:
    """A teacher who sees nothing."""
    count = len(POINTS)
    return DenseAnswer(
        np.zeros((count, len(CLASSES)), np.float32),
        np.zeros((count, 4), np.float32),
        np.zeros((count, 64), np.float16),
    )


def teaching(
    box: tuple[float, ...], score: float, *, label: int = PERSON
) -> tuple[DenseAnswer, npt.NDArray[np.bool_]]:
    """A teacher who answers with one box at the points within it, and these points."""
    answer = silent()
    x, y, _ = POINTS.T
    inside_A = (x > box[0]) & (x < box[2]) & (y > box[1]) & (y < box[3])
    answer.scores_AC[inside_A, label] = score
    answer.boxes_A4[inside_A] = box
    return answer, inside_A


def labels(
    *boxes: tuple[float, ...], label: int = PERSON, scores: tuple[float, ...] = ()
) -> Objects:
    return Objects(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(len(boxes), label, np.int64),
        np.array(scores or (0.95,) * len(boxes), np.float32),
    )


def strides_of(own_A: FloatArray) -> set[int]:
    return set(POINTS[own_A > 0, 2].astype(int).tolist())


@pytest.mark.parametrize(
    ("side", "strides"),
    [(20, {8}), (43, {8}), (60, {8, 16}), (80, {16}), (130, {16, 32}), (200, {32})],
)
def test_an_object_is_answered_for_at_strides_of_its_size(side: int, strides: set[int]) -> None:
    box = np.array([90, 10, 90 + side, 10 + side], np.float32)
    assert strides_of(responsibility(POINTS, box)) == strides


def test_the_longer_side_counts() -> None:
    lying = np.array([50, 100, 250, 130], np.float32)
    assert strides_of(responsibility(POINTS, lying)) == {32}


@given(x=st.floats(0, 380), y=st.floats(0, 220), wide=st.floats(0.5, 384), tall=st.floats(0.5, 224))
def test_somebody_answers_for_every_object(x: float, y: float, wide: float, tall: float) -> None:
    """Be it as thin as a pole between two columns of points, or hardly in the view."""
    box = np.array([x, y, min(x + wide, 384), min(y + tall, 224)], np.float32)

    own_A = responsibility(POINTS, box)

    assert own_A.max() > 0
    longer = max(box[2] - box[0], box[3] - box[1])
    for stride in strides_of(own_A):
        least, most = LEVELS[stride]
        assert least <= longer < most


@given(x=st.floats(40, 340), y=st.floats(40, 180), side=st.floats(24, 200))
def test_who_answers_lies_in_the_object_near_its_centre(x: float, y: float, side: float) -> None:
    box = np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2], np.float32)

    own_A = responsibility(POINTS, box)

    px, py, stride = POINTS[own_A > 0].T
    assert (np.hypot(px - x, py - y) < 1.5 * stride + 1e-3).all()
    assert (own_A[own_A > 0] >= 0.5).all()
    assert own_A.max() <= 1


def test_the_point_nearest_to_the_centre_answers_most() -> None:
    box = np.array([100, 100, 124, 124], np.float32)
    own_A = responsibility(POINTS, box)
    assert POINTS[own_A.argmax()].tolist() == [108, 108, 8]


def test_without_labels_the_teacher_is_believed() -> None:
    answer, _ = teaching(TALL, 0.7)

    scores_AC, boxes_A4 = targets(POINTS, answer, labels())

    assert np.array_equal(scores_AC, answer.scores_AC)
    assert np.array_equal(boxes_A4, answer.boxes_A4)


def test_a_teachers_faint_doubts_are_silence() -> None:
    answer, _ = teaching(TALL, 0.009)
    assert not targets(POINTS, answer, labels())[0].any()


def test_a_labelled_object_that_the_teacher_missed_is_taught() -> None:
    scores_AC, boxes_A4 = targets(POINTS, silent(), labels(TALL))

    taught_A = scores_AC[:, PERSON] > 0
    assert taught_A.any()
    assert scores_AC[:, PERSON].max() > 0.8
    assert (boxes_A4[taught_A] == TALL).all()
    assert not np.delete(scores_AC, PERSON, axis=1).any()


def test_the_labels_box_replaces_the_teachers_for_the_same_object() -> None:
    answer, inside_A = teaching((104, 54, 144, 174), 0.9)

    scores_AC, boxes_A4 = targets(POINTS, answer, labels(TALL))

    assert (boxes_A4[inside_A] == TALL).all()
    assert (scores_AC[inside_A, PERSON] >= np.float32(0.9)).all()


def test_the_teachers_box_of_somebody_else_stays() -> None:
    neighbour = (300.0, 50.0, 340.0, 170.0)
    answer, inside_A = teaching(neighbour, 0.9)

    boxes_A4 = targets(POINTS, answer, labels(TALL))[1]

    assert (boxes_A4[inside_A] == neighbour).all()


def test_a_label_does_not_lower_what_the_teacher_is_surer_of() -> None:
    answer, inside_A = teaching(TALL, 0.9)

    scores_AC = targets(POINTS, answer, labels(TALL, scores=(0.3,)))[0]

    assert (scores_AC[inside_A, PERSON] == np.float32(0.9)).all()


def test_a_surely_seen_other_class_is_not_overwritten_by_an_unsure_label() -> None:
    answer, inside_A = teaching(TALL, 0.9, label=CAR)

    scores_AC = targets(POINTS, answer, labels(TALL, scores=(0.3,)))[0]

    assert not scores_AC[inside_A, PERSON].any()


def test_of_two_labels_at_one_point_the_surer_has_the_last_word() -> None:
    other = (96.0, 52.0, 144.0, 168.0)
    for order in ((0, 1), (1, 0)):
        boxes, sure = [TALL, other], (0.95, 0.5)
        objects = labels(*(boxes[i] for i in order), scores=tuple(sure[i] for i in order))

        scores_AC, boxes_A4 = targets(POINTS, silent(), objects)

        assert tuple(boxes_A4[scores_AC[:, PERSON].argmax()]) == TALL


def test_the_teachers_answer_is_left_as_it_was() -> None:
    answer, _ = teaching(TALL, 0.7)
    before = answer.scores_AC.copy(), answer.boxes_A4.copy()

    targets(POINTS, answer, labels(TALL))

    assert np.array_equal(answer.scores_AC, before[0])
    assert np.array_equal(answer.boxes_A4, before[1])
