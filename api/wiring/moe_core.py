"""The reasoning stage: incidents in, findings out."""

from api.wiring.context import Part, StageContext
from moe_core.engine import ReasoningEngine
from moe_core.registry import open_reasoner


def build(context: StageContext) -> list[Part]:
    """Return the stage's parts."""
    engine = ReasoningEngine(
        context.work_queue("reason"),
        reasoner=open_reasoner(context.settings.reasoning, clock=context.clock),
        clock=context.clock,
    )
    return [("reasoning", engine.run)]
