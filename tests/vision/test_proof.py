from dataclasses import replace

import numpy as np
import pytest

from contracts.detections import Detections
from tests.vision.trajectories import Watch, detections
from vision.proof import SURE, proven

LABELS = ("person",)
MAN = (0.4, 0.3, 0.5, 0.6)
BOLLARD = (0.8, 0.6, 0.85, 0.8)


def seen(
    *boxes: tuple[float, ...], confidence: float = 0.45, labels: tuple[str, ...] = LABELS
) -> Detections:
    return Detections(
        boxes_N4=np.array(boxes, np.float32).reshape(-1, 4),
        confidences_N=np.full(len(boxes), confidence, np.float32),
        class_ids_N=np.zeros(len(boxes), np.int64),
        labels=labels,
    )


def changed_in(box: tuple[float, ...]) -> np.ndarray:
    """Places of a picture in which only the middle of a box has changed."""
    changed = np.zeros((17, 31), np.float32)
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    changed[int(y * 17), int(x * 31)] = 0.3
    return changed


def test_who_moves_is_proven_and_what_stands_in_a_still_place_is_not() -> None:
    found = proven(seen(MAN, BOLLARD), changed_in(MAN))
    assert found is not None
    assert found.tolist() == [True, False]


def test_what_the_detector_is_sure_of_needs_no_proof() -> None:
    found = proven(seen(BOLLARD, confidence=SURE), np.zeros((17, 31), np.float32))
    assert found is not None
    assert found.tolist() == [True]


def test_a_detector_of_movement_needs_no_proof() -> None:
    assert proven(seen(BOLLARD, labels=("object",)), np.zeros((17, 31), np.float32)) is None


@pytest.mark.parametrize(("confidence", "may_begin"), [(0.45, False), (0.7, True)])
def test_in_the_first_frame_only_the_sure_is_proven(confidence: float, may_begin: bool) -> None:
    found = proven(seen(BOLLARD, confidence=confidence), None)
    assert found is not None
    assert found.tolist() == [may_begin]


@pytest.mark.parametrize("corner", [(0.0, 0.0), (0.96, 0.0), (0.0, 0.9), (0.96, 0.9)])
def test_movement_at_the_edge_of_the_picture_counts(corner: tuple[float, float]) -> None:
    box = (*corner, corner[0] + 0.04, corner[1] + 0.1)
    found = proven(seen(box), changed_in(box))
    assert found is not None
    assert found.all()


def test_a_box_that_is_none_is_not_proven() -> None:
    found = proven(seen((float("nan"),) * 4), np.ones((17, 31), np.float32))
    assert found is not None
    assert not found.any()


def test_what_is_not_proven_begins_no_track_but_goes_on_with_one() -> None:
    watch = Watch()
    doubtful = replace(detections(MAN), is_proven_N=np.array([False]))

    assert watch.frame(doubtful) == []
    [track] = watch.frame(replace(detections(MAN), is_proven_N=np.array([True])))
    [same] = watch.frame(doubtful)

    assert same.track_id == track.track_id
    assert [point.is_observed for point in same.points] == [True, True]
