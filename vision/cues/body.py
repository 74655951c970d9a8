"""One person's body in one frame, as the cue ``vision/cues/bodies.py`` follows it."""

from dataclasses import dataclass
from typing import Final

from contracts.tracks import Track
from vision.descent import Descent
from vision.fall_model import Likelihood, Surroundings

LIKELY: Final = 0.5
"""From this likelihood on a body more likely fell than not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One person's body in one frame.

    Attributes:
        track: Its way as a region, upright and down; ``ENDED`` in the frame of its end.
        descent: How it came down; None while it has not.
        surroundings: What the pictures say about that; None likewise.
        fall: How likely that was a fall; None likewise.
        is_down: It more likely fell than not, and has not come up again.
        has_fallen: It is down, or has been.
    """

    track: Track
    descent: Descent | None = None
    surroundings: Surroundings | None = None
    fall: Likelihood | None = None
    is_down: bool = False
    has_fallen: bool = False
