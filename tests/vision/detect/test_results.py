import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from contracts.detections import Detections
from contracts.errors import ModelError
from vision.detect.results import MOST_BOXES, require_finite, select

LABELS = ("person", "car")
BOX = [0.1, 0.2, 0.3, 0.4]


def chosen(
    boxes: object, confidences: object, classes: object, *, confidence: float = 0.1
) -> Detections:
    return select(
        np.asarray(boxes, np.float32),
        np.asarray(confidences, np.float32),
        np.asarray(classes, np.int64),
        labels=LABELS,
        confidence=confidence,
        where="tiny.onnx",
    )


def test_the_surest_come_first_and_the_unsure_not_at_all() -> None:
    found = chosen([BOX, BOX, BOX], [0.05, 0.4, 0.9], [0, 0, 1])

    assert found.confidences_N == pytest.approx([0.9, 0.4])
    assert [found.label(0), found.label(1)] == ["car", "person"]


def test_boxes_are_cut_at_the_edges_of_the_picture() -> None:
    found = chosen([[-0.5, 0.5, 0.5, 1.5]], [0.9], [0])

    assert found.boxes_N4[0] == pytest.approx([0.0, 0.5, 0.5, 1.0])


@pytest.mark.parametrize("box", [[1.1, 0.1, 1.4, 0.3], [0.3, 0.1, 0.3, 0.4], [0.5, 0.1, 0.2, 0.4]])
def test_what_is_outside_or_has_no_area_is_left_out(box: list[float]) -> None:
    assert len(chosen([box], [0.9], [0])) == 0


def test_nothing_is_a_fine_answer() -> None:
    found = chosen(np.zeros((0, 4)), [], [])

    assert found.boxes_N4.shape == (0, 4)


def test_the_number_of_boxes_is_bounded() -> None:
    found = chosen([BOX] * 1000, np.linspace(0.2, 0.9, 1000), [0] * 1000)

    assert len(found) == MOST_BOXES
    assert found.confidences_N[0] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("boxes", "confidences", "classes", "message"),
    [
        ([BOX], [0.9, 0.8], [0], r"\(K, 4\), \(K,\) and \(K,\), got \(1, 4\), \(2,\) and \(1,\)"),
        ([BOX[:3]], [0.9], [0], r"got \(1, 3\)"),
        (0.5, 0.9, 0, r"got \(\), \(\) and \(\)"),
        ([[np.nan, 0, 1, 1]], [0.9], [0], "1 of 4 coordinates of boxes are NaN or infinite"),
        ([BOX], [np.inf], [0], "1 of 1 confidences are NaN or infinite"),
        ([BOX], [1.5], [0], r"confidences must lie in 0\.\.1, got 1\.5\.\.1\.5"),
        ([BOX], [0.9], [2], r"classes must lie in 0\.\.1 \(the model names 2\), got 2\.\.2"),
        ([BOX], [0.9], [-1], "got -1..-1"),
    ],
)
def test_what_no_detector_answers_is_an_error_that_names_the_file(
    boxes: object, confidences: object, classes: object, message: str
) -> None:
    with pytest.raises(ModelError, match=rf"tiny\.onnx: .*{message}"):
        chosen(boxes, confidences, classes)


@given(
    arrays.arrays(np.float32, (7, 4), elements=st.floats(-1e6, 1e6, width=32)),
    arrays.arrays(np.float32, 7, elements=st.floats(0, 1, width=32)),
)
def test_every_box_lies_in_the_picture_whatever_the_model_says(
    boxes: np.ndarray, confidences: np.ndarray
) -> None:
    found = chosen(boxes, confidences, [0, 1, 0, 1, 0, 1, 0])

    assert ((found.boxes_N4 >= 0) & (found.boxes_N4 <= 1)).all()
    assert (found.boxes_N4[:, 2:] > found.boxes_N4[:, :2]).all()
    assert (np.diff(found.confidences_N) <= 0).all()


def test_finite_numbers_pass() -> None:
    require_finite(np.zeros((2, 3), np.float32), what="scores", where="tiny.onnx")
