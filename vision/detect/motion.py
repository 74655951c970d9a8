"""The motion detector: what differs from the learnt empty scene is an object.

Needs no weights and knows no classes. Shape legend: P = planes Y, Cr, Cb; H, W = working picture,
N = blobs, 4 = x1, y1, x2, y2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

import cv2
import numpy as np

from contracts.detections import ANY_LABEL, Detections, ModelIdentity
from contracts.frames import BgrImage, Frame
from vision.detect import blobs
from vision.detect.background import Background, Planes, as_mask
from vision.detect.feet import with_feet

WORK_WIDTH: Final = 320
"""Pixels; half of the usual analysis width averages noise away and costs a quarter."""
RESEED_SHARE: Final = 0.55
"""More foreground than this is another view, a covered lens or the light: begin again."""
CELLS: Final = (8, 6)
CELL_SHARE: Final = 0.1
"""A cell of the picture is occupied with more foreground than this."""
FULL_SHARE: Final = 0.55
FULL_JUMP: Final = 0.3
"""That many cells occupied, and that many more than a frame ago: not objects coming in."""
FULL_S: Final = 2.0
"""That many cells occupied for longer: whatever it is, this background does not explain it."""
ABSORB_S: Final = 120.0
"""What has stood still for this long becomes background."""
LIGHT_S: Final = 4.0
"""... and so does light that has; till then neither it nor who walks through it is learnt."""
GHOST_WINDOW_S: Final = (0.8, 5.0)
"""A hole is looked for in what has not changed for so long; later its nature is known."""
LONGEST_STEP_S: Final = 2.0
"""A longer silence of the stream counts as this much time for the background."""
_HOLD: Final = np.ones((5, 5), np.uint8)


@dataclass(slots=True)
class _View:
    """What is kept for a camera."""

    frame_size: tuple[int, int]
    background: Background
    monotonic_s: float
    occupied: float = 0.0
    full_s: float = 0.0

    def is_another(self, score_HW: Planes, *, step_s: float) -> bool:
        """Say whether this can no longer be the view that was learnt.

        A covered lens, a turned camera, lost focus or a lamp changes the picture everywhere
        within a frame; objects come in from somewhere, one part after the other.
        """
        foreground_HW = as_mask(score_HW > 1)
        cells = np.asarray(cv2.resize(foreground_HW, CELLS, interpolation=cv2.INTER_AREA))
        occupied = np.count_nonzero(cells > 255 * CELL_SHARE) / cells.size
        jump = occupied - self.occupied
        self.full_s = self.full_s + step_s if occupied > FULL_SHARE else 0.0
        self.occupied = occupied
        changed = (
            np.count_nonzero(foreground_HW) > RESEED_SHARE * foreground_HW.size
            or (occupied > FULL_SHARE and jump > FULL_JUMP)
            or self.full_s > FULL_S
        )
        if changed:
            self.occupied, self.full_s = 0.0, 0.0
        return bool(changed)


class MotionDetector:
    """Finds what is not part of the empty scene, moving or standing.

    The first 0.8 s of a camera (or of a changed view) only teach it the scene. Somebody who
    stands still stays detected for two minutes; the hole that something leaves behind is
    recognised and not reported. Not safe for use by several threads at once.
    """

    def __init__(self, *, confidence: float = 0.14) -> None:
        """Start without any scene; bodies below ``confidence`` are left out."""
        self._confidence = confidence
        self._views: dict[str, _View] = {}

    @property
    def identity(self) -> ModelIdentity:
        """A program, so it has no checksum."""
        return ModelIdentity(name="motion")

    @property
    def labels(self) -> tuple[str, ...]:
        """It knows no classes."""
        return (ANY_LABEL,)

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return the bodies in each frame; none while the scene is being learnt."""
        return [self._look(frame) for frame in frames]

    def forget(self, camera_id: str) -> None:
        """Learn this camera's scene anew from its next frame on."""
        self._views.pop(camera_id, None)

    def _look(self, frame: Frame) -> Detections:
        image_PHW = working_picture(frame.pixels_HW3)
        view, step_s = self._view(frame, image_PHW)
        background, is_learning = view.background, not frame.header.is_patched
        if not background.is_seeded:
            background.seed(image_PHW, step_s=step_s)
            return Detections.none(self.labels)
        background.follow_light(image_PHW)
        score_HW = background.score(image_PHW)
        light = background.light()
        faint_HW = background.score(image_PHW, light=light) if light < 1 else None
        if is_learning and view.is_another(score_HW, step_s=step_s):
            background.restart()
            background.seed(image_PHW, step_s=0.0)
            return Detections.none(self.labels)
        things, passing = [], []
        for blob in blobs.find_blobs(score_HW):
            nature = _nature(blob, background, image_PHW, is_learning=is_learning)
            if nature is _Nature.THING:
                things.append(blob)
            elif nature is _Nature.PASSING_LIGHT:
                passing.append(blob)
        faint = self._faint(faint_HW, background, image_PHW)
        if is_learning:
            held_HW = np.zeros(score_HW.shape, np.uint8)
            for blob in (*things, *passing):
                np.bitwise_or(held_HW[blob.part], blob.mask_HW, out=held_HW[blob.part])
            held_HW = np.asarray(cv2.dilate(held_HW, _HOLD), np.uint8)
            background.update(image_PHW, held_HW=held_HW, step_s=step_s)
        boxes_N4, confidences_N = self._bodies(things, score_HW.shape)
        if faint_HW is not None and len(boxes_N4):
            boxes_N4, is_own_N = with_feet(boxes_N4, faint_HW)
            boxes_N4, confidences_N = boxes_N4[is_own_N], confidences_N[is_own_N]
        found = self._detections(boxes_N4, confidences_N, score_HW.shape)
        return replace(found, guesses=faint)

    def _faint(
        self, faint_HW: Planes | None, background: Background, image_PHW: Planes
    ) -> Detections | None:
        """Return the bodies that in full light would differ enough to be found; None if all do."""
        if faint_HW is None:
            return None
        things = [
            blob
            for blob in blobs.find_blobs(faint_HW)
            if _nature(blob, background, image_PHW, is_learning=False) is _Nature.THING
        ]
        return self._detections(*self._bodies(things, faint_HW.shape), faint_HW.shape)

    def _view(self, frame: Frame, image_PHW: Planes) -> tuple[_View, float]:
        """Return the camera's view, a new one if the size changed, and the time since."""
        header = frame.header
        size = frame.pixels_HW3.shape[:2]
        view = self._views.get(header.camera_id)
        if view is None or view.frame_size != size:
            height, width = image_PHW.shape[1:]
            view = _View(
                frame_size=size,
                background=Background(height, width),
                monotonic_s=header.monotonic_s,
            )
            self._views[header.camera_id] = view
        step_s = min(LONGEST_STEP_S, max(0.0, header.monotonic_s - view.monotonic_s))
        view.monotonic_s = header.monotonic_s
        return view, step_s

    def _bodies(
        self, things: Sequence[blobs.Blob], size: tuple[int, ...]
    ) -> tuple[blobs.PixelBoxes, Planes]:
        """Return the boxes of bodies in pixels, and their confidences."""
        boxes: list[tuple[float, ...]] = []
        confidences: list[float] = []
        boxes_N4 = np.array([blob.box for blob in things], np.float32).reshape(-1, 4)
        areas_N = np.array([blob.area for blob in things], np.float32)
        strengths_N = np.array([blob.strength for blob in things], np.float32)
        groups_N = blobs.body_groups(boxes_N4)
        smallest = blobs.least_area(size[0], size[1])
        for group in np.unique(groups_N):
            members = groups_N == group
            x1, y1 = boxes_N4[members, :2].min(axis=0)
            x2, y2 = boxes_N4[members, 2:].max(axis=0)
            area = float(areas_N[members].sum())
            confidence = blobs.confidence(
                strength=float(areas_N[members] @ strengths_N[members]) / area,
                fill=area / float((x2 - x1) * (y2 - y1)),
                size=area / smallest,
            )
            if confidence >= self._confidence:
                boxes.append((x1, y1, x2, y2))
                confidences.append(confidence)
        return (
            np.asarray(boxes, np.float32).reshape(-1, 4),
            np.asarray(confidences, np.float32),
        )

    def _detections(
        self, boxes_N4: blobs.PixelBoxes, confidences_N: Planes, size: tuple[int, ...]
    ) -> Detections:
        height, width = size
        return Detections(
            boxes_N4=np.divide(boxes_N4, (width, height, width, height), dtype=np.float32),
            confidences_N=confidences_N,
            class_ids_N=np.zeros(len(boxes_N4), np.int64),
            labels=self.labels,
        )


