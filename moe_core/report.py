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
from moe_core.shipped import CORE, beside

_LARGEST_HEADER: Final = 16 * 2**20
_REMEDY: Final = "fetch it again, or set reasoning.reasoner to 'program'"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonerReport:
    """Who reasons.

    Attributes:
        reasoner: ``program`` or ``core``.
        path, sha256: Of the weights; empty for the program, which has none.
        kinds: Rule kinds that the core was trained on; on others the program reasons.
        trust_sha256: Of what judges its beliefs; empty where nothing does.
        floors: What must be thought of a claim's truth at least to tell it, by what the claim is
            for: by its trust where there is one, else by itself.
        calibration: From its logit, or the log-odds by its trust, to a confidence.
        layers: How experts were used on cameras that it was not trained on; empty if the weights
            do not say.
    """

    reasoner: str
    path: str = ""
    sha256: str = ""
    kinds: tuple[str, ...] = ()
    trust_sha256: str = ""
    floors: dict[str, float] = field(default_factory=dict)
    calibration: dict[str, float] = field(default_factory=dict)
    layers: tuple[ExpertUse, ...] = ()


class _Header(msgspec.Struct):
    kinds: tuple[str, ...]
    floors: dict[str, float]
    calibration: dict[str, float]
    experts: tuple[ExpertUse, ...] = ()


class _TrustHeader(msgspec.Struct):
    floors: dict[str, float]
    finding: dict[str, float]


def report(settings: ReasoningSettings) -> ReasonerReport:
    """Return what is known of the reasoner that the settings name.

    Raises:
        ModelError: The weights cannot be read; the message says why.
    """
    path = weights_of(settings)
    if path is None:
        return ReasonerReport(reasoner=PROGRAM)
    trusts = beside(path)
    try:
        content = path.read_bytes()
        header = msgspec.json.decode(_text(content, "core"), type=_Header)
        trusted = trusts.read_bytes() if trusts.exists() else b""
        trust = msgspec.json.decode(_text(trusted, "trust"), type=_TrustHeader) if trusted else None
    except (OSError, ValueError, KeyError, msgspec.MsgspecError) as error:
        raise ModelError(
            f"{path}: not readable as weights of the core: {error}; {_REMEDY}"
        ) from error
    return ReasonerReport(
        reasoner=CORE,
        path=str(path),
        sha256=hashlib.sha256(content).hexdigest(),
        kinds=header.kinds,
        trust_sha256=hashlib.sha256(trusted).hexdigest() if trusted else "",
        floors=header.floors if trust is None else trust.floors,
        calibration=header.calibration if trust is None else trust.finding,
        layers=header.experts,
    )


def _text(content: bytes, name: str) -> str:
    """Return our own part of a safetensors header: eight bytes of length, then JSON."""
    size = int.from_bytes(content[:8], "little")
    if not 0 < size <= min(_LARGEST_HEADER, len(content) - 8):
        raise ValueError(f"its header would be {size} bytes long, the file has {len(content)}")
    return str(json.loads(content[8 : 8 + size])["__metadata__"][name])
