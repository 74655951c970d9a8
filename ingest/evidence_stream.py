"""The camera's main stream for clips, beside the analysed sub-stream: kept, never decoded."""

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from contracts.cameras import Camera, RtspTransport, SourceType
from contracts.clock import Clock
from contracts.errors import EvidenceMissing
from contracts.geometry import Zone
from contracts.ids import new_id
from contracts.settings import IngestSettings
from ingest.carrier import Carrier
from ingest.clip_ring import ClipRing, Footage
from ingest.clip_template import ClipTemplate
from ingest.errors import SourceEnded, SourceError, SourceUnavailable
from ingest.metrics import LOOP_ERRORS
from ingest.pacing import Pacer, pause
from ingest.reconnect import Reconnect
from ingest.sources.registry import open_source, type_of_url
from ingest.sources.stream import StreamReader
from ingest.timeline import Arrival, Discontinuity, Timeline

log = structlog.get_logger()

_FAULT_WAIT_S: Final = 5.0
_LESS_MAX_S: Final = 1.0
"""The main stream may show so much less of a clip's time than the sub-stream and is still taken:
its key frames lie elsewhere."""


class EvidenceRing(ClipRing):
    """Packets of the analysed stream and, where there is one, of the main stream.

    Clips are cut from the main stream, by time, since its runs are its own. Where it was away for
    some of that time (it broke off, came back, stood still) the analysed one shows more, and they
    are cut from that.

    Attributes:
        main: Filled by ``EvidenceStream``; empty without one.
        is_single: Whether the camera turned out to have no stream beside the analysed one.
    """

    def __init__(self, *, keep_s: float) -> None:
        super().__init__(keep_s=keep_s)
        self.main = ClipRing(keep_s=keep_s)
        self.is_single = False
        self._has_main = False

    @property
    def size_bytes(self) -> int:
        """Encoded bytes held now, of both streams."""
        return super().size_bytes + self.main.size_bytes

    def mask(self, zones: tuple[Zone, ...]) -> None:
        """Cover these zones from now on, of both streams."""
        super().mask(zones)
        self.main.mask(zones)

    def reaches(self, run_id: str, at: datetime) -> bool:
        """Say whether waiting for footage up to ``at`` is over, of both streams."""
        return super().reaches(run_id, at) and self.main.reaches_time(at)

    def cover(self, run_id: str, starts_at: datetime, ends_at: datetime) -> Footage:
        """Return what there is of that time, and of which stream. Raises EvidenceMissing."""
        main: Footage | None = None
        with suppress(EvidenceMissing):
            main = replace(self.main.cover_time(starts_at, ends_at), stream="main")
        try:
            sub = super().cover(run_id, starts_at, ends_at)
        except EvidenceMissing:
            if main is None:
                raise
            return main
        lacking_s = sub.shown_s(starts_at, ends_at)
        lacking_s -= 0.0 if main is None else main.shown_s(starts_at, ends_at)
        if main is not None and lacking_s <= _LESS_MAX_S:
            return main
        return replace(sub, stream="sub" if self._has_main else "")

    def expect_main(self) -> None:
        """Say that a main stream is read, or tried to be, from now on."""
        self.is_single = False
        self._has_main = True

    def tell_single(self) -> None:
        """Say that there is no main stream."""
        self.is_single = True
        self._has_main = False


class EvidenceStream:
    """Reads the main stream into a ring until told to stop; its failures touch nothing else.

    Args:
        camera: Its ``source.evidence_url`` is read.
        ring: Where packets go.
        settings: Time-outs and waits.
        clock: For arrival and waits.
        on_absent: Called if the camera says that it has no such stream.
        carrier: Of the analysed stream, which this one follows if it comes by RTP; None keeps to
            what is set.
    """

    def __init__(
        self,
        camera: Camera,
        *,
        ring: ClipRing,
        settings: IngestSettings,
        clock: Clock,
        on_absent: Callable[[], None] | None = None,
        carrier: Carrier | None = None,
    ) -> None:
        url = camera.source.evidence_url
        source = replace(camera.source, source_type=type_of_url(url), url=url)
        self._camera = replace(camera, source=source)
        self._ring = ring
        self._settings = settings
        self._clock = clock
        chance = random.Random()  # noqa: S311  # jitter, no secret
        self._reconnect = Reconnect(settings, chance=chance)
        self._on_absent = on_absent
        has_carrier = source.source_type in (SourceType.RTSP, SourceType.ONVIF)
        self._carrier = carrier if has_carrier else None
        self._has_opened = False

    def run(self, stop: threading.Event) -> None:
        """Read until ``stop`` is set, or a recording ends."""
        while not stop.is_set():
            try:
                self._read(stop)
            except SourceEnded:
                if self._on_absent is not None and not self._has_opened:
                    self._on_absent()
                return
            except SourceError as error:
                wait_s = self._reconnect.wait_after(error, now_s=self._clock.monotonic_s())
                log.warning(
                    "main stream cannot be read, clips are cut from the analysed one",
                    camera_id=self._camera.camera_id,
                    reason=error.reason,
                    wait_s=round(wait_s, 1),
                )
                pause(wait_s, clock=self._clock, stop=stop)
            except Exception as error:  # noqa: BLE001  # loop boundary; its text may hold the URL
                LOOP_ERRORS.labels("evidence").inc()
                log.error(  # noqa: TRY400  # a trace would hold the text
                    "main stream failed unexpectedly",
                    camera_id=self._camera.camera_id,
                    error=type(error).__name__,
                )
                pause(_FAULT_WAIT_S, clock=self._clock, stop=stop)
            finally:
                self._ring.end_run()

    @property
    def _transport(self) -> RtspTransport:
        return self._camera.source.transport if self._carrier is None else self._carrier.transport

    def _read(self, stop: threading.Event) -> None:
        transport = self._transport
        source = replace(self._camera.source, transport=transport)
        opened = open_source(replace(self._camera, source=source), self._settings)
        self._has_opened = True
        try:
            reader = StreamReader(
                opened,
                camera_id=self._camera.camera_id,
                has_audio=self._camera.keeps_audio,
            )
            reader.on_audio = self._ring.add_audio
            self._ring.begin_run(new_id("main"), ClipTemplate(reader.stream, reader.audio))
            timeline = Timeline(frame_interval_s=reader.frame_interval_s)
            pacer = None if opened.is_live and not opened.comes_in_bursts else Pacer()
            for packet in reader.packets():
                if pacer is not None:
                    wait_s = pacer.wait_s(packet.stream_s, now_s=self._clock.monotonic_s())
                    pause(wait_s, clock=self._clock, stop=stop)
                if stop.is_set() or self._transport is not transport:
                    return
                arrival = Arrival.now(self._clock, sent_at=reader.sent_at(packet.stream_s))
                placed = timeline.place(packet.stream_s, arrival=arrival)
                if isinstance(placed, Discontinuity):
                    raise SourceUnavailable(self._camera.camera_id, placed.message)
                self._reconnect.went_live(now_s=arrival.monotonic_s)
                if timeline.zero_at is not None:
                    self._ring.anchor(timeline.zero_at)
                self._ring.add(packet)
        finally:
            opened.close()
