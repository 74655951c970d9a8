"""The trained reasoner as it runs: what is told after checking, counterfactuals, time.

Counterfactuals: without the facts that a confirmed alert cites, its verdict must fall; without
those that it does not cite, it must stay.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from contracts.clock import SystemClock
from contracts.incidents import Incident
from contracts.reasoning import ClaimStatus, Finding, ReasoningVerdict
from moe_core.claims import FACT_ROLES, MEETS_RULE
from moe_core.core_reasoner import CoreReasoner
from moe_core.model.weights import TrainedCore
from moe_core.program import ProgramReasoner
from moe_core.shipped import CORE


@dataclass(slots=True, kw_only=True)
class Whole:
    """What was counted over incidents.

    Attributes:
        claims, unsupported: Told after checking, and those of them that checking does not support
            (a statement that is shown as refuted is none of them).
        fallen, cited: Confirmed alerts whose verdict fell without what they cite, of how many.
        stayed, uncited: Those whose verdict stayed without what they do not cite, of how many.
        core_ms, program_ms: Time of each finding.
        by_program: Findings that the core left to the program.
    """

    claims: int = 0
    unsupported: int = 0
    dangling: int = 0
    fallen: int = 0
    cited: int = 0
    stayed: int = 0
    uncited: int = 0
    by_program: int = 0
    core_ms: list[float] = field(default_factory=list)
    program_ms: list[float] = field(default_factory=list)

    def lines(self) -> str:
        """Return what was found, a line each."""
        core, program = np.array(self.core_ms), np.array(self.program_ms)
        return "\n".join(
            [
                f"claims told after checking {self.claims}, not supported {self.unsupported} "
                f"({self.unsupported / max(1, self.claims):.3%}), dangling {self.dangling}",
                f"verdict falls without what is cited: {self.fallen} of {self.cited} "
                f"({self.fallen / max(1, self.cited):.1%})",
                f"verdict stays without what is not cited: {self.stayed} of {self.uncited} "
                f"({self.stayed / max(1, self.uncited):.1%})",
                f"left to the program: {self.by_program} of {len(core)}",
                f"core ms: median {np.median(core):.1f}, p95 {np.percentile(core, 95):.1f}, "
                f"most {core.max():.1f}; program ms: median {np.median(program):.1f}, "
                f"p95 {np.percentile(program, 95):.1f}",
            ]
        )


def run_whole(core: TrainedCore, incidents: Iterable[Incident]) -> Whole:
    """Reason about incidents as the stage does, and count."""
    clock = SystemClock()
    reasoner, program = CoreReasoner(core, clock, deadline_s=60.0), ProgramReasoner(clock)
    whole = Whole()
    for incident in incidents:
        began_s = time.perf_counter()
        program.reason(incident)
        whole.program_ms.append(1000 * (time.perf_counter() - began_s))
        began_s = time.perf_counter()
        finding = reasoner.reason(incident)
        whole.core_ms.append(1000 * (time.perf_counter() - began_s))
        if finding.reasoning.reasoner != CORE:
            whole.by_program += 1
            continue
        _count(whole, incident, finding)
        if finding.reasoning.verdict is ReasoningVerdict.CONFIRMED:
            _without(whole, reasoner, incident, finding)
    return whole


def _count(whole: Whole, incident: Incident, finding: Finding) -> None:
    ids = {fact.fact_id for fact in incident.facts}
    for claim in finding.reasoning.claims:
        whole.claims += 1
        is_refuted = claim.predicate == MEETS_RULE and claim.status is ClaimStatus.CONTRADICTED
        whole.unsupported += claim.status is not ClaimStatus.SUPPORTED and not is_refuted
        if claim.role in FACT_ROLES:
            whole.dangling += sum(name not in ids for name in claim.evidence)


def _without(whole: Whole, reasoner: CoreReasoner, incident: Incident, finding: Finding) -> None:
    cited = {
        name
        for claim in finding.reasoning.claims
        if claim.role in FACT_ROLES
        for name in claim.evidence
    }
    bare = replace(
        incident, facts=tuple(fact for fact in incident.facts if fact.fact_id not in cited)
    )
    whole.cited += 1
    whole.fallen += not _is_confirmed(reasoner, bare)
    lean = replace(incident, facts=tuple(fact for fact in incident.facts if fact.fact_id in cited))
    if len(lean.facts) < len(incident.facts):
        whole.uncited += 1
        whole.stayed += _is_confirmed(reasoner, lean)


def _is_confirmed(reasoner: CoreReasoner, incident: Incident) -> bool:
    return reasoner.reason(incident).reasoning.verdict is ReasoningVerdict.CONFIRMED
