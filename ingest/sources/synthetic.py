"""Scripted scenes as cameras: drawn, encoded as H.264, and read back like any other stream."""

import os
import select
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import structlog
from av.container import OutputContainer
from av.video.stream import VideoStream

from contracts.cameras import Camera
from contracts.clock import Clock, SystemClock
from contracts.settings import IngestSettings
from ingest.errors import SourceRejected, SourceUnavailable
from ingest.sources.opened import OpenedStream
from ingest.sources.scenes.registry import SCENES, load_scene
from ingest.sources.scenes.scene import Scene

log = structlog.get_logger()

SCRIPT_STARTS_AT: Final = datetime(2026, 3, 2, 7, 40, tzinfo=UTC)
"""What the clock in the picture says at the beginning of a scene that nobody watches live."""
_CONTAINER: Final = "mpegts"
"""For a stream without end: libav keeps an index of every fragment of MP4, and none of this."""
_MUXER_OPTIONS: Final = {"flush_packets": "1"}
"""A picture leaves when it is encoded, not when a buffer is full."""
_KEY_EVERY_S: Final = 1.0
_QUALITY: Final = "23"
"""libx264's constant rate factor; gives about 0.8 Mbit/s, as a camera's sub-stream."""
_PROBE_US: Final = 500_000
_LATE_S: Final = 1.0
"""Pictures later than this are left out, as by a camera whose network is too slow."""
_WRITABLE_POLL_S: Final = 0.1


def open_synthetic(
    camera: Camera, settings: IngestSettings, *, clock: Clock | None = None
) -> OpenedStream:
    """Start playing the scene that the camera's ``url`` names, from its beginning, without end.

    Args:
        camera: Its source is paced: pictures come at the scene's own speed, and the clock in the
            picture shows the time. Not paced: as fast as they are read, and the clock in the
            picture starts at ``SCRIPT_STARTS_AT``, so that every run sees the same pixels.
        settings: Of ingest; the open time-out applies.
        clock: Of this machine if None.

    Raises:
        SourceRejected: There is no such scene; the message names those there are.
        SourceUnavailable: The encoder could not be started.
    """
    name = camera.source.url
    if name not in SCENES:
        raise SourceRejected(
            camera.camera_id,
            f"there is no synthetic scene {name[:40]!r}; there are: {', '.join(sorted(SCENES))}",
        )
    player = _Player(camera, load_scene(name), clock or SystemClock())
    try:
        container = av.open(
            player.reader,
            mode="r",
            format=_CONTAINER,
            container_options={"analyzeduration": str(_PROBE_US), "fpsprobesize": "0"},
            timeout=(settings.open_timeout_s, settings.read_timeout_s),
        )
    except av.FFmpegError as error:
        player.stop()
        raise SourceUnavailable(
            camera.camera_id, f"the synthetic scene cannot be read back: {error.strerror}"
        ) from error

    def close() -> None:
        player.stop()
        container.close()

    return OpenedStream(container=container, close=close, is_live=camera.source.is_paced)


def record_scene(path: Path, *, duration_s: float, scene_name: str = "yard") -> None:
    """Write the beginning of a scene to an MP4 file; the same pictures every time.

    Args:
        path: Replaced if it is there.
        duration_s: May be longer than the scene's loop.
        scene_name: One of ``SCENES``.

    Raises:
        KeyError: There is no such scene.
        OSError: The file cannot be written.
    """
    scene = load_scene(scene_name)
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = _add_stream(container, scene)
        for index in range(round(duration_s * scene.fps)):
            shown_at = SCRIPT_STARTS_AT + timedelta(seconds=index / scene.fps)
            _encode(container, stream, scene, index=index, shown_at=shown_at)
        container.mux(stream.encode())


class _Player:
    """Draws and encodes in a thread of its own; what it makes is read from ``reader``."""

    def __init__(self, camera: Camera, scene: Scene, clock: Clock) -> None:
        self._camera_id = camera.camera_id
        self._is_paced = camera.source.is_paced
        self._scene = scene
        self._clock = clock
        self._is_stopped = threading.Event()
        read_fd, write_fd = os.pipe()
        # Unbuffered: a buffered reader would wait until it can fill its buffer.
        self.reader = os.fdopen(read_fd, "rb", buffering=0)
        self._writer = _PipeWriter(write_fd, self._is_stopped)
        self._thread = threading.Thread(
            target=self._play, name=f"synthetic-{camera.camera_id}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close both ends of the pipe. Safe to call twice."""
        self._is_stopped.set()
        self._thread.join()
        self.reader.close()

    def _play(self) -> None:
        try:
            with av.open(self._writer, "w", format=_CONTAINER, options=_MUXER_OPTIONS) as container:
                stream = _add_stream(container, self._scene)
                for index, shown_at in self._schedule():
                    _encode(container, stream, self._scene, index=index, shown_at=shown_at)
        except (OSError, av.FFmpegError) as error:
            # The reader sees the end of the stream and its owner opens it again.
            log.warning("synthetic scene broke off", camera_id=self._camera_id, reason=str(error))
        finally:
            self._writer.close()

    def _schedule(self) -> Iterator[tuple[int, datetime]]:
        """Yield each picture's number, and what its clock shows, when it is due."""
        interval_s = 1.0 / self._scene.fps
        began_at = self._clock.now() if self._is_paced else SCRIPT_STARTS_AT
        began_s = self._clock.monotonic_s()
        index = 0
        while not self._is_stopped.is_set():
            if self._is_paced:
                wait_s = began_s + index * interval_s - self._clock.monotonic_s()
                if wait_s < -_LATE_S:
                    index += int(-wait_s / interval_s)
                elif self._is_stopped.wait(max(0.0, wait_s)):
                    return
            yield index, began_at + timedelta(seconds=index * interval_s)
            index += 1


class _PipeWriter:
    """The writing end of a pipe that never blocks for good: once stopped, it drops what it gets."""

    def __init__(self, write_fd: int, is_stopped: threading.Event) -> None:
        os.set_blocking(write_fd, False)
        self._fd = write_fd
        self._is_stopped = is_stopped

    def write(self, chunk: bytes) -> int:
        """Write all of it, waiting for the reader; libav calls this."""
        rest = memoryview(chunk)
        while rest and not self._is_stopped.is_set():
            _, writable, _ = select.select([], [self._fd], [], _WRITABLE_POLL_S)
            if writable:
                rest = rest[os.write(self._fd, rest) :]
        return len(chunk)

    def close(self) -> None:
        """Close it: the reader comes to the end of the stream."""
        os.close(self._fd)


def _add_stream(container: OutputContainer, scene: Scene) -> VideoStream:
    rate = Fraction(scene.fps).limit_denominator(1001)
    stream = container.add_stream(
        "libx264",
        rate=rate,
        options={
            "preset": "ultrafast",
            "tune": "zerolatency",
            "crf": _QUALITY,
            "g": str(round(scene.fps * _KEY_EVERY_S)),
            "sc_threshold": "0",
            "threads": "1",
        },
    )
    stream.width, stream.height, stream.pix_fmt = scene.width, scene.height, "yuv420p"
    stream.codec_context.time_base = 1 / rate
    return stream


def _encode(
    container: OutputContainer,
    stream: VideoStream,
    scene: Scene,
    *,
    index: int,
    shown_at: datetime,
) -> None:
    picture = scene.picture(index, shown_at=shown_at)
    frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
    frame.pts = index
    frame.time_base = stream.codec_context.time_base
    container.mux(stream.encode(frame))
