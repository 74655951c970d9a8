"""Tiny networks with random weights, and incidents laid out for them."""

from collections.abc import Mapping
from dataclasses import replace

import torch

from contracts.incidents import FactName, Incident
from contracts.rules import RuleKind
from moe_core.checkers.case import Case
from moe_core.core_chain import drafted
from moe_core.decoding import Floors
from moe_core.model.network import ClaimNetwork
from moe_core.model.weights import Calibration, TrainedCore
from moe_core.tokens.prompt import Prompt, prompt_of
from tests.fakes.builders import fact
from tests.fakes.incidents import elsewhere, situation, together
from tests.moe_core.checking import FALL, LINE, LOITER, NEAR, PAIR, UNKNOWN, ZONE
from tests.moe_core.model.shapes import TINY

OPEN = Floors(claim=0.0, hypothesis=0.0, context=0.0)
REFUTED = elsewhere(ZONE)
HALF_REFUTED = together(elsewhere(situation()), situation(track_id="t2"))
"""Two statements: measurement contradicts the first and supports the second."""
DIM = situation(light_change=0.3)
"""A light that changed may be the cause: a counter-claim and a hypothesis that cites it."""
INCIDENTS: Mapping[str, Incident] = {
    "line": LINE,
    "zone": ZONE,
    "loiter": LOITER,
    "unknown": UNKNOWN,
    "pair": PAIR,
    "fall": FALL,
    "near": NEAR,
    "dim": DIM,
    "refuted": REFUTED,
    "half refuted": HALF_REFUTED,
}


def network_of(seed: int, *, ends_late: bool = False) -> ClaimNetwork:
    """A network with random weights; one that ``ends_late`` rather writes on than stops."""
    torch.manual_seed(seed)
    network = ClaimNetwork(TINY).eval().requires_grad_(requires_grad=False)
    if ends_late:
        network.end.bias.sub_(4)
    return network


def core_of(
    network: ClaimNetwork,
    *,
    floors: Floors = OPEN,
    kinds: frozenset[str] = frozenset(map(str, RuleKind)),
) -> TrainedCore:
    return TrainedCore(
        network=network, floors=floors, calibration=Calibration(), kinds=kinds, sha256="5" * 64
    )


def laid_out(incident: Incident) -> tuple[Case, Prompt]:
    case = Case(incident)
    return case, prompt_of(case, drafted(case))


def prompt(incident: Incident) -> Prompt:
    return laid_out(incident)[1]


def crowded(incident: Incident, count: int = 10_000) -> Incident:
    """The incident with so many facts more, which nobody needs, before its own."""
    more = tuple(
        fact(FactName.NEAR, 0.1, fact_id=f"b{index}", target="t2", unit="picture")
        for index in range(count)
    )
    return replace(incident, facts=(*more, *incident.facts))
