"""What a cue looks at, and what all cues together have to say about one frame.

A detector names objects; cues read the rest: whether the camera still sees, what was left behind,
flames, how people move against each other. A cue follows what it sees through time as a region,
which is a track like any other, so that rules, facts, evidence and claims need not know of pixels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from contracts.detections import Detections
from contracts.frames import Frame, FrameHeader
from contracts.tracks import Track
from vision.cues.body import Body
from vision.cues.scuffle_reading import Scuffle
from vision.cues.seen import FlamesSeen, SmokeSeen, ThingsSeen
from vision.cues.tampering import ViewReading
from vision.motion_gate import Motion

ReadingT_co = TypeVar("ReadingT_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Glimpse:
    """One frame as a cue may look at it.

    Attributes:
        small: The frame decoded at a part of its size (a half or less); there for every frame.
        picture: The frame at analysis size; None where the motion gate was shut and nobody looked.
        motion: What the motion gate measured.
        detections: What the detector found; None with ``picture``.
        tracks: All snapshots of this frame.
    """

    small: Frame
    picture: Frame | None
    motion: Motion
    detections: Detections | None
    tracks: Sequence[Track]

    @property
    def header(self) -> FrameHeader:
        """Of the frame."""
        return self.small.header


class Cue(Protocol[ReadingT_co]):
    """Reads one thing from the pictures of one camera's run; made anew with each run."""

    def look(self, glimpse: Glimpse) -> ReadingT_co:
        """Read the next frame. Frames come in order of time; none is shown twice."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cues:
    """What the cues of one camera say about one frame: a field for each cue in ``CueReaders``.

    Attributes:
        bodies: Of people, through changes of posture.
        things: That were left, and that were taken.
        flames: That burn now.
        smoke: That hangs in the air now.
        view: Whether the camera sees what it should.
        scuffles: People who move against each other.
    """

    bodies: tuple[Body, ...] = ()
    things: ThingsSeen = field(default_factory=ThingsSeen)
    flames: FlamesSeen = field(default_factory=FlamesSeen)
    smoke: SmokeSeen = field(default_factory=SmokeSeen)
    view: ViewReading = field(default_factory=ViewReading)
    scuffles: tuple[Scuffle, ...] = ()

    def regions(self) -> Iterator[Track]:
        """Yield all regions that a cue follows now, ended ones in the frame of their end."""
        if self.view.region is not None:
            yield self.view.region
        # Whoever never fell is told of as an object.
        yield from (body.track for body in self.bodies if body.has_fallen)
        yield from self.things.regions()
        yield from self.flames.regions()
        yield from self.smoke.regions()
        yield from (scuffle.region for scuffle in self.scuffles)

    def remembered(self) -> Iterator[Track]:
        """Yield tracks that may have ended and that a cue still speaks of, as last seen."""
        yield from self.things.remembered()
