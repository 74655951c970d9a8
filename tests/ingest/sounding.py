"""Recordings with sound: a tone that is only there while the picture is bright."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

FPS = 10
SECONDS = 4
TONE = (1.0, 2.0)
"""From when to when the picture is bright and the tone sounds."""
_CHUNK = 960
_FORMATS = {"aac": ("fltp", 48_000), "libopus": ("flt", 48_000)}


def write_sounding(path: Path, *, audio: str = "aac", b_frames: int = 0) -> Path:
    """Encode 4 s of 160 x 120 with a key frame each second, and sound beside it."""
    form, rate = _FORMATS.get(audio, ("s16", 8_000))
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "g": "10", "sc_threshold": "0", "bf": str(b_frames)}
        video = container.add_stream("libx264", rate=FPS, options=options)
        sound = container.add_stream(audio, rate=rate)
        assert isinstance(sound, AudioStream)
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        sound.codec_context.format = form
        sound.codec_context.layout = "mono"
        samples = _tone(rate)
        chunk = sound.codec_context.frame_size or _CHUNK
        done = 0
        for number in range(FPS * SECONDS):
            is_bright = TONE[0] <= number / FPS < TONE[1]
            grey_HW3 = np.full((120, 160, 3), 220 if is_bright else 30, np.uint8)
            picture = av.VideoFrame.from_ndarray(grey_HW3, format="bgr24")
            picture.pts = number
            container.mux(video.encode(picture))
            while done + chunk <= min(len(samples), (number + 1) * rate // FPS):
                container.mux(sound.encode(_frame(samples[done : done + chunk], form, rate, done)))
                done += chunk
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    return path


def loud_from_to(path: Path) -> tuple[float, float]:
    """When the sound of a file is first and last loud, in its own time."""
    loud: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            level = np.abs(frame.to_ndarray().astype(float)).mean()
            full = 32768.0 if "s16" in frame.format.name else 1.0
            if level / full > 0.05 and frame.time is not None:
                loud += [frame.time, frame.time + frame.samples / frame.sample_rate]
    return min(loud), max(loud)


def bright_from_to(path: Path) -> tuple[float, float]:
    """When the picture of a file is first and last bright, in its own time."""
    with av.open(str(path)) as container:
        bright = [
            picture.time or 0.0
            for picture in container.decode(video=0)
            if picture.to_ndarray(format="gray").mean() > 120
        ]
    return min(bright), max(bright)


def _tone(rate: int) -> npt.NDArray[np.float64]:
    t_s = np.arange(rate * SECONDS) / rate
    tone = 0.5 * np.sin(2 * np.pi * 440 * t_s)
    return np.asarray(tone * ((t_s >= TONE[0]) & (t_s < TONE[1])), np.float64)


def _frame(samples: npt.NDArray[np.float64], form: str, rate: int, pts: int) -> AudioFrame:
    if form == "s16":
        whole = (samples * 32767).astype(np.int16).reshape(1, -1)
        frame = AudioFrame.from_ndarray(whole, format=form, layout="mono")
    else:
        parts = samples.astype(np.float32).reshape(1, -1)
        frame = AudioFrame.from_ndarray(parts, format=form, layout="mono")
    frame.sample_rate = rate
    frame.pts, frame.time_base = pts, Fraction(1, rate)
    return frame
