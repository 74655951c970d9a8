"""What cues say of one frame, as rules read it: things that were left and taken, flames, smoke."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from contracts.geometry import Box, gap
from contracts.tracks import Track

HIDES: Final = 0.5
"""Likelihood from which smoke is taken to hide what is behind it,"""
DRIFTS: Final = 0.08
"""... and so far beside it in picture units: its border is too thin to be seen for sure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A thing that stands where nothing stood.

    Attributes:
        track: The region; it began when the thing appeared.
        owner: Who was in reach when it appeared, as last seen; None if nobody was.
        owner_distance: From him to it when he was last seen, in his body heights.
        is_owner_seen: He is seen in this frame.
        nearest: Body heights to the nearest person who is seen in this frame; inf if nobody is.
        is_moved: It stood elsewhere in the picture before.
    """

    track: Track
    owner: Track | None = None
    owner_distance: float = 0.0
    is_owner_seen: bool = False
    nearest: float = float("inf")
    is_moved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A thing that is not where it was any more.

    Attributes:
        track: The region: the empty place, from when it was empty.
        there_s: For how long the thing was known to be there.
        taker: Who was in reach when it went, as last seen; None if nobody was.
        is_by_owner: ... and he had left it there himself.
        is_settled: Nobody is carrying it to another place in the picture.
    """

    track: Track
    there_s: float
    taker: Track | None = None
    is_by_owner: bool = False
    is_settled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingsSeen:
    """What there is of things in one frame."""

    things: tuple[Thing, ...] = ()
    removals: tuple[Removal, ...] = ()

    def regions(self) -> Iterator[Track]:
        """Yield the regions of all, ended ones in the frame of their end."""
        for thing in self.things:
            yield thing.track
        for removal in self.removals:
            yield removal.track

    def remembered(self) -> Iterator[Track]:
        """Yield those who left or took something, as they were last seen."""
        for thing in self.things:
            if thing.owner is not None:
                yield thing.owner
        for removal in self.removals:
            if removal.taker is not None:
                yield removal.taker


@dataclass(frozen=True, slots=True, kw_only=True)
class Flame:
    """A place that flickers as fire does.

    Attributes:
        track: The region.
        flicker: Share (0..1) of the last frames in which its pixels changed.
        is_blinking: It changes as a whole, as a lamp does, and no fire.
    """

    track: Track
    flicker: float
    is_blinking: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FlamesSeen:
    """What there is of fire in one frame."""

    flames: tuple[Flame, ...] = ()

    def regions(self) -> Iterator[Track]:
        """Yield the regions of all, ended ones in the frame of their end."""
        for flame in self.flames:
            yield flame.track


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoke:
    """A place where something grey veils what is behind it, as smoke does.

    Attributes:
        track: The region; it began when the veil did.
        likelihood: Of the next look at it to look like smoke in all respects, by the last looks.
        sigma: Of that.
        kept: Share (0..1) of the detail behind it that is still to be seen.
        grown: How many times as large as when it was found it has become, at its largest.
        is_at_foot: It still hangs where it was found; a puff that drifts away does not.
    """

    track: Track
    likelihood: float
    sigma: float
    kept: float
    grown: float = 1.0
    is_at_foot: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeSeen:
    """What there is of smoke in one frame."""

    smoke: tuple[Smoke, ...] = ()

    def hides(self, box: Box) -> bool:
        """Say whether smoke hangs before a place or right beside it, more likely than not."""
        return any(
            gap(one.track.last.box, box) <= DRIFTS for one in self.smoke if one.likelihood > HIDES
        )

    def regions(self) -> Iterator[Track]:
        """Yield the regions of all, ended ones in the frame of their end."""
        for one in self.smoke:
            yield one.track
