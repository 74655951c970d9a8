"""Small recordings of what the walking figure of ``tests.fakes.clips`` does not show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from contracts.cameras import Camera, RtspTransport, SourceSettings, SourceType


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """So many pictures of one size."""

    frames: int = 20
    width: int = 160
    height: int = 120


def write(
    path: Path,
    *shots: Shot,
    codec: str = "libx264",
    fps: int = 10,
    pts: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Encode shots one after the other; a raw ``.h264`` may change its size between them.

    Picture ``n`` has the grey level ``5 * n`` modulo 200, so that it can be told which it is.
    """
    if path.suffix == ".h264" and len(shots) > 1:
        parts = [write(path.with_name(f"{n}{path.name}"), s) for n, s in enumerate(shots)]
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        return path
    [shot] = shots or (Shot(),)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps, options=options or _options(codec))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = shot.width, shot.height
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for picture in _pictures(shot, pts):
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def _options(codec: str) -> dict[str, str]:
    if codec != "libx264":
        return {}
    return {"preset": "ultrafast", "g": "10", "bf": "0", "sc_threshold": "0", "threads": "1"}


def _pictures(shot: Shot, pts: Sequence[int] | None) -> Iterator[av.VideoFrame]:
    for index in range(shot.frames):
        pixels_HW3 = np.full((shot.height, shot.width, 3), 20 + 5 * index % 200, np.uint8)
        picture = av.VideoFrame.from_ndarray(pixels_HW3, format="bgr24")
        picture.pts = index if pts is None else pts[index]
        yield picture


def file_camera(
    path: Path | str,
    *,
    analysis_fps: float = 5.0,
    analysis_width: int = 640,
    is_paced: bool = False,
    is_looped: bool = False,
    camera_id: str = "gate",
    version: int = 1,
) -> Camera:
    """A camera that is a recording."""
    return Camera(
        camera_id=camera_id,
        source=SourceSettings(
            source_type=SourceType.FILE, url=str(path), is_paced=is_paced, is_looped=is_looped
        ),
        analysis_fps=analysis_fps,
        analysis_width=analysis_width,
        version=version,
    )


def rtsp_camera(
    url: str, *, transport: RtspTransport = RtspTransport.TCP, camera_id: str = "gate"
) -> Camera:
    """A camera behind an RTSP URL."""
    return Camera(
        camera_id=camera_id,
        source=SourceSettings(source_type=SourceType.RTSP, url=url, transport=transport),
    )
