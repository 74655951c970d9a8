"""Looks at a camera for some seconds and says what it sends, and what to change about it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median
from typing import Final

from contracts.cameras import Camera
from contracts.clock import Clock
from contracts.settings import IngestSettings
from ingest.errors import SourceEnded, SourceError
from ingest.sources.registry import open_source
from ingest.sources.stream import StreamReader, StreamUnit
from ingest.timeline import Arrival, Discontinuity, Timeline

WATCH_S: Final = 8.0
_LARGE_WIDTH: Final = 1280
_KEY_INTERVAL_MAX_S: Final = 4.0
_SKEW_MAX_S: Final = 0.5
_RATE_SLACK: Final = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """What a camera sends.

    Attributes:
        stated_fps: As the stream declares it; 0 if it does not.
        fps: As measured in stream time.
        key_interval_s: Longest time between key frames; None if fewer than two came.
        first_picture_s: From connecting to the first sound picture.
        clock_offset_s: Our clock minus the camera's, least delay included; None if it does not say.
        drift_ppm: By how much its media clock is fast; 0 where that cannot be told.
        corrupt: Damaged pictures.
        advice: What to change, in sentences; empty if nothing.
    """

    codec: str
    width: int
    height: int
    stated_fps: float
    fps: float
    bits_per_second: float
    key_interval_s: float | None
    first_picture_s: float
    watched_s: float
    pictures: int
    corrupt: int
    clock_offset_s: float | None = None
    drift_ppm: float = 0.0
    is_live: bool = True
    advice: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True, eq=False)
class _Look:
    """What has been seen so far."""

    size_bytes: int = 0
    corrupt: int = 0
    width: int = 0
    height: int = 0
    times_s: list[float] = field(default_factory=list)
    packets_s: list[float] = field(default_factory=list)
    keys_s: list[float] = field(default_factory=list)
    first_s: float | None = None

    def take(self, unit: StreamUnit, *, now_s: float) -> None:
        self.corrupt += unit.corrupt
        if unit.packet is not None:
            self.size_bytes += len(unit.packet.content)
            self.packets_s.append(unit.packet.stream_s)
            if unit.packet.is_key:
                self.keys_s.append(unit.packet.stream_s)
        for frame in unit.frames:
            self.width, self.height = frame.picture.width, frame.picture.height
            if self.first_s is None:
                self.first_s = now_s
            if frame.stream_s is not None:
                self.times_s.append(frame.stream_s)

    @property
    def fps(self) -> float:
        steps = [after - before for before, after in pairwise(self.times_s)]
        middle = median([step for step in steps if step > 0] or [0.0])
        return 1.0 / middle if middle else 0.0


def probe(
    camera: Camera, settings: IngestSettings, *, clock: Clock, watch_s: float = WATCH_S
) -> ProbeReport:
    """Connect, watch and report.

    Args:
        camera: Its source; nothing else of it matters.
        settings: Time-outs.
        clock: Of this machine.
        watch_s: How long, at most; a recording is read until then as fast as it can be.

    Raises:
        SourceError: As opening and reading do; the message says why, without secrets.
    """
    began_s = clock.monotonic_s()
    opened = open_source(camera, settings)
    try:
        reader = StreamReader(opened, camera_id=camera.camera_id)
        timeline = Timeline(frame_interval_s=reader.frame_interval_s)
        look = _Look()
        for unit in _until(reader, clock=clock, until_s=began_s + watch_s, look=look):
            look.take(unit, now_s=clock.monotonic_s() - began_s)
            for frame in unit.frames if opened.is_live else ():
                arrival = Arrival.now(clock, sent_at=frame.sent_at)
                placed = timeline.place(frame.stream_s, arrival=arrival)
                if isinstance(placed, Discontinuity):
                    timeline = Timeline(frame_interval_s=reader.frame_interval_s)
        return _report(
            look,
            reader,
            timeline,
            is_live=opened.is_live,
            watched_s=clock.monotonic_s() - began_s,
            wanted_fps=camera.analysis_fps,
        )
    finally:
        opened.close()


def _until(
    reader: StreamReader, *, clock: Clock, until_s: float, look: _Look
) -> Iterator[StreamUnit]:
    """Yield units until it is enough; what ends the stream counts only if nothing came."""
    try:
        for unit in reader.units():
            yield unit
            if clock.monotonic_s() >= until_s and look.times_s:
                return
    except SourceEnded:
        return
    except SourceError:
        if not look.times_s:
            raise


def _report(
    look: _Look,
    reader: StreamReader,
    timeline: Timeline,
    *,
    is_live: bool,
    watched_s: float,
    wanted_fps: float,
) -> ProbeReport:
    length_s = max(look.packets_s) - min(look.packets_s) if look.packets_s else 0.0
    gaps = [after - before for before, after in pairwise(look.keys_s)]
    stated = reader.stream.average_rate
    report = ProbeReport(
        codec=reader.codec,
        width=look.width,
        height=look.height,
        stated_fps=float(stated) if stated else 0.0,
        fps=look.fps,
        bits_per_second=8 * look.size_bytes / length_s if length_s > 0 else 0.0,
        key_interval_s=max(gaps) if gaps else None,
        first_picture_s=look.first_s or 0.0,
        watched_s=watched_s,
        pictures=len(look.times_s),
        corrupt=look.corrupt,
        clock_offset_s=timeline.sender_offset_s,
        drift_ppm=timeline.drift_ppm,
        is_live=is_live,
    )
    return _advised(report, wanted_fps=wanted_fps)


def _advised(report: ProbeReport, *, wanted_fps: float) -> ProbeReport:
    advice: list[str] = []
    if report.is_live and report.width > _LARGE_WIDTH:
        advice.append(
            f"{report.width} x {report.height} costs much to decode: analyse the camera's "
            "sub-stream (about 640 x 360) and name the main stream for evidence"
        )
    if report.is_live and (report.key_interval_s or _KEY_INTERVAL_MAX_S + 1) > _KEY_INTERVAL_MAX_S:
        found = f"{report.key_interval_s:.1f} s" if report.key_interval_s else "not seen"
        advice.append(
            f"key frames are far apart ({found}): set 1 to 2 s in the camera, so that pictures "
            "come sooner after a reconnect and clips begin nearer to what happened"
        )
    if report.fps and report.fps < _RATE_SLACK * wanted_fps:
        advice.append(
            f"it sends {report.fps:.1f} pictures a second, fewer than the {wanted_fps:g} that are "
            "analysed: raise its frame rate"
        )
    if report.stated_fps and report.fps and report.fps < _RATE_SLACK * report.stated_fps:
        advice.append(
            f"it states {report.stated_fps:.0f} pictures a second and sends {report.fps:.1f}: is "
            "it dark, or the network too slow?"
        )
    if report.clock_offset_s is not None and not -0.1 <= report.clock_offset_s <= _SKEW_MAX_S:
        advice.append(
            f"its clock is off by {report.clock_offset_s:+.1f} s: set NTP in the camera; until "
            "then times are taken from the arrival of its pictures"
        )
    if report.corrupt:
        advice.append(f"{report.corrupt} pictures arrived damaged: use TCP, or look at the network")
    if report.codec == "mjpeg":
        advice.append("MJPEG takes ten times the network of H.264 and has no clock: use H.264")
    return replace(report, advice=tuple(advice))
