"""The deterministic reasoner: the floor under every trained one, its draft and its fallback."""

from typing import Final

from contracts.clock import Clock
from contracts.incidents import Incident
from contracts.reasoning import Claim, Finding
from moe_core.chain_writer import add_verdict, write_chain
from moe_core.checkers.case import Case
from moe_core.checkers.conclusions import verdict_of
from moe_core.claims import VERDICT, check_structure
from moe_core.conclude import concluded
from moe_core.confidence import confidence_of
from moe_core.verify import verify_case

PROGRAM: Final = "program"


class ProgramReasoner:
    """Writes the chain from an incident's facts and draws the finding from what survives checking.

    The same incident gives the same claims, decision, severity and confidence, always. Doubt is
    written down and lowers the confidence. Decision and severity are lowered (to ``watch``, by
    one step, never below ``info``) only where every rule statement of the incident is
    contradicted by measurement.
    """

    name = PROGRAM

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def reason(self, incident: Incident) -> Finding:
        """Return the finding about this revision of the incident.

        Raises:
            ChainError: The chain that was written breaks the grammar, which is a fault here.
        """
        started_s = self._clock.monotonic_s()
        case = Case(incident)
        claims = verified_chain(case)
        return concluded(
            case,
            claims,
            reasoner=self.name,
            confidence=confidence_of(case, claims),
            basis=PROGRAM,
            clock=self._clock,
            started_s=started_s,
        )


def verified_chain(case: Case) -> tuple[Claim, ...]:
    """Return the program's chain of an incident, checked, the verdict last."""
    drafted = write_chain(case)
    verdict = verdict_of(case, verify_case(drafted, case))
    chain = add_verdict(drafted, verdict)
    check_structure(chain, facts=case.facts.names)
    return verify_case(chain, case)


def verdict_claim(claims: tuple[Claim, ...]) -> Claim:
    """Return the claim that closes a chain."""
    return next(claim for claim in claims if claim.predicate == VERDICT)
