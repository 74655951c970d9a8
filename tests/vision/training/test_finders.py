"""Detectors as the evaluation calls them: boxes in the picture's pixels, the surest first."""

from pathlib import Path

import numpy as np
import pytest
import torch

from contracts.frames import BgrImage
from tests.vision.detect.encoders import SHAPE
from tests.vision.training.published import yolox_of
from tests.vision.training.scenes import CAR, PERSON, scene
from vision.detect.fitting import fit_of
from vision.detect.yolox import NMS_IOU
from vision.encoder import Encoder, EncoderMaps, anchor_points
from vision.training.finders import EncoderFinder, YoloxFinder
from vision.training.teachers import iou

SIZES = [(224, 384), (360, 640), (240, 320), (640, 360), (31, 57)]


class RedSeeing(Encoder):
    """Answers with a person at each red anchor point of stride 8, the surer the further right."""

    reach = 6.0
    """Of a person's sides, in pixels of the input."""

    def forward(self, pixels_N3HW: torch.Tensor) -> EncoderMaps:
        maps: EncoderMaps = super().forward(pixels_N3HW)
        height, width = pixels_N3HW.shape[2:]
        points = anchor_points(height, width)
        x, y = points[:, 0].long(), points[:, 1].long()
        red = pixels_N3HW[:, 2, y, x] - pixels_N3HW[:, 0, y, x] > 150
        logits = torch.full_like(maps.logits_NAC, -9.0)
        logits[..., 0] = torch.where(red & (points[:, 2] == 8), 3 + points[:, 0] / 1000, -9.0)
        half = torch.tensor([-1.0, -1.0, 1.0, 1.0]) * self.reach
        boxes = (points[:, [0, 1, 0, 1]] + half).expand(len(pixels_N3HW), -1, -1)
        return maps._replace(logits_NAC=logits, boxes_NA4=boxes)


def square_in(size: tuple[int, int]) -> tuple[tuple[int, int, int, int], BgrImage]:
    """A red square of a third of the picture's sides, right of the middle."""
    height, width = size
    box = (width // 2, height // 3, width // 2 + width // 3, 2 * height // 3)
    return box, scene(people=[box], size=size)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_encoders_boxes_come_back_to_the_pictures_pixels(size: tuple[int, int]) -> None:
    box, picture = square_in(size)

    found = EncoderFinder(RedSeeing(SHAPE))(picture)

    assert found
    boxes_N4 = np.array([item.box for item in found])
    cell = 8 * size[1] / fit_of(*size).fitted[1]
    middles_N2 = (boxes_N4[:, :2] + boxes_N4[:, 2:]) / 2
    assert middles_N2.min(axis=0) == pytest.approx(box[:2], abs=1.1 * cell)
    assert middles_N2.max(axis=0) == pytest.approx(box[2:], abs=1.1 * cell)
    assert {item.label for item in found} == {0}


def test_of_overlapping_boxes_the_surest_is_kept_and_comes_first() -> None:
    encoder = RedSeeing(SHAPE)
    encoder.reach = 12.0
    _, picture = square_in((224, 384))

    found = EncoderFinder(encoder)(picture)

    scores = [item.score for item in found]
    assert scores == sorted(scores, reverse=True)
    boxes_N4 = np.array([item.box for item in found], np.float32)
    overlaps_NN = iou(boxes_N4, boxes_N4) - np.eye(len(found))
    assert len(found) > 1
    assert overlaps_NN.max() <= NMS_IOU
    assert boxes_N4[0, 2] == boxes_N4[:, 2].max()


def test_boxes_end_at_the_pictures_edge() -> None:
    picture = scene(people=[(0, 0, 100, 224)])

    found = EncoderFinder(RedSeeing(SHAPE))(picture)

    boxes_N4 = np.array([item.box for item in found])
    assert boxes_N4.min() == 0
    assert boxes_N4[:, 3].max() <= 224


def test_an_encoder_that_is_evaluated_does_not_learn() -> None:
    encoder = Encoder(SHAPE).train()
    EncoderFinder(encoder)(scene(size=(64, 64)))
    assert not encoder.training


@pytest.mark.parametrize("size", SIZES[:4], ids=str)
def test_a_published_yolox_names_our_classes_in_the_pictures_pixels(
    teachers: Path, size: tuple[int, int]
) -> None:
    height, width = size
    person = (0, 0, width // 3, height // 2)
    car = (width // 2, height // 2, width, height)

    found = YoloxFinder(yolox_of(teachers))(scene(people=[person], cars=[car], size=size))

    for label, (x1, y1, x2, y2) in ((PERSON, person), (CAR, car)):
        best = next(item for item in found if item.label == label)
        x, y = (best.box[0] + best.box[2]) / 2, (best.box[1] + best.box[3]) / 2
        assert x1 <= x <= x2
        assert y1 <= y <= y2


def test_nothing_is_found_in_an_empty_scene(teachers: Path) -> None:
    assert YoloxFinder(yolox_of(teachers))(scene()) == []
