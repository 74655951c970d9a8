"""From chosen proposals to a chain: whatever is chosen, it keeps to the grammar."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.reasoning import Claim, ClaimRole, ClaimStatus, ReasoningVerdict
from moe_core.checkers.conclusions import verdict_of
from moe_core.claims import COULD_BE, FACT_ROLES, MEETS_RULE, check_structure
from moe_core.core_chain import chain_of, drafted
from moe_core.decoding import may_follow, stands
from moe_core.program import verified_chain
from tests.moe_core.cores import INCIDENTS, laid_out

LAID_OUT = {name: laid_out(incident) for name, incident in INCIDENTS.items()}
each_name = pytest.mark.parametrize("name", LAID_OUT)


def legal(name: str, wanted: Sequence[bool]) -> list[int]:
    """The proposals that are wanted, as far as the grammar lets them follow each other."""
    _, found = LAID_OUT[name]
    chain: list[int] = []
    for index in range(len(found.proposals)):
        may_C = may_follow(found, chain, allowed_C=stands(found))
        if wanted[index % len(wanted)] and may_C[index]:
            chain.append(index)
    return chain


def chosen(name: str, *predicates: str) -> list[int]:
    _, found = LAID_OUT[name]
    return [
        index for index, claim in enumerate(found.proposals.claims) if claim.predicate in predicates
    ]


def chain(name: str, *predicates: str) -> tuple[Claim, ...]:
    case, found = LAID_OUT[name]
    return chain_of(case, found, chosen(name, *predicates))


def verdict(claims: Sequence[Claim]) -> str:
    return str(claims[-1].args["verdict"])


@given(
    name=st.sampled_from(list(LAID_OUT)), wanted=st.lists(st.booleans(), min_size=40, max_size=40)
)
@settings(max_examples=80, deadline=None)
def test_any_choice_gives_a_chain_that_is_checked_and_legal(name: str, wanted: list[bool]) -> None:
    case, found = LAID_OUT[name]
    claims = chain_of(case, found, legal(name, wanted))

    check_structure(claims, facts=case.facts.names)
    assert [claim.claim_id for claim in claims] == [f"c{n + 1}" for n in range(len(claims))]
    assert verdict(claims) == verdict_of(case, claims[:-1])
    for claim in claims:
        is_refuted = claim.predicate == MEETS_RULE and claim.status is ClaimStatus.CONTRADICTED
        assert claim.status is ClaimStatus.SUPPORTED or is_refuted
        assert claim.text
    if verdict(claims) == ReasoningVerdict.CONTRADICTED:
        assert name == "refuted"


@each_name
def test_the_whole_draft_is_the_programs_chain(name: str) -> None:
    """As far as it stands: what checking did not support is not told."""
    case, found = LAID_OUT[name]
    mine = chain_of(case, found, legal(name, [True]))
    theirs = verified_chain(case)

    assert verdict(mine) == verdict(theirs)
    supported = [claim.text for claim in theirs if claim.status is ClaimStatus.SUPPORTED]
    refuted = [
        claim.text
        for claim in theirs
        if claim.predicate == MEETS_RULE and claim.status is ClaimStatus.CONTRADICTED
    ]
    assert sorted(claim.text for claim in mine) == sorted([*supported, *refuted])


@each_name
def test_nothing_chosen_says_nothing_and_lowers_nothing(name: str) -> None:
    case, found = LAID_OUT[name]
    [closing] = chain_of(case, found, [])

    assert closing.role is ClaimRole.VERDICT
    assert closing.status is ClaimStatus.SUPPORTED
    assert verdict([closing]) == ReasoningVerdict.UNVERIFIED


def test_a_hypothesis_cites_what_was_written_under_its_new_number() -> None:
    claims = chain("zone", MEETS_RULE, "is_intrusion", "hour")
    [hypothesis] = [claim for claim in claims if claim.role is ClaimRole.HYPOTHESIS]
    [deciding] = [claim for claim in claims if claim.predicate == MEETS_RULE]

    assert hypothesis.evidence == (deciding.claim_id,)
    assert hypothesis.status is ClaimStatus.SUPPORTED
    assert verdict(claims) == ReasoningVerdict.CONFIRMED


def test_claims_about_the_world_keep_their_facts() -> None:
    before = {claim.predicate: claim.evidence for claim in drafted(LAID_OUT["zone"][0])}

    for claim in chain("zone", MEETS_RULE, "present", "hour"):
        assert claim.role not in FACT_ROLES or claim.evidence == before[claim.predicate]


def test_a_benign_cause_without_its_counter_claim_is_dropped() -> None:
    lonely = chain("dim", MEETS_RULE, "is_intrusion", COULD_BE)
    whole = chain("dim", MEETS_RULE, "is_intrusion", COULD_BE, "perhaps_light_change")

    assert COULD_BE not in {claim.predicate for claim in lonely}
    assert COULD_BE in {claim.predicate for claim in whole}
    assert verdict(lonely) == verdict(whole) == ReasoningVerdict.CONFIRMED


def test_a_statement_without_its_hypothesis_is_not_confirmed() -> None:
    assert verdict(chain("zone", MEETS_RULE, "present")) == ReasoningVerdict.UNVERIFIED


def test_measurement_contradicts_only_what_it_contradicts_as_a_whole() -> None:
    assert verdict(chain("refuted", MEETS_RULE)) == ReasoningVerdict.CONTRADICTED
    case, found = LAID_OUT["half refuted"]
    refuted = [
        index
        for index in chosen("half refuted", MEETS_RULE)
        if found.proposals.claims[index].status is ClaimStatus.CONTRADICTED
    ]

    assert len(refuted) == 1
    assert verdict(chain_of(case, found, refuted)) == ReasoningVerdict.UNVERIFIED
