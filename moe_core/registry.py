"""Which reasoner is at work: the program, or the trained core where it is chosen."""

from pathlib import Path
from typing import Final

import structlog

from contracts.clock import Clock
from contracts.errors import ModelError
from contracts.settings import ReasoningSettings
from moe_core.engine import Reasoner
from moe_core.program import PROGRAM, ProgramReasoner

log = structlog.get_logger()

SHIPPED: Final = Path(__file__).parent / "weights" / "core.safetensors"


def open_reasoner(settings: ReasoningSettings, *, clock: Clock) -> Reasoner:
    """Return the reasoner that the settings name.

    ``program`` is the deterministic one; ``core`` is the trained one with the weights that ship;
    anything else is the path of weights. Weights that cannot be read are said so in the log, and
    the program reasons: an alert is never held up by a model.
    """
    if settings.reasoner == PROGRAM:
        return ProgramReasoner(clock)
    path = SHIPPED if settings.reasoner == "core" else Path(settings.reasoner)
    try:
        return _trained(path, settings, clock)
    except ModelError as error:
        log.error("the trained core cannot be read, the program reasons", cause=str(error))  # noqa: TRY400  # the cause is in the file, not in this stack
        return ProgramReasoner(clock)


def _trained(path: Path, settings: ReasoningSettings, clock: Clock) -> Reasoner:
    # Torch takes a second to load, which the program needs not wait for.
    from moe_core.core_reasoner import CoreReasoner  # noqa: PLC0415
    from moe_core.model.weights import read_core  # noqa: PLC0415

    return CoreReasoner(read_core(path), clock, deadline_s=settings.deadline_s / 2)
