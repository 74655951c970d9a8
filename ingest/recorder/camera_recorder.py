"""The recorder of one camera: takes what the clip ring holds complete, part after part."""

import threading
from datetime import datetime
from typing import Final

import av
import structlog

from contracts.cameras import RecordingStatus
from contracts.clock import Clock
from contracts.errors import EvidenceMissing, StorageFull
from ingest.clip_ring import ClipRing, Stretch
from ingest.metrics import LOOP_ERRORS, RECORDED_BYTES, RECORDED_PARTS, RECORDING_LOST
from ingest.pacing import pause
from ingest.recorder.folder import RecordingFolder, Usage, storage_errors
from ingest.recorder.open_part import OpenPart
from ingest.recorder.part_writer import PartWriter
from ingest.recorder.parts import Part

log = structlog.get_logger()

PART_S: Final = 60.0
"""Parts are cut at the last key frame before; one that alone lasts longer makes a longer part."""
_LOOK_S: Final = 0.5
_RETRY_S: Final = 10.0
"""After the disk was full."""
_USAGE_EVERY_S: Final = 60.0


class CameraRecorder:
    """Writes all that comes into a ring to a folder, until told to stop.

    It reads behind the ring and never holds up the camera's loop: on a disk that hangs or is full
    the ring goes on, alerts and clips with it, and what it dropped meanwhile is counted as lost.

    Args:
        camera_id: Whose ring.
        ring: Its packets, complete up to the last key frame.
        folder: Where parts go.
        clock: For waits.
    """

    def __init__(
        self, camera_id: str, *, ring: ClipRing, folder: RecordingFolder, clock: Clock
    ) -> None:
        self._camera_id = camera_id
        self._ring = ring
        self._folder = folder
        self._clock = clock
        self._taken = 0
        self._writer: PartWriter | None = None
        self._file: OpenPart | None = None
        self._since: datetime | None = None
        self._problem = ""
        self._audio_problem = ""
        self._has_salvaged = False
        self._retry_at_s = clock.monotonic_s()
        self._usage_at_s = clock.monotonic_s()
        self._usage = Usage()

    @property
    def status(self) -> RecordingStatus:
        """How it is doing."""
        usage = self._usage
        return RecordingStatus(
            since=self._since,
            oldest_at=usage.oldest_at,
            size_bytes=usage.size_bytes,
            problem=self._problem or self._audio_problem,
        )

    def run(self, stop: threading.Event) -> None:
        """Record until ``stop`` is set, then finish the part."""
        while not stop.is_set():
            try:
                self.step()
            except Exception:
                LOOP_ERRORS.labels("recorder").inc()
                log.exception("recorder failed unexpectedly", camera_id=self._camera_id)
                self._give_up("internal error, see the log")
            pause(_LOOK_S, clock=self._clock, stop=stop)
        self.close()

    def step(self) -> None:
        """Write what is complete and was not written yet."""
        now_s = self._clock.monotonic_s()
        if now_s >= self._usage_at_s:
            self._usage_at_s = now_s + _USAGE_EVERY_S
            self._usage = self._folder.usage(self._camera_id)
        for stretch in self._ring.stretches_after(self._taken):
            if self._taken and stretch.number > self._taken + 1:
                self._lag(stretch.number - self._taken - 1)
            self._taken = stretch.number
            self._attempt(stretch)
        if self._writer is not None and self._writer.run_id != self._ring.current_run:
            self._finish()

    def close(self) -> None:
        """Finish the part that is being written."""
        self._finish()

    def _attempt(self, stretch: Stretch) -> None:
        """Write a stretch, or say why that cannot be done and count it as lost."""
        if self._clock.monotonic_s() >= self._retry_at_s:
            try:
                with storage_errors(self._folder.root):
                    self._write(stretch)
            except (StorageFull, EvidenceMissing) as error:
                self._give_up(str(error))
            except (av.FFmpegError, ValueError) as error:
                self._give_up(_unwritable(error))
            else:
                return
        RECORDING_LOST.labels(self._camera_id, "stopped").inc()

    def _write(self, stretch: Stretch) -> None:
        if self._writer is not None and not self._writer.takes(stretch, part_s=PART_S):
            self._writer.hear(stretch)
            self._finish()
        self._folder.check_space()
        if self._writer is None:
            self._salvage_once()
            self._file = self._folder.begin(self._camera_id, stretch.footage.starts_at)
            self._writer = PartWriter(self._file, stretch)
        self._writer.add(stretch)
        self._retry_at_s = self._clock.monotonic_s()
        if self._problem:
            log.info("recording goes on", camera_id=self._camera_id)
        self._problem = ""
        self._audio_problem = stretch.footage.template.audio_problem
        self._since = self._since or stretch.footage.starts_at

    def _finish(self) -> None:
        """Make the part that is being written durable."""
        writer, self._writer, self._file = self._writer, None, None
        if writer is None:
            return
        try:
            with storage_errors(self._folder.root):
                part = writer.publish()
        except (StorageFull, EvidenceMissing) as error:
            self._give_up(str(error), writer=writer)
        except (av.FFmpegError, ValueError) as error:
            self._give_up(_unwritable(error), writer=writer)
        else:
            self._count(part)

    def _count(self, part: Part) -> None:
        self._usage = self._usage.with_part(part)
        RECORDED_PARTS.labels(self._camera_id).inc()
        RECORDED_BYTES.labels(self._camera_id).inc(part.size_bytes)

    def _give_up(self, problem: str, *, writer: PartWriter | None = None) -> None:
        """Leave the part as it is, say why, and try again later."""
        for left in (writer, self._writer, self._file):
            if left is not None:
                left.leave()
        self._writer = self._file = None
        if problem != self._problem:
            log.error("recording stopped", camera_id=self._camera_id, problem=problem)
        self._problem = problem
        self._since = None
        self._retry_at_s = self._clock.monotonic_s() + _RETRY_S
        self._has_salvaged = False

    def _salvage_once(self) -> None:
        """Finish what an ingestor that died, or a full disk, left half-written."""
        if not self._has_salvaged:
            self._has_salvaged = True
            for part in self._folder.salvage(self._camera_id):
                self._count(part)

    def _lag(self, stretches: int) -> None:
        """Note what the ring dropped before it could be written."""
        self._since = None
        log.warning(
            "recording fell behind, video is missing from it",
            camera_id=self._camera_id,
            stretches=stretches,
        )
        RECORDING_LOST.labels(self._camera_id, "behind").inc(stretches)


def _unwritable(error: Exception) -> str:
    return f"recording: the video cannot be written as MP4 ({type(error).__name__})"
