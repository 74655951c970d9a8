"""What a pipeline makes of a frame: begun while it waits for the detector, then a result."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from contracts.cameras import CameraView
from contracts.frames import EncodedFrame, Frame, FrameOutcome
from contracts.incidents import ClipRequest, Incident
from contracts.queues import LiveBox, LivePicture
from contracts.tracks import Track
from vision.drawing import doubles
from vision.motion_gate import Motion
from vision.rules.rule import is_seen_now


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadFrame:
    """A frame of which it is known what moves in it.

    Attributes:
        frame: As it came.
        small: Decoded at a part of its size.
        motion: What moved in it.
        timings: Seconds by stage so far.
    """

    frame: EncodedFrame
    small: Frame
    motion: Motion
    timings: dict[str, float]


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
    live: LivePicture | None = None
    tracks: Sequence[Track] | None = None
    timings: Mapping[str, float] = field(default_factory=dict)


def live_picture(
    frame: EncodedFrame,
    tracks: Sequence[Track],
    *,
    alerting: Collection[str],
    view: CameraView,
) -> LivePicture:
    """Return a frame for dashboards, with what is seen in it now.

    Args:
        frame: As it came.
        tracks: All that are alive.
        alerting: Ids of those that belong to open incidents.
        view: Whether the camera sees.
    """
    seen = [track for track in tracks if is_seen_now(track, frame.header)]
    hidden = doubles({track.track_id: track.last.box for track in seen}, alerting=alerting)
    return LivePicture(
        header=frame.header,
        jpeg=frame.jpeg,
        boxes=tuple(
            LiveBox(
                track_id=track.track_id,
                label=track.label,
                box=track.last.box,
                is_alerting=track.track_id in alerting,
            )
            for track in seen
            if track.track_id not in hidden
        ),
        view=view,
    )
