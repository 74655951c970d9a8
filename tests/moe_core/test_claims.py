from dataclasses import replace

import pytest

from contracts.incidents import FactName
from contracts.reasoning import Claim, ClaimRole, ClaimStatus
from contracts.rules import RuleKind
from moe_core.causes import CAUSES
from moe_core.claims import (
    MAX_CLAIMS,
    PREDICATES,
    ChainError,
    check_structure,
    draft,
)
from moe_core.hypotheses import ALARMING
from moe_core.texts import en
from moe_core.verify import CONCLUSION_CHECKERS, FACT_CHECKERS

FACTS = {"a1": FactName.PRESENT, "a2": FactName.INSIDE, "a3": FactName.OTHERS_PRESENT}


def chain() -> list[Claim]:
    return [
        draft("c1", "present", {"track": "t1", "label": "person", "seconds": 4.0}, ["a1"]),
        draft("c2", "inside", {"track": "t1", "zone": "dock", "depth": 0.1}, ["a2"]),
        draft("c3", "alone", {"track": "t1"}, ["a3"]),
        draft(
            "c4", "is_intrusion", {"track": "t1", "place": "dock", "rule": "keep_out"}, ["c1", "c2"]
        ),
        draft("c5", "kind_unknown", {"track": "t1"}, ["a1"]),
        draft("c6", "verdict", {"verdict": "confirmed"}, ["c4", "c5"]),
    ]


def changed(position: int, **changes: object) -> list[Claim]:
    claims = chain()
    claims[position] = replace(claims[position], **changes)  # type: ignore[arg-type]  # any field
    return claims


def test_a_chain_that_keeps_to_the_grammar_passes() -> None:
    check_structure(chain(), facts=FACTS)


@pytest.mark.parametrize(
    ("claims", "position", "reason"),
    [
        pytest.param(changed(1, claim_id="c1"), 1, "used twice", id="an id used twice"),
        pytest.param(changed(1, claim_id=""), 1, "needs an id", id="no id"),
        pytest.param(changed(0, predicate="guess"), 0, "unknown predicate", id="a new predicate"),
        pytest.param(
            changed(1, role=ClaimRole.RELATION), 1, "has the role observation", id="a wrong role"
        ),
        pytest.param(changed(0, evidence=()), 0, "cites no fact", id="no evidence"),
        pytest.param(
            changed(0, evidence=("a9",)), 0, "no fact 'a9'", id="a fact that is not there"
        ),
        pytest.param(changed(0, evidence=("c2",)), 0, "no fact 'c2'", id="a claim as a fact"),
        pytest.param(changed(0, evidence=("a1", "a1")), 0, "cited twice", id="the same fact twice"),
        pytest.param(
            changed(1, evidence=("a1",)), 1, "must cite a fact inside", id="another kind of fact"
        ),
        pytest.param(
            changed(1, evidence=("a2", "a1")),
            1,
            "may not rest on a fact present",
            id="one too many",
        ),
        pytest.param(changed(3, evidence=("a1",)), 3, "no claim 'a1'", id="a fact as a claim"),
        pytest.param(changed(3, evidence=("c6",)), 3, "no claim 'c6'", id="citing the verdict"),
        pytest.param(
            changed(3, evidence=()), 3, "must cite what it explains", id="out of thin air"
        ),
        pytest.param(changed(5, evidence=("c5", "c5")), 5, "cited twice", id="a claim twice"),
        pytest.param(
            changed(0, args={"track": "t1", "label": "person"}),
            0,
            "'seconds' of present is missing",
            id="an argument missing",
        ),
        pytest.param(
            changed(2, args={"track": "t1", "zone": "dock"}),
            2,
            "no argument 'zone'",
            id="an argument too many",
        ),
        pytest.param(
            changed(2, args={"track": 7.0}), 2, "must be 1 to 200 characters", id="a number as name"
        ),
        pytest.param(
            changed(1, args={"track": "t1", "zone": "dock", "depth": "deep"}),
            1,
            "must be a finite number",
            id="a word as number",
        ),
        pytest.param(
            changed(1, args={"track": "t1", "zone": "dock", "depth": float("nan")}),
            1,
            "must be a finite number",
            id="not a number",
        ),
        pytest.param(
            changed(5, args={"verdict": "guilty"}), 5, "must be one of", id="another verdict"
        ),
        pytest.param(chain()[:-1], 4, "must end in a verdict", id="no verdict"),
        pytest.param([], 0, "must end in a verdict", id="nothing at all"),
        pytest.param(
            [chain()[1], chain()[2], chain()[0], *chain()[3:]],
            2,
            "may not come after relation",
            id="roles out of order",
        ),
        pytest.param(
            [*chain(), replace(chain()[5], claim_id="c7")], 6, "one verdict only", id="two verdicts"
        ),
    ],
)
def test_a_chain_that_breaks_the_grammar_is_refused_with_position_and_reason(
    claims: list[Claim], position: int, reason: str
) -> None:
    with pytest.raises(ChainError, match=reason) as caught:
        check_structure(claims, facts=FACTS)

    assert caught.value.position == position


def test_a_chain_without_end_is_refused() -> None:
    many = [
        draft(f"x{index}", "kind_unknown", {"track": "t1"}, ["a1"]) for index in range(MAX_CLAIMS)
    ]

    with pytest.raises(ChainError, match="at most"):
        check_structure([*many, chain()[-1]], facts=FACTS)


def test_what_a_reasoner_writes_counts_as_unchecked() -> None:
    assert {claim.status for claim in chain()} == {ClaimStatus.UNVERIFIABLE}


def test_every_predicate_has_a_checker_and_a_text() -> None:
    assert set(FACT_CHECKERS) | set(CONCLUSION_CHECKERS) == set(PREDICATES)
    templates = {key.split(".")[0] for key in en.CLAIMS}
    assert templates == set(PREDICATES)


def test_every_rule_kind_has_its_hypothesis_and_every_cause_its_name() -> None:
    assert set(ALARMING) == set(RuleKind)
    assert set(en.WHY) == set(ALARMING.values())
    assert set(en.CAUSES) == set(CAUSES)
