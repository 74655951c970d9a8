"""The loop of one camera: open, read, place in time, sample, queue; and again when it ends."""

import random
import threading
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import structlog

from contracts.cameras import Camera, SourceType
from contracts.clock import Clock
from contracts.geometry import Zone
from contracts.settings import IngestSettings
from ingest.carrier import Brought, Carrier, Changeover
from ingest.clip_ring import ClipRing
from ingest.clip_template import ClipTemplate
from ingest.errors import (
    CredentialsRefused,
    SourceEnded,
    SourceError,
    SourceRejected,
    SourceUnavailable,
)
from ingest.evidence_stream import EvidenceRing, EvidenceStream
from ingest.frame_account import FrameWriter
from ingest.framing import Framer, FreshFrame
from ingest.health import Delay
from ingest.masks import PrivacyMask, covered
from ingest.metrics import FRAMES, FRAMES_DROPPED, FRAMES_SKIPPED, LOOP_ERRORS, UNDECODED
from ingest.pacing import Pacer, pause
from ingest.reconnect import Reconnect
from ingest.sources.folder import Playlist
from ingest.sources.opened import OpenedStream
from ingest.sources.registry import open_source
from ingest.sources.stream import DecodedFrame, StreamReader, StreamUnit
from ingest.sources.webrtc import PublisherGone
from ingest.status import Phase, Seen, StatusKeeper
from ingest.thinning import Thinning
from ingest.timeline import Arrival
from ingest.webrtc.live_cameras import LiveCamera

log = structlog.get_logger()

_LOOP_MIN_S: Final = 0.05
"""A looped file of one picture must not spin."""
_PUBLISHER_LOOK_S: Final = 0.5


class _GoOver(Exception):  # noqa: N818  # no error: a connection is given up for a better one
    def __init__(self, change: Changeover) -> None:
        super().__init__()
        self.change = change


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pace:
    """How fast frames come: by themselves, by our waiting, or as fast as they can be read."""

    is_live: bool
    pacer: Pacer | None

    @property
    def is_as_fast_as_possible(self) -> bool:
        return not self.is_live and self.pacer is None


