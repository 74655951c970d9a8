from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from contracts.detections import Detections, ModelIdentity
from contracts.errors import ModelError
from contracts.frames import Frame
from tests.fakes.clock import ManualClock
from vision.detect.model_trial import measure, try_detector

LABELS = ("person", "car")


def found(**changes: object) -> Detections:
    values: dict[str, Any] = {
        "boxes_N4": np.array([[0.1, 0.2, 0.3, 0.4]], np.float32),
        "confidences_N": np.array([0.5], np.float32),
        "class_ids_N": np.array([1]),
        "labels": LABELS,
    }
    return Detections(**values | changes)


@dataclass(slots=True)
class SlowDetector:
    """Answers the same to every frame, after a while of the test's clock."""

    clock: ManualClock
    answer: Callable[[], list[Detections]] = lambda: [found()]
    took_s: float = 0.01
    forgotten: int = 0
    sums: list[int] = field(default_factory=list)

    identity = ModelIdentity(name="slow")
    labels = LABELS

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        [frame] = frames
        self.sums.append(int(frame.pixels_HW3.sum()))
        frame.pixels_HW3[:] = 0  # a receiver may
        self.clock.sleep(self.took_s)
        return self.answer()

    def forget(self, camera_id: str) -> None:
        self.forgotten += 1


def test_a_detector_that_keeps_the_contract_passes() -> None:
    clock = ManualClock()

    trial = try_detector(SlowDetector(clock), clock=clock)

    assert (trial.labels, trial.boxes) == (2, 1)
    assert trial.took_ms == pytest.approx(10)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([], "0 answers to one frame"),
        ([found(), found()], "2 answers to one frame"),
        ([found(confidences_N=np.zeros(2, np.float32))], "have shapes"),
        ([found(confidences_N=np.array([np.nan], np.float32))], "must be finite"),
        ([found(boxes_N4=np.array([[0.1, 0.2, 1.3, 0.4]], np.float32))], r"lie in 0\.\.1"),
        ([found(boxes_N4=np.array([[0.3, 0.2, 0.3, 0.4]], np.float32))], "a box has no area"),
        ([found(class_ids_N=np.array([2]))], "a class is not one of the 2"),
    ],
)
def test_a_detector_that_breaks_the_contract_is_refused(
    answer: list[Detections], message: str
) -> None:
    clock = ManualClock()

    with pytest.raises(ModelError, match=rf"slow: .*{message}"):
        try_detector(SlowDetector(clock, answer=lambda: answer), clock=clock)


def test_detectors_take_turns_and_see_the_same_pictures() -> None:
    clock = ManualClock()
    fast, slow = SlowDetector(clock, took_s=0.001), SlowDetector(clock, took_s=0.02)
    pictures = [np.full((4, 4, 3), level, np.uint8) for level in (10, 20)]

    first, second = measure({"fast": fast, "slow": slow}, pictures, rounds=3, clock=clock)

    assert (first.name, second.name) == ("fast", "slow")
    assert first.median_ms == pytest.approx(1)
    assert second.median_ms == second.p90_ms == pytest.approx(20)
    assert first.frames == 6, "the round that warms up is not counted"
    assert first.boxes == 1.0
    assert fast.sums == slow.sums == [480, 960] * 4
    assert fast.forgotten == 4, "every round begins as a new stream"
