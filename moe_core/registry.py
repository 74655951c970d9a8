"""Which reasoner is at work: the program, or the trained core where it is chosen."""

from pathlib import Path

import structlog

from contracts.clock import Clock
from contracts.errors import ModelError
from contracts.settings import ReasoningSettings
from moe_core.engine import Reasoner
from moe_core.program import PROGRAM, ProgramReasoner
from moe_core.shipped import CORE, SHIPPED

log = structlog.get_logger()


def open_reasoner(settings: ReasoningSettings, *, clock: Clock) -> Reasoner:
    """Return the reasoner that the settings name.

    ``program`` is the deterministic one; ``core`` is the trained one with the weights that ship;
    anything else is the path of weights. Weights that cannot be read are said so in the log, and
    the program reasons: an alert is never held up by a model.
    """
    path = weights_of(settings)
    if path is None:
        return ProgramReasoner(clock)
    try:
        return _trained(path, settings, clock)
    except ModelError as error:
        log.error("the trained core cannot be read, the program reasons", cause=str(error))  # noqa: TRY400  # the cause is in the file, not in this stack
        return ProgramReasoner(clock)


def weights_of(settings: ReasoningSettings) -> Path | None:
    """Return the weights that the settings name; None for the program, which has none."""
    if settings.reasoner == PROGRAM:
        return None
    return SHIPPED if settings.reasoner == CORE else Path(settings.reasoner)


def describe(settings: ReasoningSettings) -> str:
    """Say who reasons, in a line.

    Raises:
        ModelError: The weights cannot be read; the message says why.
    """
    path = weights_of(settings)
    if path is None:
        return "program: tells all that is measured; its confidence is not calibrated"
    from moe_core.model.weights import read_core  # noqa: PLC0415  # as below

    core = read_core(path)
    return f"core {core.sha256[:8]}, trained on {len(core.kinds)} kinds of rules"


def _trained(path: Path, settings: ReasoningSettings, clock: Clock) -> Reasoner:
    # Torch takes a second to load, which the program needs not wait for.
    import torch  # noqa: PLC0415

    from moe_core.core_reasoner import CoreReasoner  # noqa: PLC0415
    from moe_core.model.weights import read_core  # noqa: PLC0415

    torch.set_num_threads(1)  # two on busy cores wait for each other
    return CoreReasoner(read_core(path), clock, deadline_s=settings.deadline_s / 2)
