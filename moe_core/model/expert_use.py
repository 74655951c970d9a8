"""How experts were used on cameras that the core was not trained on; kept with its weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertUse:
    """How the experts of one layer were used.

    Attributes:
        max_violation: By how much the busiest exceeds the mean, as a share of it (MaxVio).
        shared_information: Of expert and rule family, normalised, 0..1 (NMI).
        asked: For each kind of rule, the share of what was asked that each expert got; sums to 1.
    """

    max_violation: float
    shared_information: float
    asked: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def most_asked(self, kind: str, count: int) -> tuple[tuple[int, float], ...]:
        """Return the experts that a kind asks most, with their shares, the busiest first."""
        shares = self.asked.get(kind, ())
        order = sorted(range(len(shares)), key=lambda expert: -shares[expert])
        return tuple((expert, shares[expert]) for expert in order[:count])
