"""Where people fought in the last seconds: they knock things over, which nobody has taken."""

from collections import deque
from typing import Final

from contracts.geometry import Box
from contracts.tracks import TrackState
from vision.boxes import share_within
from vision.observation import Observation
from vision.rules.fight import THRESHOLD

REMEMBER_S: Final = 30.0
"""What went is told of once its place has settled, which takes seconds."""
ABOUT_S: Final = 1.0
"""A fight from so long before something went until so long after has to do with it."""
WITHIN: Final = 0.5
"""Share of the thing that lies where people fought."""


class FightsAround:
    """Remembers where and when people surely fought."""

    def __init__(self) -> None:
        self._moments: deque[tuple[float, Box]] = deque()

    def look(self, seen: Observation) -> None:
        """Take in a frame."""
        now_s = seen.header.monotonic_s
        while self._moments and now_s - self._moments[0][0] > REMEMBER_S:
            self._moments.popleft()
        self._moments.extend(
            (now_s, scuffle.region.last.box)
            for scuffle in seen.cues.scuffles
            if scuffle.region.state is TrackState.CONFIRMED
            and scuffle.likelihood.value >= THRESHOLD
        )

    def explain(self, box: Box, *, at_s: float) -> bool:
        """Say whether people fought over a place when what stood there went.

        Args:
            box: Of what went.
            at_s: Stream time at which it went.
        """
        return any(
            abs(moment_s - at_s) <= ABOUT_S and share_within(box, where) >= WITHIN
            for moment_s, where in self._moments
        )
