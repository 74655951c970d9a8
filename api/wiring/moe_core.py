"""The reasoning stage: incidents in, findings out."""

from api.wiring.context import Part, StageContext
from moe_core.engine import ReasoningEngine
from moe_core.program import ProgramReasoner


def build(context: StageContext) -> list[Part]:
    """Return the stage's parts."""
    engine = ReasoningEngine(
        context.work_queue("reason"),
        reasoner=ProgramReasoner(context.clock),
        clock=context.clock,
    )
    return [("reasoning", engine.run)]
