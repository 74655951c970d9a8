import numpy as np
import pytest

from contracts.detections import Detections
from contracts.tracks import TrackPoint
from tests.fakes.builders import header
from tests.fakes.clock import START
from vision.postures import postures_of
from vision.tracker import Tracker


def detected(shares: list[float] | None, names: tuple[str, ...]) -> Detections:
    return Detections(
        boxes_N4=np.array([[0.4, 0.2, 0.5, 0.7]], np.float32),
        confidences_N=np.array([0.9], np.float32),
        class_ids_N=np.zeros(1, np.int64),
        labels=("person",),
        postures_NP=None if shares is None else np.array([shares], np.float32),
        posture_labels=names,
    )


OURS = ("upright", "bent", "sitting", "lying")


@pytest.mark.parametrize(
    ("shares", "names", "told"),
    [
        ([0.7, 0.1, 0.15, 0.05], OURS, (0.7, 0.1, 0.15, 0.05)),
        ([0.05, 0.15, 0.1, 0.7], tuple(reversed(OURS)), (0.7, 0.1, 0.15, 0.05)),
        ([0.25] * 4, OURS, ()),
        ([0.5, 0.5], ("upright", "lying"), ()),
        ([float("nan")] * 4, OURS, ()),
        (None, (), ()),
    ],
)
def test_postures_are_told_in_the_order_of_tracks_or_not_at_all(
    shares: list[float] | None, names: tuple[str, ...], told: tuple[float, ...]
) -> None:
    assert postures_of(detected(shares, names), 0) == pytest.approx(told)


def test_a_track_carries_the_postures_of_its_detections() -> None:
    tracker = Tracker()

    [track] = tracker.update(detected([0.1, 0.1, 0.1, 0.7], OURS), header(0))

    assert track.last.postures == pytest.approx((0.1, 0.1, 0.1, 0.7))
    assert track.last.posture == "lying"


def test_a_point_without_postures_names_none() -> None:
    point = TrackPoint(
        seq=0, monotonic_s=0.0, captured_at=START, box=(0, 0, 1, 1), confidence=0.9,
        is_observed=True,
    )  # fmt: skip

    assert point.posture == ""
