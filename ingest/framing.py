"""Decoded pictures to frames for the queue: run, number, time, sampling and JPEG."""

from datetime import datetime, timedelta
from typing import Final

import cv2
import structlog

from contracts.cameras import Camera
from contracts.frames import BgrImage, EncodedFrame, FrameHeader
from contracts.ids import new_id
from ingest.errors import SourceUnavailable
from ingest.metrics import STAGE_SECONDS, TIME_BREAKS
from ingest.sampling import Sampler
from ingest.sources.stream import DecodedFrame, PictureScaler
from ingest.timeline import Arrival, Break, Discontinuity, Moment, Timeline

log = structlog.get_logger()

_SCALE: Final = STAGE_SECONDS.labels("scale")
_ENCODE: Final = STAGE_SECONDS.labels("encode")


class Framer:
    """Makes the frames of one connection, in one run or, where stream time jumps, several.

    Attributes:
        run_id: Of the frame added last.
        skipped: Pictures left out by sampling so far.

    Args:
        camera: Its analysis rate and width apply.
        jpeg_quality: 1 to 100.
        frame_interval_s: Of the source.
        starts_at: UTC of the first picture of a recording; None for what happens now.
    """

    def __init__(
        self,
        camera: Camera,
        *,
        jpeg_quality: int,
        frame_interval_s: float,
        starts_at: datetime | None = None,
    ) -> None:
        self._camera = camera
        self._quality = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality]
        self._interval_s = frame_interval_s
        self._is_recording = starts_at is not None
        self._is_by_arrival = False
        self._scaler = PictureScaler(camera.analysis_width)
        self._last_at: datetime | None = None
        self.skipped = 0
        self._begin_run(starts_at)

    @property
    def is_by_arrival(self) -> bool:
        """Whether the stream's own times are not used any more."""
        return self._is_by_arrival

    @property
    def zero_at(self) -> datetime | None:
        """UTC of stream second 0 in this run; None before its first picture."""
        return self._timeline.zero_at

    @property
    def last_captured_at(self) -> datetime | None:
        """``captured_at`` of the picture added last, taken or skipped."""
        return self._last_at

    def add(self, decoded: DecodedFrame, *, arrival: Arrival) -> EncodedFrame | None:
        """Return the frame to analyse, or None if sampling leaves the picture out.

        A jump of stream time begins a new run.

        Raises:
            SourceUnavailable: What happens now arrives ever later; only a new connection is
                without the backlog.
        """
        moment = self._place(decoded, arrival)
        self._last_at = moment.captured_at
        if not self._sampler.takes(moment.monotonic_s):
            self.skipped += 1
            return None
        with _SCALE.time():
            pixels_HW3 = self._scaler.to_bgr(decoded.picture)
        header = FrameHeader(
            camera_id=self._camera.camera_id,
            run_id=self.run_id,
            seq=self._seq,
            captured_at=moment.captured_at,
            monotonic_s=moment.monotonic_s,
            width=pixels_HW3.shape[1],
            height=pixels_HW3.shape[0],
        )
        self._seq += 1
        return EncodedFrame(header=header, jpeg=self._encode(pixels_HW3))

    def _place(self, decoded: DecodedFrame, arrival: Arrival) -> Moment:
        placed = self._timeline.place(decoded.stream_s, arrival=arrival)
        if isinstance(placed, Moment):
            return placed
        if placed.kind is Break.LATE:
            raise SourceUnavailable(self._camera.camera_id, placed.message)
        self._is_by_arrival |= placed.kind is Break.RATE
        self._begin_run(self._resume_at())
        TIME_BREAKS.labels(self._camera.camera_id, placed.kind.value).inc()
        log.warning(
            "times do not go on, a new run begins",
            camera_id=self._camera.camera_id,
            run_id=self.run_id,
            kind=placed.kind.value,
            found=placed.message,
        )
        again = self._timeline.place(decoded.stream_s, arrival=arrival)
        if isinstance(again, Discontinuity):
            raise SourceUnavailable(self._camera.camera_id, again.message)
        return again

    def _begin_run(self, starts_at: datetime | None) -> None:
        self.run_id = new_id("run")
        self._seq = 0
        self._timeline = Timeline(
            frame_interval_s=self._interval_s,
            starts_at=starts_at,
            is_by_arrival=self._is_by_arrival,
        )
        self._sampler = Sampler(self._camera.analysis_fps)

    def _resume_at(self) -> datetime | None:
        """UTC of the first picture of a further run: a recording goes on where it was."""
        if not self._is_recording or self._last_at is None:
            return None
        return self._last_at + timedelta(seconds=self._interval_s)

    def _encode(self, pixels_HW3: BgrImage) -> bytes:
        with _ENCODE.time():
            _, jpeg = cv2.imencode(".jpg", pixels_HW3, self._quality)
        return jpeg.tobytes()
