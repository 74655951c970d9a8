"""Puts frames of several cameras into one call of the detector."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, Protocol, runtime_checkable

from contracts.detections import Detections, Detector
from contracts.errors import ModelError
from contracts.frames import Frame, QueuedFrame
from contracts.settings import VisionSettings

BATCH_WAIT_S: Final = 0.005
"""Longest wait for frames of more cameras. Under load batches fill by themselves, since frames
gather while the detector looks at others; at rest waiting would only cost time."""


@runtime_checkable
class TakesBatches(Protocol):
    """A detector that is faster for a frame when it looks at several in one call."""

    @property
    def batch_frames(self) -> int:
        """How many frames at most; it may change while it runs."""
        ...


def frames_at_once(detector: Detector, settings: VisionSettings) -> int:
    """Return how many frames to give the detector in one call.

    One, unless the detector knows better or the settings say so: on a CPU a batch takes as long
    as its frames one by one, and the first of them would wait for the last.
    """
    if settings.batch_frames:
        return settings.batch_frames
    return detector.batch_frames if isinstance(detector, TakesBatches) else 1


def by_turns(taken: Sequence[QueuedFrame]) -> list[QueuedFrame]:
    """Return the first frame of each camera, then the second of each, and so on."""
    turns: dict[str, int] = defaultdict(int)
    numbered: list[tuple[int, QueuedFrame]] = []
    for queued in taken:
        camera_id = queued.frame.header.camera_id
        numbered.append((turns[camera_id], queued))
        turns[camera_id] += 1
    return [queued for _, queued in sorted(numbered, key=lambda one: one[0])]


def detect_each(detector: Detector, frames: Sequence[Frame]) -> list[Detections | Exception]:
    """Return what is in each frame, or why it could not be looked at.

    All go in one call. If it fails they go one by one, so that a bad frame costs only itself.
    """
    try:
        return [*_detect_all(detector, frames)]
    except Exception as error:  # noqa: BLE001  # each is logged and counted by the worker's loop
        if len(frames) == 1:
            return [error]
        return [answer for frame in frames for answer in detect_each(detector, [frame])]


def _detect_all(detector: Detector, frames: Sequence[Frame]) -> list[Detections]:
    found = detector.detect(frames)
    if len(found) != len(frames):
        raise ModelError(f"the detector answered {len(found)} of {len(frames)} frames")
    return found
