"""What the cue ``bodies`` says of a scene: the cue itself, on pictures painted of the truth."""

import cv2
import numpy as np
import numpy.typing as npt

from api.simulation.glance import Glance
from contracts.frames import Frame
from contracts.geometry import iou
from moe_core.training.world.scene import Scene
from vision.cues.bodies import BodyCue
from vision.cues.body import Body
from vision.cues.port import Glimpse
from vision.motion_gate import Motion

WIDTH = 128
_NOISE = 2.0
_SAME = 0.5


class BodyReadings:
    """The bodies of one scene, followed by vision's own cue."""

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        self._scene = scene
        self._rng = rng
        self._cue = BodyCue()
        height = round(WIDTH / scene.site.view.aspect)
        coarse = rng.uniform(70, 180, (max(2, height // 10), WIDTH // 10))
        self._ground_HW = cv2.resize(coarse.astype(np.float32), (WIDTH, height))
        self._tones_A = rng.choice([-1, 1], len(scene.actors)) * rng.uniform(
            30, 65, len(scene.actors)
        )

    def look(self, glance: Glance) -> tuple[tuple[Body, ...], dict[str, str]]:
        """Return everybody who is followed, and of whom each body's find in this frame was."""
        picture_HW3 = self._painted(glance.index)
        glimpse = Glimpse(
            small=Frame(header=glance.header, pixels_HW3=picture_HW3),
            picture=None,
            motion=Motion(share=0.0, light_change=0.0, is_moving=True),
            detections=glance.detections,
            tracks=glance.tracks,
        )
        bodies = self._cue.look(glimpse)
        guesses = glance.detections.guesses
        if guesses is None:
            return bodies, {}
        sources = {}
        for body in bodies:
            last = body.track.last
            fits = [
                (iou(last.box, (box[0], box[1], box[2], box[3])), source)
                for box, source in zip(guesses.boxes_N4.tolist(), glance.guesses, strict=True)
            ]
            best = max(fits, default=(0.0, ""))
            if last.is_observed and best[0] > _SAME:
                sources[body.track.track_id] = best[1]
        return bodies, sources

    def _painted(self, index: int) -> npt.NDArray[np.uint8]:
        """Paint everybody as a box of his own tone, the farthest first."""
        scene = self._scene
        picture_HW = self._ground_HW + self._rng.normal(0, _NOISE, self._ground_HW.shape)
        rows = [
            row
            for row, actor in enumerate(scene.actors)
            if actor.is_body and scene.in_view_AT[row, index]
        ]
        height = self._ground_HW.shape[0]
        for row in sorted(rows, key=lambda one: -scene.places_AT2[one, index, 1]):
            x1, y1, x2, y2 = scene.seen_AT4[row, index] * [WIDTH, height, WIDTH, height]
            part = np.s_[
                round(y1) : max(round(y2), round(y1) + 1), round(x1) : max(round(x2), round(x1) + 1)
            ]
            picture_HW[part] = self._ground_HW[part] + self._tones_A[row]
        grey_HW = np.clip(picture_HW, 0, 255).astype(np.uint8)
        return np.repeat(grey_HW[:, :, None], 3, axis=2)
