"""Clips for the camera, each picture with its number burnt in, made once a process."""

import atexit
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, Literal

import av
import cv2
import numpy as np

from contracts.frames import BgrImage
from ingest.sources.scenes.registry import load_scene
from ingest.sources.synthetic import SCRIPT_STARTS_AT
from tests.fakes.clips import WalkerClip
from tests.quirkcam import timecode
from tests.quirkcam.media import Media, read_media

Show = Literal["walker", "yard", "court"]
"""A figure that crosses a court, the drawn yard with its intruder, or the court with nobody."""
Mishap = Literal["none", "frozen", "black", "covered", "defocused", "moved"]
_ENCODERS: Final = {"h264": "libx264", "hevc": "libx265", "mjpeg": "mjpeg"}
_QUANTISER: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """What a clip shows and how it is encoded.

    Attributes:
        begins_s: Where in its script the show begins.
        first_number: Time code of the first picture.
        mishap: What befalls the camera from ``mishap_at_s`` on; a frozen picture still has a
            clock that runs.
        key_every_s: 0 gives the first picture alone.
        refresh: Periodic intra refresh instead of key frames.
        open_group: Key frames that later pictures refer across.
        options: Further ones of the encoder, ``a=b:c=d``.
    """

    show: Show = "walker"
    codec: Literal["h264", "hevc", "mjpeg"] = "h264"
    width: int = 320
    height: int = 180
    fps: int = 10
    duration_s: float = 4.0
    begins_s: float = 0.0
    first_number: int = 0
    has_code: bool = True
    mishap: Mishap = "none"
    mishap_at_s: float = 0.0
    key_every_s: float = 1.0
    b_frames: int = 0
    refresh: bool = False
    open_group: bool = False
    bit_rate: int = 0
    options: str = ""

    @property
    def frames(self) -> int:
        return round(self.duration_s * self.fps)


def media_of(clip: Clip) -> Media:
    """Return the clip as a camera plays it."""
    return _media(clip)


@cache
def _media(clip: Clip) -> Media:
    return read_media(path_of(clip))


@cache
def path_of(clip: Clip) -> Path:
    """Return the path of the encoded clip: read it, never write to it."""
    folder = _folder()
    path = folder / f"clip{len(list(folder.iterdir()))}.mkv"
    _encode(path, clip)
    return path


def picture(clip: Clip, index: int) -> BgrImage:
    """Draw picture ``index``; the same every time."""
    shown = index
    is_befallen = clip.mishap != "none" and index >= clip.mishap_at_s * clip.fps
    if is_befallen and clip.mishap == "frozen":
        shown = round(clip.mishap_at_s * clip.fps)
    pixels_HW3 = _drawn(clip, shown).copy()
    if is_befallen and clip.mishap != "frozen":
        pixels_HW3 = _befall(pixels_HW3, clip.mishap, index)
    if clip.has_code:
        timecode.burn(pixels_HW3, clip.first_number + index)
    return pixels_HW3


@lru_cache(maxsize=1)
def _drawn(clip: Clip, index: int) -> BgrImage:
    """Draw the show; a picture that is frozen is drawn once."""
    pixels_HW3 = _drawer(clip)(index)
    if pixels_HW3.shape[:2] == (clip.height, clip.width):
        return pixels_HW3
    return np.asarray(cv2.resize(pixels_HW3, (clip.width, clip.height)), np.uint8)


@lru_cache(maxsize=4)
def _drawer(clip: Clip) -> Callable[[int], BgrImage]:
    if clip.show == "yard":
        scene = load_scene("yard")
        step = scene.fps / clip.fps
        first = round(clip.begins_s * scene.fps)

        def draw(index: int) -> BgrImage:
            number = first + round(index * step)
            shown_at = SCRIPT_STARTS_AT + timedelta(seconds=number / scene.fps)
            return scene.picture(number, shown_at=shown_at).copy()

        return draw
    nobody = clip.duration_s if clip.show == "court" else 0.5
    walker = WalkerClip(
        width=clip.width,
        height=clip.height,
        fps=clip.fps,
        duration_s=clip.duration_s,
        enter_s=nobody,
        leave_s=max(nobody, clip.duration_s - 0.5),
    )
    return walker.picture


def _befall(pixels_HW3: BgrImage, mishap: Mishap, index: int) -> BgrImage:
    noise = np.random.default_rng(index).normal(0.0, 1.5, pixels_HW3.shape)
    match mishap:
        case "black":
            spoilt = np.full_like(pixels_HW3, 6) + noise
        case "covered":
            spoilt = np.full(pixels_HW3.shape, (70, 85, 95), np.float64) + noise
        case "defocused":
            spoilt = cv2.GaussianBlur(pixels_HW3, (0, 0), pixels_HW3.shape[1] / 40) + noise
        case "moved":
            shift = pixels_HW3.shape[1] // 3
            spoilt = np.roll(pixels_HW3, (shift, shift // 4), axis=(1, 0)).astype(np.float64)
        case _:
            return pixels_HW3
    return np.clip(spoilt, 0, 255).astype(np.uint8)


def _encode(path: Path, clip: Clip) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(_ENCODERS[clip.codec], rate=clip.fps, options=_options(clip))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = clip.width, clip.height
        stream.pix_fmt = "yuvj420p" if clip.codec == "mjpeg" else "yuv420p"
        if clip.bit_rate:
            stream.bit_rate = clip.bit_rate
        for index in range(clip.frames):
            frame = av.VideoFrame.from_ndarray(picture(clip, index), format="bgr24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _options(clip: Clip) -> dict[str, str]:
    if clip.codec == "mjpeg":
        return {"q": str(_QUANTISER), "huffman": "default", "threads": "1"}
    keys = round(clip.fps * clip.key_every_s) or 10_000
    parameters = [f"keyint={keys}", f"min-keyint={keys}", "scenecut=0", f"bframes={clip.b_frames}"]
    if clip.refresh:
        parameters.append("intra-refresh=1")
    parameters.append("open-gop=1" if clip.open_group else "open-gop=0")
    if clip.options:
        parameters.append(clip.options)
    name = "x264-params" if clip.codec == "h264" else "x265-params"
    if clip.codec == "hevc":
        parameters += ["log-level=error", "pools=1", "frame-threads=1"]
    return {"preset": "ultrafast", "threads": "1", name: ":".join(parameters)}


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="vigil-quirkcam-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
