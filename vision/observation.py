"""What the rules are told of one frame."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.frames import FrameHeader
from contracts.incidents import RuleEvent
from contracts.tracks import Track
from vision.cues.port import Cues


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One frame as vision understood it, before the rules.

    Attributes:
        header: Of the frame; ``monotonic_s`` never goes back within a run.
        tracks: All snapshots of objects in this frame, tentative and lost ones included.
        cues: What the pixels say besides.
        stated: What the rules before this one have said about the frame.
    """

    header: FrameHeader
    tracks: Sequence[Track]
    cues: Cues = field(default_factory=Cues)
    stated: Sequence[RuleEvent] = ()

    def subjects(self) -> list[Track]:
        """Return all that a rule can speak about: objects, regions, then who is remembered."""
        there = {track.track_id for track in self.tracks}
        remembered = {
            track.track_id: track for track in self.cues.remembered() if track.track_id not in there
        }
        return [*self.tracks, *self.cues.regions(), *remembered.values()]
