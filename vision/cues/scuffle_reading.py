"""What the cue ``scuffle`` has to say."""

from dataclasses import dataclass
from typing import NamedTuple

from contracts.tracks import Track, TrackState


class Likelihood(NamedTuple):
    """Calibrated likelihood of a fight where half of all scenes are fights, and its sigma."""

    value: float
    sigma: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scuffle:
    """A place where people may be fighting, as of one frame.

    Attributes:
        region: Where; its points are where it stirred.
        likelihood: Of a fight over the last two seconds; of the newest frame that was compared.
        people: Ids of the tracks that take part, objects without a name included.
    """

    region: Track
    likelihood: Likelihood
    people: tuple[str, ...]

    @property
    def is_over(self) -> bool:
        """Whether this is its last frame."""
        return self.region.state is TrackState.ENDED
