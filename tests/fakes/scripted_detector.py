"""A detector that says what the test's script says, by camera and frame number."""

from collections.abc import Callable, Sequence

import numpy as np

from contracts.detections import Detections, ModelIdentity
from contracts.errors import ModelError
from contracts.frames import Frame, FrameHeader
from contracts.geometry import Box, Point
from tests.fakes.builders import box_at

LABELS = ("person", "car")

Script = Callable[[FrameHeader], Sequence[tuple[str, Box]]]
"""What is in a frame: labels and boxes."""


class ScriptedDetector:
    """Asks its script about each frame. ``failing_seqs`` makes it raise on those frames.

    ``seen`` holds camera and number of each frame that it looked at, ``calls`` how many there were
    in each call.
    """

    def __init__(
        self, script: Script, *, failing_seqs: Sequence[int] = (), confidence: float = 0.9
    ) -> None:
        self._script = script
        self._confidence = confidence
        self._failing_seqs = set(failing_seqs)
        self.seen: list[tuple[str, int]] = []
        self.forgotten: list[str] = []
        self.calls: list[int] = []

    @property
    def identity(self) -> ModelIdentity:
        return ModelIdentity(name="scripted")

    @property
    def labels(self) -> tuple[str, ...]:
        return LABELS

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        self.calls.append(len(frames))
        return [self._detect(frame.header) for frame in frames]

    def forget(self, camera_id: str) -> None:
        self.forgotten.append(camera_id)

    def _detect(self, header: FrameHeader) -> Detections:
        self.seen.append((header.camera_id, header.seq))
        if header.seq in self._failing_seqs:
            raise ModelError(f"frame {header.frame_id}: told to fail")
        found = self._script(header)
        if not found:
            return Detections.none(LABELS)
        boxes_N4 = np.clip(np.array([box for _, box in found], np.float32), 0.0, 1.0)
        return Detections(
            boxes_N4=boxes_N4,
            confidences_N=np.full(len(found), self._confidence, np.float32),
            class_ids_N=np.array([LABELS.index(label) for label, _ in found], np.int64),
            labels=LABELS,
        )


def walk(start: Point, end: Point, *, from_s: float, to_s: float, label: str = "person") -> Script:
    """One object whose foot goes straight from ``start`` to ``end``, present only meanwhile."""

    def script(header: FrameHeader) -> Sequence[tuple[str, Box]]:
        if not from_s <= header.monotonic_s <= to_s:
            return ()
        share = (header.monotonic_s - from_s) / max(1e-9, to_s - from_s)
        at = (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
        return ((label, box_at(at)),)

    return script


def together(*scripts: Script) -> Script:
    """All that the scripts say at once."""

    def script(header: FrameHeader) -> Sequence[tuple[str, Box]]:
        return tuple(found for each in scripts for found in each(header))

    return script
