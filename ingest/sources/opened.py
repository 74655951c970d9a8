"""What every source gives: an opened container that the shared decoding path reads."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from av.container import InputContainer

from ingest.sources.audio import SideSound


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpenedStream:
    """A source that answered.

    Attributes:
        container: With at least one video stream; nothing has been read from it yet.
        close: Ends it and frees what it holds (a socket, an encoding thread). Safe to call
            twice; to be called by the thread that reads, which libav requires.
        is_live: Whether its packets arrive at the source's own speed. Where they do not (a file)
            the reader paces them, if the camera asks for that.
        read_timeout_s: Silence after which ``container`` gives up reading.
        has_clock: Whether its timestamps are those of the camera; where they are not (MJPEG has
            none) the time of arrival is taken.
        comes_in_bursts: Live, but seconds at a time (HLS): shown at the stream's own pace.
        before_packet: Called before each read, to begin its deadline.
        sent_at: When a moment of stream time was by the sender's own clock, where ``container``
            does not carry what RTCP sender reports said.
        sound: Its sound, where that does not come in ``container``.
        lost: Returns how many packets were lost on the way so far, where that is known.
    """

    container: InputContainer
    close: Callable[[], None]
    is_live: bool
    read_timeout_s: float = math.inf
    has_clock: bool = True
    comes_in_bursts: bool = False
    before_packet: Callable[[], None] | None = None
    sent_at: Callable[[float], datetime | None] | None = None
    sound: SideSound | None = None
    lost: Callable[[], int] | None = None
