"""A published YOLOX answers at every anchor point of a view of any size."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from contracts.errors import ModelError
from tests.vision.training.published import yolox_of
from tests.vision.training.scenes import CAR, PERSON, scene
from vision.encoder import anchor_points
from vision.training.dense_teacher import DenseTeacher
from vision.training.sources import CLASSES

SIZES = [(64, 96), (160, 160), (224, 384), (32, 320)]


@pytest.fixture(scope="module")
def teacher(teachers: Path) -> DenseTeacher:
    return DenseTeacher(yolox_of(teachers))


@pytest.mark.parametrize("size", SIZES)
def test_it_answers_once_for_each_anchor_point_of_the_student(
    teacher: DenseTeacher, size: tuple[int, int]
) -> None:
    answer = teacher(scene(size=size))

    points = len(anchor_points(*size))
    assert answer.scores_AC.shape == (points, len(CLASSES))
    assert answer.boxes_A4.shape == (points, 4)
    assert answer.features_AD.shape == (points, 64)


@pytest.mark.parametrize("size", SIZES)
def test_it_sees_a_person_where_the_students_anchor_points_lie_in_him(
    teacher: DenseTeacher, size: tuple[int, int]
) -> None:
    """Answers and anchor points are in one order, at every stride and size."""
    box = (32, 0, 64, 32)
    x, y, _ = anchor_points(*size).numpy().T

    scores_AC = teacher(scene(people=[box], size=size)).scores_AC

    in_him_A = (x > 32) & (x < 64) & (y < 32)
    assert ((scores_AC[:, PERSON] > 0.5) == in_him_A).all()
    assert (scores_AC[:, CAR] < 0.1).all()


def test_boxes_lie_around_their_anchor_points_in_pixels(teacher: DenseTeacher) -> None:
    x, y, stride = anchor_points(64, 96).numpy().T

    boxes_A4 = teacher(scene(size=(64, 96))).boxes_A4

    wanted_A4 = np.stack([x - stride, y - stride, x + stride, y + stride], axis=1)
    assert boxes_A4 == pytest.approx(wanted_A4, abs=0.01 * 32)


def test_the_map_is_taken_where_the_head_forks(teacher: DenseTeacher) -> None:
    """Features of two pictures differ exactly at the anchor points that see the difference."""
    with_car = scene(cars=[(32, 0, 64, 32)], size=(64, 96))
    x, y, _ = anchor_points(64, 96).numpy().T

    differs_AD = teacher(with_car).features_AD != teacher(scene(size=(64, 96))).features_AD

    assert (differs_AD.any(axis=1) == ((x > 32) & (x < 64) & (y < 32))).all()


def test_a_graph_without_forks_is_no_yolox(teachers: Path) -> None:
    other = next((teachers / "picodet_s_416").glob("*.onnx"))

    with pytest.raises(ModelError, match=r"model\.onnx: not a YOLOX: its head does not fork"):
        DenseTeacher(other)


def test_the_published_file_is_left_as_it_was(teachers: Path) -> None:
    before = yolox_of(teachers).read_bytes()

    DenseTeacher(yolox_of(teachers))

    assert yolox_of(teachers).read_bytes() == before


@pytest.mark.data
def test_the_published_yolox_opens_for_any_size(shared: Path) -> None:
    path = shared / "weights" / "yolox_nano_coco" / "yolox_nano.onnx"

    answer = DenseTeacher(path)(scene(size=(96, 160)))

    points = len(anchor_points(96, 160))
    assert answer.scores_AC.shape == (points, len(CLASSES))
    assert answer.features_AD.shape == (points, 64)
    assert np.isfinite(answer.boxes_A4).all()
    assert onnx.load(path).graph.input[0].type.tensor_type.shape.dim[2].dim_value == 416
