"""What the API tells of the reasoner."""

from pydantic import Field

from api.schemas import Answer
from moe_core.report import ReasonerReport


class ExpertLayer(Answer):
    """How the experts of one layer share work, on cameras that were not trained on."""

    max_violation: float = Field(description="How far the busiest is above the mean, as a share")
    shared_information: float = Field(description="Of expert and kind of rule, 0..1 (NMI)")
    asked: dict[str, list[float]] = Field(
        description="By kind of rule: the share of what was asked that each expert got"
    )


class ReasonerAnswer(Answer):
    """Who reasons, and what it was trained on."""

    reasoner: str = Field(description="'program' or 'core'")
    model_sha256: str = Field(description="Of the weights; empty for the program")
    kinds: list[str] = Field(description="Kinds of rules that it was trained on")
    floors: dict[str, float]
    calibration: dict[str, float]
    layers: list[ExpertLayer]
    problem: str = Field("", description="Why the program reasons where a core was chosen")

    @classmethod
    def unreadable(cls) -> "ReasonerAnswer":
        """Return what is told where the chosen weights cannot be read."""
        return cls(
            reasoner="program", model_sha256="", kinds=[], floors={}, calibration={}, layers=[],
            problem="the weights that the settings name cannot be read; 'vigil doctor' says why",
        )  # fmt: skip

    @classmethod
    def of(cls, found: ReasonerReport) -> "ReasonerAnswer":
        """Return a report as it is sent; where the weights lie is nobody's business."""
        return cls(
            reasoner=found.reasoner,
            model_sha256=found.sha256,
            kinds=list(found.kinds),
            floors=found.floors,
            calibration=found.calibration,
            layers=[
                ExpertLayer(
                    max_violation=layer.max_violation,
                    shared_information=layer.shared_information,
                    asked={kind: list(shares) for kind, shares in layer.asked.items()},
                )
                for layer in found.layers
            ],
        )
