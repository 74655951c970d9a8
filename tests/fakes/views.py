"""Pictures of a rendered scene for what watches the view: with sensor noise, as small frames."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache

import numpy as np

from contracts.frames import Frame, FrameHeader
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings
from tests.bench.gate_scenes import FloatPicture, background
from tests.bench.tamper_scenes import Effect
from tests.fakes.clock import START
from vision.cues.port import Cues, Glimpse
from vision.cues.tampering import ViewReading
from vision.cues.view import ViewCue
from vision.motion_gate import Motion
from vision.observation import Observation
from vision.rules.tamper import TamperRule

FPS = 5.0
NOTHING_MOVES = Motion(share=0.0, light_change=0.0, is_moving=False)


@cache
def scene(seed: int = 1, *, light: float = 1.0) -> FloatPicture:
    """The scene of the gate's tests, at the size that a cue sees."""
    return np.ascontiguousarray(background(seed, light=light)[::2, ::2])


def filmed(
    picture: FloatPicture,
    *,
    seconds: float,
    starts_s: float = 0.0,
    effect: Effect | None = None,
    noise: float = 2.0,
    fps: float = FPS,
    camera_id: str = "cam",
) -> list[Frame]:
    """So many seconds of the picture, seen through an effect that began at the first frame."""
    rng = np.random.default_rng(round(starts_s * 10) + 3)
    frames = []
    for number in range(round(seconds * fps)):
        shown = picture if effect is None else effect(picture, number / fps, rng)
        if noise:
            shown = shown + noise * rng.standard_normal((*shown.shape[:2], 1), np.float32)
        frames.append(
            frame_of(np.clip(shown, 0, 255).astype(np.uint8), starts_s + number / fps, camera_id)
        )
    return frames


def frame_of(pixels_HW3: np.ndarray, at_s: float, camera_id: str = "cam") -> Frame:
    """A small frame at a stream second, of a picture twice as large."""
    height, width = pixels_HW3.shape[:2]
    header = FrameHeader(
        camera_id=camera_id,
        run_id="run1",
        seq=round(at_s * 1000),
        captured_at=START + timedelta(seconds=at_s),
        monotonic_s=at_s,
        width=2 * width,
        height=2 * height,
    )
    return Frame(header=header, pixels_HW3=np.asarray(pixels_HW3, np.uint8))


def glimpse(frame: Frame) -> Glimpse:
    """The frame as a cue sees it while the motion gate is shut."""
    return Glimpse(small=frame, picture=None, motion=NOTHING_MOVES, detections=None, tracks=())


def readings(cue: ViewCue, frames: Iterable[Frame]) -> list[ViewReading]:
    """What the cue says of each frame."""
    return [cue.look(glimpse(frame)) for frame in frames]


def watched(frames: Sequence[Frame], **params: float) -> list[RuleEvent]:
    """What the rule says, on what the cue sees, of a camera's whole run."""
    cue = ViewCue()
    rule = TamperRule(RuleSettings(rule_id="tamper", kind=RuleKind.TAMPER, params=params))
    return [
        event
        for frame in frames
        for event in rule.update(
            Observation(header=frame.header, tracks=(), cues=Cues(view=cue.look(glimpse(frame))))
        )
    ]
