from dataclasses import replace

import pytest

from contracts.incidents import Incident
from contracts.reasoning import Claim, ClaimStatus
from moe_core.verify import verify
from tests.fakes.incidents import elsewhere, situation
from tests.moe_core.checking import (
    CONTRADICTED,
    SUPPORTED,
    UNVERIFIABLE,
    ZONE,
    reasoned,
)


def altered(claims: tuple[Claim, ...], which: str, **changes: object) -> list[Claim]:
    return [
        replace(claim, **changes) if claim.predicate == which else claim  # type: ignore[arg-type]  # any field
        for claim in claims
    ]


def status_in(claims: list[Claim], incident: Incident, predicate: str) -> ClaimStatus:
    return next(claim.status for claim in verify(claims, incident) if claim.predicate == predicate)


def test_a_hypothesis_falls_with_the_condition_that_it_explains() -> None:
    claims = list(reasoned(ZONE))

    assert status_in(claims, ZONE, "is_intrusion") is SUPPORTED
    assert status_in(claims, elsewhere(ZONE), "is_intrusion") is CONTRADICTED


def test_a_hypothesis_must_cite_the_condition_that_it_explains() -> None:
    claims = reasoned(ZONE)
    present = next(claim.claim_id for claim in claims if claim.predicate == "present")

    changed = altered(claims, "is_intrusion", evidence=(present,))

    assert status_in(changed, ZONE, "is_intrusion") is UNVERIFIABLE


def test_a_hypothesis_about_another_kind_cannot_be_verified() -> None:
    changed = altered(reasoned(ZONE), "is_intrusion", predicate="is_loitering")

    assert status_in(changed, ZONE, "is_loitering") is UNVERIFIABLE


def test_a_benign_hypothesis_stands_with_its_counter_claim() -> None:
    dark = situation(light_change=0.3)
    claims = reasoned(dark)

    assert status_in(list(claims), dark, "could_be") is SUPPORTED
    assert status_in(list(claims), ZONE, "could_be") is CONTRADICTED
    other = altered(claims, "could_be", args={"cause": "sway"})
    assert status_in(other, dark, "could_be") is UNVERIFIABLE


def test_a_benign_hypothesis_of_another_kind_of_rule_is_contradicted() -> None:
    dark = situation(light_change=0.3)
    other = altered(reasoned(dark), "could_be", args={"cause": "passing_by"})

    assert status_in(other, dark, "could_be") is CONTRADICTED


@pytest.mark.parametrize("verdict", ["contradicted", "unverified", "abstained"])
def test_a_verdict_that_its_claims_do_not_give_is_contradicted(verdict: str) -> None:
    changed = altered(reasoned(ZONE), "verdict", args={"verdict": verdict})

    assert status_in(changed, ZONE, "verdict") is CONTRADICTED


def test_a_verdict_that_leaves_out_what_decides_cannot_be_stood_by() -> None:
    changed = altered(reasoned(ZONE), "verdict", evidence=())

    assert status_in(changed, ZONE, "verdict") is UNVERIFIABLE
