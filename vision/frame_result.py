"""What a pipeline makes of a frame: begun while it waits for the detector, then a result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from contracts.frames import Frame, FrameHeader, FrameOutcome
from contracts.incidents import ClipRequest, Incident
from contracts.tracks import Track
from vision.live import LiveScene
from vision.motion_gate import Motion
from vision.picture import Picture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadFrame:
    """A frame of which it is known what moves in it.

    Attributes:
        shown: What it shows.
        small: Decoded at a part of its size.
        motion: What moved in it.
        timings: Seconds by stage so far.
    """

    shown: Picture
    small: Frame
    motion: Motion
    timings: dict[str, float]

    @property
    def header(self) -> FrameHeader:
        """The frame's header."""
        return self.shown.header


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BegunFrame(ReadFrame):
    """A frame that the detector has to look at before its pipeline can go on.

    Attributes:
        picture: Decoded whole, for the detector.
    """

    picture: Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameResult:
    """What became of one frame.

    Attributes:
        outcome: How to settle it.
        incidents: To publish, in this order.
        clip_requests: To publish after them.
        live: For dashboards; None if the frame was not understood.
        tracks: As the rules were told of them; None likewise.
        timings: Seconds by stage: ``motion`` with its own small decoding, ``decode`` of the whole
            picture for the detector, ``detect``, ``track``, ``cue``, ``rule``, ``report``.
    """

    outcome: FrameOutcome
    incidents: tuple[Incident, ...] = ()
    clip_requests: tuple[ClipRequest, ...] = ()
    live: LiveScene | None = None
    tracks: Sequence[Track] | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
