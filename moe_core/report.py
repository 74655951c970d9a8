"""What is known of the reasoner that is at work: what it was trained on and how it divides work.

Only the header of the weights is read, so that nothing here needs torch.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Final

import msgspec

from contracts.errors import ModelError
from contracts.settings import ReasoningSettings
from moe_core.model.expert_use import ExpertUse
from moe_core.program import PROGRAM
from moe_core.registry import weights_of
from moe_core.shipped import CORE

_LARGEST_HEADER: Final = 16 * 2**20
_REMEDY: Final = "fetch it again, or set reasoning.reasoner to 'program'"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonerReport:
    """Who reasons.

    Attributes:
        reasoner: ``program`` or ``core``.
        path, sha256: Of the weights; empty for the program, which has none.
        kinds: Rule kinds that the core was trained on; on others the program reasons.
        floors: What it must think of a claim's truth at least to tell it, by what the claim is for.
        calibration: From its logit to a confidence.
        layers: How experts were used on cameras that it was not trained on; empty if the weights
            do not say.
    """

    reasoner: str
    path: str = ""
    sha256: str = ""
    kinds: tuple[str, ...] = ()
    floors: dict[str, float] = field(default_factory=dict)
    calibration: dict[str, float] = field(default_factory=dict)
    layers: tuple[ExpertUse, ...] = ()


class _Header(msgspec.Struct):
    kinds: tuple[str, ...]
    floors: dict[str, float]
    calibration: dict[str, float]
    experts: tuple[ExpertUse, ...] = ()


def report(settings: ReasoningSettings) -> ReasonerReport:
    """Return what is known of the reasoner that the settings name.

    Raises:
        ModelError: The weights cannot be read; the message says why.
    """
    path = weights_of(settings)
    if path is None:
        return ReasonerReport(reasoner=PROGRAM)
    try:
        content = path.read_bytes()
        header = msgspec.json.decode(_text(content), type=_Header)
    except (OSError, ValueError, KeyError, msgspec.MsgspecError) as error:
        raise ModelError(
            f"{path}: not readable as weights of the core: {error}; {_REMEDY}"
        ) from error
    return ReasonerReport(
        reasoner=CORE,
        path=str(path),
        sha256=hashlib.sha256(content).hexdigest(),
        kinds=header.kinds,
        floors=header.floors,
        calibration=header.calibration,
        layers=header.experts,
    )


def _text(content: bytes) -> str:
    """Return the core's own part of a safetensors header: eight bytes of length, then JSON."""
    size = int.from_bytes(content[:8], "little")
    if not 0 < size <= min(_LARGEST_HEADER, len(content) - 8):
        raise ValueError(f"its header would be {size} bytes long, the file has {len(content)}")
    return str(json.loads(content[8 : 8 + size])["__metadata__"]["core"])
