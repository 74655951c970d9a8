"""What is kept of each thing between frames, and when too much changed at once to be things."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.geometry import Box
from vision.cues.cuts import Cuts
from vision.cues.ground import Ground
from vision.cues.places import Place
from vision.cues.regions import RegionLife

MOST_AT_ONCE: Final = 2
"""If more things change in the same moment, it is the view that changed: a cut, a jolt."""
AT_ONCE_S: Final = 0.5
MOST_LATELY: Final = 5
"""... and if more change within ``LATELY_S``, the view goes on changing."""
LATELY_S: Final = 10.0


@dataclass(slots=True, kw_only=True, eq=False)
class Left:
    """A thing as it is followed."""

    life: RegionLife
    place: Place
    owner_id: str | None
    is_moved: bool = False
    empty_since_s: float | None = None
    is_seen: bool = True


@dataclass(slots=True, kw_only=True, eq=False)
class Taken:
    """A removal as it is followed.

    Attributes:
        picture_hw3: Shows the thing in its place.
        is_of_ground: It had been there since the picture was first seen: it belonged there.
        settled_s: When it was clear that nobody puts it down again in the picture.
    """

    life: RegionLife
    place: Place
    picture_hw3: npt.NDArray[np.uint8]
    there_s: float
    taker_id: str | None
    is_by_owner: bool
    is_of_ground: bool
    found_s: float
    settled_s: float | None = None


@dataclass(slots=True)
class ThingState:
    """All that depends on the size of the picture."""

    ground: Ground
    cuts: Cuts = field(default_factory=Cuts)
    things: list[Left] = field(default_factory=list)
    removals: list[Taken] = field(default_factory=list)
    past: list[Taken] = field(default_factory=list)
    changes: deque[tuple[float, Box]] = field(default_factory=deque)
    """When and where something was put or taken lately, true or not."""

    def all(self) -> "list[Left | Taken]":
        """Return all that is followed."""
        return [*self.things, *self.removals]

    def doers(self) -> set[str]:
        """Return the ids of those who left or took what is followed."""
        names = {left.owner_id for left in self.things}
        names |= {taken.taker_id for taken in self.removals}
        return {name for name in names if name is not None}

    def drop_bursts(self, now_s: float) -> list["Left | Taken"]:
        """Give up what changed together with too much else; return it."""
        while self.changes and now_s - self.changes[0][0] > LATELY_S:
            self.changes.popleft()
        dropped = [one for one in self.all() if self._is_of_burst(one.life, now_s)]
        for one in dropped:
            self.ground.absorb(one.place.window, one.place.mask_hw)
        self.things = [left for left in self.things if left not in dropped]
        self.removals = [taken for taken in self.removals if taken not in dropped]
        return dropped

    def _is_of_burst(self, life: RegionLife, now_s: float) -> bool:
        is_unsteady = len(self.changes) > MOST_LATELY and now_s - life.since_s <= LATELY_S
        together = sum(abs(at_s - life.since_s) <= AT_ONCE_S for at_s, _ in self.changes)
        return together > MOST_AT_ONCE or is_unsteady