class CameraIngest:
    """Brings one camera's frames into the queue until told to stop or until a recording ends.

    Args:
        camera: As configured; a change needs a new object.
        writer: Where frames go.
        ring: Keeps what came in for clips; outlives this object.
        status: Hears of every change.
        settings: Deadlines, quality.
        clock: For arrival, pace and waits.
        live: Where its publisher comes in and its viewers are served; None makes one.
    """

    def __init__(  # noqa: PLR0913  # all that a camera's loop touches
        self,
        camera: Camera,
        *,
        writer: FrameWriter,
        ring: ClipRing,
        status: StatusKeeper,
        settings: IngestSettings,
        clock: Clock,
        live: LiveCamera | None = None,
    ) -> None:
        self._camera = camera
        self._live = live or LiveCamera(camera)
        self._writer = writer
        self._ring = ring
        self._status = status
        self._settings = settings
        self._clock = clock
        chance = random.Random()  # noqa: S311  # jitter, no secret
        self._reconnect = Reconnect(settings, chance=chance)
        self._thinning = Thinning(chance=chance)
        self._carrier = Carrier(camera.source.transport, now_s=clock.monotonic_s())
        self._status.advise(self._carrier.advice)
        self._run_id = ""
        self._why_waiting = "nobody publishes to this camera"
        self._has_ended = False
        self._fell_behind = False
        self._is_live_cut = False
        self._playlist = Playlist(camera)
        self._playing = camera
        self._skipped_count = FRAMES_SKIPPED.labels(camera.camera_id)
        self.mask(camera.masks)

    @property
    def has_ended(self) -> bool:
        """Whether a recording was read to its end: there is nothing left to do."""
        return self._has_ended

    def mask(self, zones: tuple[Zone, ...]) -> None:
        """Cover these zones in every picture from the next on, and in what is kept for clips.

        The connection goes on; a new run begins, since what was learned of the view is void.
        """
        self._ring.mask(zones)
        self._mask = PrivacyMask(zones)
        self._live.feed.mask(is_masked=bool(zones))

    def run(self, stop: threading.Event) -> None:
        """Read the camera until ``stop`` is set; returns within the read time-out after it."""
        if not isinstance(self._ring, EvidenceRing):
            self._run(stop)
            return
        if not self._camera.source.evidence_url:
            self._ring.tell_single()
            self._run(stop)
            return
        self._ring.expect_main()
        main = EvidenceStream(
            self._camera,
            ring=self._ring.main,
            settings=self._settings,
            clock=self._clock,
            on_absent=self._ring.tell_single,
            carrier=self._carrier,
        )
        name = f"main-{self._camera.camera_id}"
        thread = threading.Thread(target=main.run, args=(stop,), name=name, daemon=True)
        thread.start()
        self._run(stop)
        if self._has_ended:
            return  # nothing stops the main stream of a recording but its own end
        thread.join()

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._await_publisher(stop)
                self._read_once(stop)
            except PublisherGone as gone:
                self._why_waiting = gone.reason
            except SourceEnded as end:
                if self._finish(end):
                    return
                pause(_LOOP_MIN_S, clock=self._clock, stop=stop)
            except _GoOver as better:
                self._go_over(better.change)
            except SourceError as error:
                change = self._carrier.failed(error, now_s=self._clock.monotonic_s())
                if change is None:
                    self._status.advise(self._carrier.advice)
                    self._back_off(error, stop)
                else:
                    self._go_over(change)
            except Exception as error:  # noqa: BLE001  # loop boundary: one camera's fault is its own
                self._back_off(self._unexpected(error), stop)
            finally:
                self._ring.end_run()
                self._live.feed.end()

    def _await_publisher(self, stop: threading.Event) -> None:
        """Wait until somebody publishes to a camera that does not call us, but we it."""
        if self._camera.source.source_type is not SourceType.WEBRTC:
            return
        self._status.is_out(Phase.WAITING, cause=self._why_waiting)
        while not stop.is_set() and not self._live.intake.wait(timeout_s=_PUBLISHER_LOOK_S):
            continue

    def _read_once(self, stop: threading.Event) -> None:
        """Read one connection to its end."""
        self._status.connecting()
        self._carrier.connecting()
        self._playing = self._playlist.now()
        source = replace(self._playing.source, transport=self._carrier.transport)
        opened = open_source(
            replace(self._playing, source=source),
            self._settings,
            on_answer=self._status.answered,
            intake=self._live.intake,
        )
        try:
            self._status.opened()
            self._carrier.opened(now_s=self._clock.monotonic_s())
            reader = StreamReader(
                opened,
                camera_id=self._camera.camera_id,
                has_audio=self._camera.keeps_audio,
            )
            reader.on_audio = self._ring.add_audio
            reader.takes = self._thinning.takes
            self._thinning.begin(is_ordered=not reader.stream.codec_context.has_b_frames)
            pace = _Pace(
                is_live=opened.is_live,
                pacer=Pacer() if self._is_paced(opened) else None,
            )
            self._read(reader, pace, stop)
        finally:
            opened.close()

    def _is_paced(self, opened: OpenedStream) -> bool:
        """Whether frames come faster than they are to be shown."""
        return opened.comes_in_bursts or (self._camera.source.is_paced and not opened.is_live)

    def _read(self, reader: StreamReader, pace: _Pace, stop: threading.Event) -> None:
        framer = Framer(
            self._camera,
            frame_interval_s=reader.frame_interval_s,
            starts_at=self._clock.now() if pace.is_as_fast_as_possible else None,
            is_on_trial=self._fell_behind,
            in_planes=True,
        )
        template = ClipTemplate(reader.stream, reader.audio)
        self._live.feed.begin(reader.stream)
        try:
            self._read_units(reader, pace, stop, framer, template)
        finally:
            self._fell_behind = not framer.is_punctual
            self._queue(framer.release())

    def _read_units(
        self,
        reader: StreamReader,
        pace: _Pace,
        stop: threading.Event,
        framer: Framer,
        template: ClipTemplate,
    ) -> None:
        in_force = self._mask
        for unit in reader.units():
            shown: list[DecodedFrame] = []
            for decoded in unit.frames:
                if pace.pacer is not None:
                    wait_s = pace.pacer.wait_s(decoded.stream_s, now_s=self._clock.monotonic_s())
                    pause(wait_s, clock=self._clock, stop=stop)
                if stop.is_set():
                    return
                if self._mask is not in_force:
                    in_force = self._mask
                    framer.begin_anew()  # a mask is no thing that somebody has left there
                shown.append(covered(decoded, in_force))
                self._take(shown[-1], framer, reader)
            frames = tuple(shown)
            self._keep(
                unit if frames == unit.frames else replace(unit, frames=frames), framer, template
            )
            if stop.is_set():
                return
            self._judge_carrier(unit, framer, reader)

    def _judge_carrier(self, unit: StreamUnit, framer: Framer, reader: StreamReader) -> None:
        """End this connection if another carrier would do better. Raises _GoOver."""
        if unit.packet is None:
            return
        change = self._carrier.note(
            Brought(
                pictures=len(unit.frames) + unit.corrupt,
                damaged=sum(frame.is_patched for frame in unit.frames) + unit.corrupt,
                lost_total=reader.lost,
                waiting=reader.waiting,
                is_punctual=framer.is_punctual,
                is_thinned=self._thinning.is_on,
            ),
            now_s=self._clock.monotonic_s(),
        )
        if change is not None:
            raise _GoOver(change)

    def _go_over(self, change: Changeover) -> None:
        self._status.goes_over(change)
        self._status.advise(self._carrier.advice)

    def _take(self, decoded: DecodedFrame, framer: Framer, reader: StreamReader) -> None:
        """Bring one picture into the queue, or leave it out and count it."""
        camera_id = self._camera.camera_id
        arrival = Arrival.now(self._clock, sent_at=decoded.sent_at)
        skipped, late = framer.skipped, framer.late
        self._queue(framer.add(decoded, arrival=arrival))
        self._thinning.look(late_s=framer.late_s, waiting=reader.waiting, now_s=arrival.monotonic_s)
        self._reconnect.went_live(now_s=arrival.monotonic_s)
        if framer.skipped > skipped:
            self._writer.count_unqueued(camera_id, skipped=1)
            self._skipped_count.inc()
        if framer.late > late:
            self._writer.count_unqueued(camera_id, skipped=1)
            FRAMES_DROPPED.labels(camera_id, "late").inc()
        self._status.decoded(
            Seen(
                captured_at=framer.last_captured_at or self._clock.now(),
                width=decoded.picture.width,
                height=decoded.picture.height,
                is_patched=decoded.is_patched,
                codec=reader.codec,
                run_id=framer.run_id,
                delay=Delay(
                    late_s=framer.late_s,
                    is_held_back=not framer.is_punctual,
                    waiting=reader.waiting,
                    is_thinned=self._thinning.is_on,
                ),
            )
        )

    def _queue(self, frames: Iterable[FreshFrame]) -> None:
        for frame in frames:
            self._writer.put(frame)
            FRAMES.labels(self._camera.camera_id).inc()

    def _keep(self, unit: StreamUnit, framer: Framer, template: ClipTemplate) -> None:
        """Put the packet into the clip ring, and count what was damaged."""
        if framer.run_id != self._run_id:
            self._run_id = framer.run_id
            self._ring.begin_run(framer.run_id, template)
        if framer.zero_at is not None:
            self._ring.anchor(framer.zero_at)
        if unit.packet is not None:
            self._status.packet()
            packet = unit.packet
            if framer.is_by_arrival:  # its pictures are placed so, and a clip is cut by their times
                packet = replace(packet, stream_s=self._clock.monotonic_s())
            self._ring.add(packet)
            if self._thinning.is_on and not packet.is_key:
                UNDECODED.labels(self._camera.camera_id).inc()
        self._show_live(unit, is_punctual=framer.is_punctual)
        if unit.corrupt:
            self._status.corrupt(unit.corrupt)
            self._writer.count_unqueued(self._camera.camera_id, corrupt=unit.corrupt)
            FRAMES_DROPPED.labels(self._camera.camera_id, "corrupt").inc(unit.corrupt)

    def _show_live(self, unit: StreamUnit, *, is_punctual: bool) -> None:
        """Pass on to who watches live what shows what is; after a gap from a key frame on."""
        is_key = unit.packet is not None and unit.packet.is_key
        self._is_live_cut = not is_punctual or (self._is_live_cut and not is_key)
        if not self._is_live_cut:
            self._live.feed.add(unit)

    def _finish(self, end: SourceEnded) -> bool:
        """Take note of a recording's end; False if it begins again."""
        if self._playlist.went_through(self._playing) or self._camera.source.is_looped:
            return False
        log.info("recording read to its end", camera_id=self._camera.camera_id, found=end.reason)
        self._has_ended = True
        self._status.is_out(Phase.ENDED, cause=end.reason)
        return True

    def _back_off(self, error: SourceError, stop: threading.Event) -> None:
        wait_s = self._reconnect.wait_after(error, now_s=self._clock.monotonic_s())
        phase = Phase.FAILED_AUTH if isinstance(error, CredentialsRefused) else Phase.BACK_OFF
        log.warning(
            "camera cannot be read, trying again later",
            camera_id=self._camera.camera_id,
            reason=error.reason,
            is_refused=isinstance(error, SourceRejected),
            failures=self._reconnect.failures,
            wait_s=round(wait_s, 1),
        )
        self._status.is_out(phase, cause=f"{error.reason}; trying again in {wait_s:.0f} s")
        pause(wait_s, clock=self._clock, stop=stop)

    def _unexpected(self, error: Exception) -> SourceUnavailable:
        """Log what nobody foresaw, without its text: that may hold the camera's URL."""
        LOOP_ERRORS.labels("camera").inc()
        places = [
            f"{place.filename}:{place.lineno}"
            for place in traceback.extract_tb(error.__traceback__)
        ]
        log.error(
            "camera loop failed unexpectedly",
            camera_id=self._camera.camera_id,
            error=type(error).__name__,
            places=places[-4:],
        )
        return SourceUnavailable(
            self._camera.camera_id, f"internal error ({type(error).__name__}), see the log"
        )
