"""Small real H.264 files, made once a session.

``walker_path()`` is what most tests want: read it, never write to it.
"""

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np

from contracts.frames import BgrImage
from contracts.geometry import Box, Point

_SHADOW_BGR, _COAT_BGR, _HEAD_BGR = (82, 84, 86), (120, 70, 40), (130, 160, 205)
_KEY_EVERY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkerClip:
    """A person-shaped figure that crosses an empty, slightly noisy court from left to right.

    Nobody is there before ``enter_s`` and after ``leave_s``.
    """

    width: int = 320
    height: int = 180
    fps: int = 10
    duration_s: float = 4.0
    enter_s: float = 0.5
    leave_s: float = 3.5
    seed: int = 1
    b_frames: int = 0

    @property
    def frames(self) -> int:
        return round(self.duration_s * self.fps)

    def foot(self, t_s: float) -> Point | None:
        """Where the figure stands, normalised; None while nobody is there."""
        if not self.enter_s <= t_s < self.leave_s:
            return None
        share = (t_s - self.enter_s) / (self.leave_s - self.enter_s)
        return (0.1 + 0.8 * share, 0.75)

    def box(self, t_s: float) -> Box | None:
        """The figure's box, normalised; None while nobody is there."""
        foot = self.foot(t_s)
        if foot is None:
            return None
        height = 0.4
        half = height * 0.17 * self.height / self.width
        return (foot[0] - half, foot[1] - height, foot[0] + half, foot[1])

    def picture(self, index: int) -> BgrImage:
        """Draw frame ``index``; the same every time."""
        pixels_HW3 = self._court()
        box = self.box(index / self.fps)
        if box is not None:
            _draw_figure(pixels_HW3, box, step=index)
        noise = np.random.default_rng((self.seed, index)).normal(0.0, 2.0, pixels_HW3.shape)
        return np.clip(pixels_HW3 + noise, 0, 255).astype(np.uint8)

    def _court(self) -> BgrImage:
        pixels_HW3 = np.zeros((self.height, self.width, 3), np.uint8)
        horizon = self.height // 3
        pixels_HW3[:horizon] = (148, 158, 165)
        shades_H = np.linspace(96, 118, self.height - horizon)
        pixels_HW3[horizon:] = shades_H[:, None, None].astype(np.uint8)
        door = (slice(horizon // 3, horizon), slice(self.width // 2, self.width * 2 // 3))
        pixels_HW3[door] = (92, 98, 104)
        return pixels_HW3


def _draw_figure(pixels_HW3: BgrImage, box: Box, *, step: int) -> None:
    height, width = pixels_HW3.shape[:2]
    left, top = int(box[0] * width), int(box[1] * height)
    right, bottom = int(box[2] * width), int(box[3] * height)
    middle, tall = (left + right) // 2, bottom - top
    cv2.ellipse(
        pixels_HW3,
        (middle, bottom),
        ((right - left) // 2, max(2, tall // 18)),
        0,
        0,
        360,
        _SHADOW_BGR,
        -1,
    )
    stride = int((right - left) * 0.3 * np.sin(step * 1.2))
    hip = (middle, top + tall * 55 // 100)
    for foot_x in (middle - stride, middle + stride):
        cv2.line(pixels_HW3, hip, (foot_x, bottom), (60, 50, 45), max(2, tall // 9), cv2.LINE_AA)
    shoulder = (middle, top + tall * 25 // 100)
    cv2.line(pixels_HW3, shoulder, hip, _COAT_BGR, max(3, tall // 4), cv2.LINE_AA)
    head = (middle, top + tall // 12)
    cv2.circle(pixels_HW3, head, max(2, tall // 12), _HEAD_BGR, -1, cv2.LINE_AA)


def write_walker(path: Path, clip: WalkerClip | None = None) -> WalkerClip:
    """Encode the clip (``WalkerClip()`` if none is given) as H.264; the suffix names the container.

    ``.mp4``, ``.ts``, ``.mkv`` and ``.h264`` (raw Annex-B) work. A key frame comes each second.
    """
    clip = clip or WalkerClip()
    options = {
        "preset": "ultrafast",
        "bf": str(clip.b_frames),
        "g": str(round(clip.fps * _KEY_EVERY_S)),
        "sc_threshold": "0",
        "threads": "1",
    }
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=clip.fps, options=options)
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, "yuv420p"
        for index in range(clip.frames):
            frame = av.VideoFrame.from_ndarray(clip.picture(index), format="bgr24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return clip


def walker_path(clip: WalkerClip | None = None, *, suffix: str = ".mp4") -> Path:
    """Return the path of the encoded clip, written on the first call for it in this process."""
    return _written(clip or WalkerClip(), suffix)


@cache
def _written(clip: WalkerClip, suffix: str) -> Path:
    path = _folder() / f"walker{len(list(_folder().iterdir()))}{suffix}"
    write_walker(path, clip)
    return path


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="vigil-clips-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
