"""What one publisher sends, on its way from the network to the loop that reads the camera."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.clock import Clock
from ingest.sources.audio import AudioPacket
from ingest.sources.opus import OPUS_TICKS_PER_S, opus_duration_s
from ingest.webrtc.rtp_times import RtpTimes, SoundTimes

_KEY_EVERY_S: Final = 4.0
"""Publishers send key frames when asked only; clips and viewers begin at one."""
_ASK_EVERY_S: Final = 0.5
_BACKLOG_MAX: Final = 300
"""Pictures; more means that nobody reads, or not as fast as they come."""
_SILENT_S: Final = 3.0
"""A publisher that sent nothing for this long may be replaced by another."""
_SOUNDS_MAX: Final = 512
"""Packets between two pictures, 10 s of most; then the oldest go."""
TICKS_PER_S: Final = 90_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PublishedPicture:
    """One encoded picture.

    Attributes:
        codec: ``h264`` or ``vp8``.
        ticks: Unwrapped RTP time, 90 kHz.
        sounds: What was heard since the picture before.
    """

    codec: str
    content: bytes
    ticks: int
    is_key: bool
    sounds: tuple[AudioPacket, ...] = ()


class Publication:
    """What one publisher sends. Pictures are taken once, in order, beginning with a key frame.

    Safe to use from several threads.

    Attributes:
        has_begun: Whether a key frame has come.
        has_sound: Whether the publisher was asked for its sound.

    Args:
        ask: Asks the publisher for a key frame; called from any thread.
        clock: For silence and for how often to ask.
        has_sound: See above.
    """

    def __init__(self, ask: Callable[[], None], *, clock: Clock, has_sound: bool = False) -> None:
        self.has_sound = has_sound
        self._ask = ask
        self._clock = clock
        self._changed = threading.Condition()
        self.has_begun = False
        self._say_begun: Callable[[], None] = _nothing
        self._pictures: deque[PublishedPicture] = deque()
        self._is_waiting_for_key = True
        self._cause = ""
        self._times = RtpTimes(TICKS_PER_S)
        self._sound_times = SoundTimes(self._times, ticks_per_s=OPUS_TICKS_PER_S)
        self._sounds: deque[AudioPacket] = deque(maxlen=_SOUNDS_MAX)
        now_s = clock.monotonic_s()
        self._heard_s = self._key_s = now_s
        self._asked_s = now_s - _ASK_EVERY_S

    @property
    def cause(self) -> str:
        """Why it is over; empty while it is not."""
        return self._cause

    @property
    def silent_s(self) -> float:
        """Seconds since a picture came, or since it began."""
        return self._clock.monotonic_s() - self._heard_s

    @property
    def is_replaceable(self) -> bool:
        """Whether it is over, or nothing has come for so long that it is as good as over."""
        return bool(self._cause) or self.silent_s > _SILENT_S

    def on_begin(self, say: Callable[[], None]) -> None:
        """Have ``say`` called once, from any thread, when the first key frame comes."""
        self._say_begun = say

    def picture(self, codec: str, content: bytes, ticks: int) -> None:
        """Take in a picture (``encoded_tap.Listener``)."""
        if not content:
            return
        name = codec.lower()
        is_key = is_key_picture(name, content)
        now_s = self._clock.monotonic_s()
        with self._changed:
            self._heard_s = now_s
            picture = PublishedPicture(
                codec=name,
                content=content,
                ticks=self._times.unwrap(ticks),
                is_key=is_key,
                sounds=tuple(self._sounds),
            )
            self._sounds.clear()
            if is_key:
                self._key_s = now_s
                self._is_waiting_for_key = False
            if len(self._pictures) >= _BACKLOG_MAX:
                self._pictures.clear()
                self._is_waiting_for_key = not is_key
            is_useful = not self._is_waiting_for_key
            if is_useful:
                self._pictures.append(picture)
                self._changed.notify_all()
        if is_key and not self.has_begun:
            self.has_begun = True
            self._say_begun()
        if not is_useful or now_s - self._key_s > _KEY_EVERY_S:
            self.ask_for_key_frame()

    def report(self, at: datetime, ticks: int) -> None:
        """Take in a sender report: what the publisher's clock said at an RTP time."""
        with self._changed:
            self._times.report(at, ticks)

    def arrived(self, ticks: int) -> None:
        """Take note that something of a picture has come (``encoded_tap.Listener``)."""
        with self._changed:
            self._times.arrived(ticks, now_s=self._clock.monotonic_s())

    def sound(self, content: bytes, ticks: int) -> None:
        """Take in a packet of sound, in order (``encoded_tap.SoundListener``)."""
        duration_s = opus_duration_s(content)
        if not duration_s:
            return
        with self._changed:
            stream_s = self._sound_times.place(ticks, now_s=self._clock.monotonic_s())
            if stream_s is not None:
                self._sounds.append(
                    AudioPacket(content=content, stream_s=stream_s, duration_s=duration_s)
                )

    def sound_report(self, at: datetime, ticks: int) -> None:
        """Take in a sender report of the sound."""
        with self._changed:
            self._sound_times.own.report(at, ticks)

    def sound_arrived(self, ticks: int) -> None:
        """Take note that a packet of sound has come, maybe out of order."""
        with self._changed:
            self._sound_times.own.arrived(ticks, now_s=self._clock.monotonic_s())

    def sent_at(self, stream_s: float) -> datetime | None:
        """Return when a moment of stream time was by the publisher's clock, if it said."""
        reported = self._times.reported
        if reported is None:
            return None
        at, reported_s = reported
        return at + timedelta(seconds=stream_s - reported_s)

    def ended(self) -> None:
        """Take in the publisher's own end (``encoded_tap.Listener``)."""
        self.end("the publisher ended its session")

    def end(self, cause: str) -> None:
        """Say that nothing more comes and why; the first cause counts."""
        with self._changed:
            self._cause = self._cause or cause
            self._changed.notify_all()

    def ask_for_key_frame(self) -> None:
        """Ask the publisher for a key frame, not more often than twice a second."""
        now_s = self._clock.monotonic_s()
        with self._changed:
            if now_s - self._asked_s < _ASK_EVERY_S:
                return
            self._asked_s = now_s
        self._ask()

    def take(self, *, timeout_s: float) -> PublishedPicture | None:
        """Return the next picture; None if there is none within the time or it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._pictures or self._cause, timeout_s)
            return self._pictures.popleft() if self._pictures else None

    def skip_to_key(self) -> None:
        """Forget what has not been taken up to the newest key frame: a reader begins."""
        with self._changed:
            keys = [at for at, picture in enumerate(self._pictures) if picture.is_key]
            for _ in range(keys[-1] if keys else len(self._pictures)):
                self._pictures.popleft()
            self._is_waiting_for_key = not keys
        if not keys:
            self.ask_for_key_frame()


class Intake:
    """Where a camera's publisher comes in; outlives each of them. Safe to use from threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._current: Publication | None = None

    @property
    def current(self) -> Publication | None:
        """The publication under way."""
        current = self._current
        return None if current is None or current.cause else current

    def begin(self, publication: Publication) -> bool:
        """Take a new publication; False if another one is under way and not silent."""
        with self._changed:
            current = self.current
            if current is not None and not current.is_replaceable:
                return False
            self._current = publication
        publication.on_begin(self._notify)
        if current is not None:
            current.end("another publisher took over after a silence")
        return True

    def wait(self, *, timeout_s: float) -> bool:
        """Wait for a publication whose first key frame is here; False if there is none in time."""
        with self._changed:
            return self._changed.wait_for(self._has_begun, timeout_s)

    def _has_begun(self) -> bool:
        current = self.current
        return current is not None and current.has_begun

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _nothing() -> None:
    """Nobody wants to hear of it yet."""


def is_key_picture(codec: str, content: bytes) -> bool:
    """Say whether an encoded picture can be decoded without another.

    Source: RFC 6386, 9.1 (VP8: the first bit of the frame tag); H.264, table 7-1 (an IDR slice).
    """
    if codec == "vp8":
        return not content[0] & 1
    return 5 in nal_types(content)


def nal_types(content: bytes) -> set[int]:
    """Return the types of the NAL units of an H.264 picture in Annex B form."""
    found: set[int] = set()
    at = content.find(b"\x00\x00\x01")
    while 0 <= at < len(content) - 3:
        kind = content[at + 3] & 0x1F
        found.add(kind)
        if kind in (1, 5):  # slices come last and are long; there is no need to search them
            break
        at = content.find(b"\x00\x00\x01", at + 3)
    return found