def working_picture(pixels_HW3: BgrImage) -> Planes:
    """Return the planes Y, Cr, Cb as float32 at working size; a smaller picture keeps its own."""
    height, width = pixels_HW3.shape[:2]
    small = pixels_HW3
    if width > WORK_WIDTH:
        size = (WORK_WIDTH, max(1, round(height * WORK_WIDTH / width)))
        small = np.asarray(cv2.resize(pixels_HW3, size, interpolation=cv2.INTER_AREA), np.uint8)
    planes = cv2.split(cv2.cvtColor(small, cv2.COLOR_BGR2YCrCb))
    return np.array(planes, np.float32)


class _Nature(Enum):
    """What a blob is."""

    THING = auto()
    PASSING_LIGHT = auto()
    SCENE = auto()


def _nature(
    blob: blobs.Blob, background: Background, image_PHW: Planes, *, is_learning: bool
) -> _Nature:
    """Tell things from ghosts and light; a ghost, and what has long stood, is absorbed."""
    luma_HW, mean_HW = image_PHW[0][blob.part], background.mean_PHW[0][blob.part]
    still_s_HW = background.still_s_HW[blob.part]
    half = cv2.countNonZero(blob.mask_HW) / 2
    first_s, last_s = GHOST_WINDOW_S
    is_fresh = np.count_nonzero((still_s_HW > first_s) & (still_s_HW < last_s)) > half
    is_light = blobs.is_light(blob.mask_HW, luma_HW, mean_HW)
    patience_s = LIGHT_S if is_light else ABSORB_S
    if np.count_nonzero(still_s_HW > patience_s) > half or (
        is_fresh and blobs.is_ghost(blob.mask_HW, luma_HW, mean_HW)
    ):
        if is_learning:
            whole_HW = np.zeros(image_PHW.shape[1:], np.uint8)
            whole_HW[blob.part] = cv2.dilate(blob.mask_HW, _HOLD)
            if is_light:
                # Whoever walks through it is not learnt with it.
                whole_HW[background.still_s_HW < first_s] = 0
            background.absorb(image_PHW, whole_HW)
        return _Nature.SCENE
    return _Nature.PASSING_LIGHT if is_light else _Nature.THING
