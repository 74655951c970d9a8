"""Decoded pictures to frames for the queue: run, number, time, sampling and size."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog
from av.video.frame import VideoFrame

from contracts.cameras import Camera
from contracts.frames import Frame, FrameHeader
from contracts.ids import new_id
from ingest.errors import SourceUnavailable
from ingest.metrics import STAGE_SECONDS, TIME_BREAKS
from ingest.planar_frame import PlanarFrame, Plane, planes_of
from ingest.punctuality import Punctuality
from ingest.sampling import Sampler
from ingest.sources.scaling import PictureScaler, analysis_size
from ingest.sources.stream import DecodedFrame
from ingest.timeline import Arrival, Break, Discontinuity, Moment, Timeline

log = structlog.get_logger()

FreshFrame = Frame | PlanarFrame

_SCALE: Final = STAGE_SECONDS.labels("scale")


class Framer:
    """Makes the frames of one connection, in one run or, where stream time jumps, several.

    Attributes:
        run_id: Of the frame added last.
        skipped: Pictures left out by sampling so far.
        late: Pictures left out so far because they came too late to show what is.

    Args:
        camera: Its analysis rate and width apply.
        frame_interval_s: Of the source.
        starts_at: UTC of the first picture of a recording; None for what happens now.
        is_on_trial: The connection before fell behind; see ``Punctuality``.
        in_planes: Leave pictures that have analysis size as they are decoded, where that is usual.
    """

    def __init__(
        self,
        camera: Camera,
        *,
        frame_interval_s: float,
        starts_at: datetime | None = None,
        is_on_trial: bool = False,
        in_planes: bool = False,
    ) -> None:
        self._camera = camera
        self._interval_s = frame_interval_s
        self._is_recording = starts_at is not None
        self._is_by_arrival = False
        self._scaler = PictureScaler(camera.analysis_width)
        self._in_planes = in_planes
        self._last_at: datetime | None = None
        self._late_s = 0.0
        self._punctuality = Punctuality(is_on_trial=is_on_trial)
        self.skipped = 0
        self.late = 0
        self._held: list[FreshFrame] = []
        self._ready: list[FreshFrame] = []
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

    @property
    def late_s(self) -> float:
        """By how much the picture added last came late; 0 for a recording, which is never live."""
        return self._late_s

    @property
    def is_punctual(self) -> bool:
        """Whether the picture added last may be shown as what happens now."""
        return self._punctuality.is_kept

    def add(self, decoded: DecodedFrame, *, arrival: Arrival) -> list[FreshFrame]:
        """Return the frames to analyse now.

        None if sampling leaves the picture out, if it comes too late, or while a stream begins with
        a burst: its frames are held back until their times are known. A jump of stream time begins
        a new run.

        Raises:
            SourceUnavailable: What happens now arrives ever later; only a new connection is
                without the backlog.
        """
        moment = self._place(decoded, arrival)
        self._last_at = moment.captured_at
        if not self._is_recording:
            self._late_s = (arrival.at - moment.captured_at).total_seconds()
        is_settled = self._timeline.is_settled
        if is_settled:
            self._place_held()
        if not self._punctuality.admits(arrival.monotonic_s, self._late_s):
            self.late += 1
        elif self._sampler.takes(moment.monotonic_s):
            (self._ready if is_settled else self._held).append(self._made(decoded, moment))
        else:
            self.skipped += 1
        ready, self._ready = self._ready, []
        return ready

    def release(self) -> list[FreshFrame]:
        """Return what is still held back, since nothing more comes."""
        self._place_held()
        ready, self._ready = self._ready, []
        return ready

    def begin_anew(self) -> None:
        """Begin a new run with the next picture: it shows another view. Times go on."""
        self._place_held()
        self.run_id = new_id("run")
        self._seq = 0

    def _place_held(self) -> None:
        """Give what was held back the times that are known by now."""
        for frame in self._held:
            header = frame.header
            captured_at = min(header.captured_at, self._timeline.captured_at(header.monotonic_s))
            self._ready.append(replace(frame, header=replace(header, captured_at=captured_at)))
        self._held.clear()

    def _made(self, decoded: DecodedFrame, moment: Moment) -> FreshFrame:
        with _SCALE.time():
            planes = self._planes(decoded.picture)
            if planes is not None:
                header = self._header(decoded, moment, planes[0].shape)
                return PlanarFrame(header=header, planes=planes)
            pixels_HW3 = self._scaler.to_bgr(decoded.picture)
        header = self._header(decoded, moment, pixels_HW3.shape)
        return Frame(header=header, pixels_HW3=pixels_HW3)

    def _header(self, decoded: DecodedFrame, moment: Moment, shape: tuple[int, ...]) -> FrameHeader:
        header = FrameHeader(
            camera_id=self._camera.camera_id,
            run_id=self.run_id,
            seq=self._seq,
            captured_at=moment.captured_at,
            monotonic_s=moment.monotonic_s,
            width=shape[1],
            height=shape[0],
            is_patched=decoded.is_patched,
        )
        self._seq += 1
        return header

    def _planes(self, picture: VideoFrame) -> tuple[Plane, Plane, Plane] | None:
        wanted = analysis_size(picture.width, picture.height, width=self._camera.analysis_width)
        is_fitting = self._in_planes and (picture.width, picture.height) == wanted
        return planes_of(picture) if is_fitting else None

    def _place(self, decoded: DecodedFrame, arrival: Arrival) -> Moment:
        placed = self._timeline.place(decoded.stream_s, arrival=arrival)
        if isinstance(placed, Moment):
            return placed
        if placed.kind is Break.LATE:
            raise SourceUnavailable(self._camera.camera_id, placed.message)
        self._is_by_arrival |= placed.kind is Break.RATE
        self._place_held()
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
