"""Tries a detector: one look at a grey picture, and its time on real ones."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np

from contracts.clock import Clock
from contracts.detections import Detections, Detector
from contracts.errors import ModelError
from contracts.frames import BgrImage, Frame, FrameHeader

GREY_SIZE: Final = (360, 640)
"""Height and width of the picture that shows nothing."""
_GREY: Final = 128
_CAMERA_ID: Final = "trial"
_FPS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a look at a grey picture showed."""

    labels: int
    boxes: int
    took_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What a detector costs, resizing included.

    Attributes:
        name: Of the detector.
        median_ms, p90_ms: Wall time of one frame, over all frames of all rounds.
        boxes: Found in a frame, on average.
        frames: How many were timed.
    """

    name: str
    median_ms: float
    p90_ms: float
    boxes: float
    frames: int


def try_detector(detector: Detector, *, clock: Clock) -> Trial:
    """Look at a grey picture and hold the answer to the contract.

    Raises:
        ModelError: The detector fails, or answers what ``Detections`` forbids.
    """
    pixels = np.full((*GREY_SIZE, 3), _GREY, np.uint8)
    [frame] = as_frames([pixels])
    before_s = clock.monotonic_s()
    answers = detector.detect([frame])
    took_ms = 1000 * (clock.monotonic_s() - before_s)
    if len(answers) != 1:
        raise ModelError(f"{detector.identity.name}: {len(answers)} answers to one frame, wanted 1")
    _require_contract(answers[0], name=detector.identity.name)
    return Trial(labels=len(detector.labels), boxes=len(answers[0]), took_ms=took_ms)


def measure(
    detectors: Mapping[str, Detector],
    pictures: Sequence[BgrImage],
    *,
    rounds: int,
    clock: Clock,
) -> tuple[Timing, ...]:
    """Time detectors on the same pictures, one at a time, each once in every round.

    Interleaved, a machine whose speed drifts drifts for all of them. The first round warms up
    and is not counted.

    Args:
        detectors: By name; the times are returned in this order.
        pictures: Successive frames of one camera.
        rounds: That are counted, at least 1.
        clock: To measure with.
    """
    frames = as_frames(pictures)
    times_ms: dict[str, list[float]] = {name: [] for name in detectors}
    boxes: dict[str, int] = dict.fromkeys(detectors, 0)
    for number in range(rounds + 1):
        for name, detector in detectors.items():
            for frame in frames:
                # The pixels belong to the receiver, which may write to them.
                given = replace(frame, pixels_HW3=frame.pixels_HW3.copy())
                before_s = clock.monotonic_s()
                [found] = detector.detect([given])
                took_ms = 1000 * (clock.monotonic_s() - before_s)
                if number:
                    times_ms[name].append(took_ms)
                    boxes[name] += len(found)
            detector.forget(_CAMERA_ID)
    return tuple(
        Timing(
            name=name,
            median_ms=statistics.median(taken),
            p90_ms=float(np.quantile(taken, 0.9)),
            boxes=boxes[name] / len(taken),
            frames=len(taken),
        )
        for name, taken in times_ms.items()
    )


def as_frames(pictures: Sequence[BgrImage]) -> tuple[Frame, ...]:
    """Return pictures as successive frames of one camera, five a second."""
    return tuple(
        Frame(
            header=FrameHeader(
                camera_id=_CAMERA_ID,
                run_id="trial",
                seq=number,
                captured_at=datetime(2000, 1, 1, tzinfo=UTC),
                monotonic_s=number / _FPS,
                width=pixels.shape[1],
                height=pixels.shape[0],
            ),
            pixels_HW3=pixels,
        )
        for number, pixels in enumerate(pictures)
    )


def _require_contract(found: Detections, *, name: str) -> None:
    count = len(found)
    shapes = (found.boxes_N4.shape, found.confidences_N.shape, found.class_ids_N.shape)
    if shapes != ((count, 4), (count,), (count,)):
        raise ModelError(
            f"{name}: boxes, confidences and classes have shapes {shapes}, "
            "wanted (N, 4), (N,) and (N,)"
        )
    numbers = np.concatenate([found.boxes_N4.ravel(), found.confidences_N])
    if not np.isfinite(numbers).all() or ((numbers < 0) | (numbers > 1)).any():
        raise ModelError(f"{name}: boxes and confidences must be finite and lie in 0..1")
    if not (found.boxes_N4[:, 2:] > found.boxes_N4[:, :2]).all():
        raise ModelError(f"{name}: a box has no area")
    if count and not (0 <= found.class_ids_N.min() <= found.class_ids_N.max() < len(found.labels)):
        raise ModelError(f"{name}: a class is not one of the {len(found.labels)} that it names")
