"""From the proposals that the core chose to a chain of claims, checked, with its verdict."""

from collections.abc import Sequence
from dataclasses import replace

from contracts.reasoning import Claim, ReasoningVerdict
from moe_core.chain_writer import add_verdict, write_chain
from moe_core.checkers.case import Case
from moe_core.checkers.conclusions import verdict_of
from moe_core.claims import FACT_ROLES, check_structure
from moe_core.decoding import dangling
from moe_core.tokens.prompt import Prompt
from moe_core.verify import verify_case


def chain_of(case: Case, prompt: Prompt, chosen: Sequence[int]) -> tuple[Claim, ...]:
    """Return the chain of the chosen proposals, numbered anew, checked, the verdict last.

    What a hypothesis would have cited and was not written is not cited; a benign cause of which no
    counter-claim is left is dropped. The verdict is drawn from the checked claims, as the
    program's is.

    Raises:
        ChainError: The chain breaks the grammar, which is a fault here.
    """
    lost = dangling(prompt, chosen)
    kept = [prompt.proposals.claims[index] for index in chosen if index not in lost]
    ids = {claim.claim_id: f"c{number}" for number, claim in enumerate(kept, start=1)}
    claims = tuple(
        replace(
            claim,
            claim_id=ids[claim.claim_id],
            evidence=claim.evidence
            if claim.role in FACT_ROLES
            else tuple(ids[name] for name in claim.evidence if name in ids),
        )
        for claim in kept
    )
    verdict: ReasoningVerdict = verdict_of(case, verify_case(claims, case))
    chain = add_verdict(claims, verdict)
    check_structure(chain, facts=case.facts.names)
    return verify_case(chain, case)


def drafted(case: Case) -> tuple[Claim, ...]:
    """Return the program's draft, checked, without its verdict."""
    return verify_case(write_chain(case), case)
