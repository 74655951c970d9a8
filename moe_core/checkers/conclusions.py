"""Checks of what is concluded: hypotheses and the verdict, from the claims that they cite."""

from collections.abc import Mapping, Sequence

from contracts.reasoning import Claim, ClaimStatus, ReasoningVerdict
from moe_core.causes import CAUSES
from moe_core.checkers.case import Case, Check, contradicted, supported, unverifiable
from moe_core.checkers.values import place_problem
from moe_core.claims import COULD_BE, MEETS_RULE
from moe_core.hypotheses import ALARMING

Checked = Mapping[str, Claim]
"""Claims of earlier roles, already checked, by id."""

_KIND_OF = {name: kind for kind, name in ALARMING.items()}


def check_alarming(case: Case, claim: Claim, checked: Checked) -> Check:
    """Check that what the rule is there to find explains the claims cited.

    It stands if the rule's condition is supported and nothing cited is contradicted; it falls
    only with the condition itself.
    """
    problem = place_problem(case, claim)
    if problem is not None:
        return unverifiable(problem)
    args = claim.args
    cited = [checked[claim_id] for claim_id in claim.evidence if claim_id in checked]
    deciding = [
        other
        for other in cited
        if other.predicate == MEETS_RULE
        and all(other.args.get(name) == args[name] for name in ("track", "rule", "place"))
    ]
    event = case.event(str(args["rule"]), str(args["track"]))
    if event is None or _KIND_OF[claim.predicate] is not event.kind:
        return unverifiable("the rule is of another kind")
    if not deciding:
        return unverifiable("does not cite that the rule's condition held")
    if all(other.status is ClaimStatus.CONTRADICTED for other in deciding):
        return contradicted(f"{deciding[0].claim_id} is contradicted")
    doubtful = [other.claim_id for other in cited if other.status is not ClaimStatus.SUPPORTED]
    if doubtful:
        return unverifiable(f"{', '.join(doubtful)} could not be stood by")
    return supported()


def check_could_be(case: Case, claim: Claim, checked: Checked) -> Check:
    """Check that a benign cause may explain it: its counter-claim is cited and stands."""
    cause = CAUSES[str(claim.args["cause"])]
    if case.incident.kind not in cause.kinds:
        return contradicted(f"{cause.name} is no explanation of {case.incident.kind}")
    cited = [checked[claim_id] for claim_id in claim.evidence if claim_id in checked]
    if not any(other.predicate == cause.standing for other in cited):
        return unverifiable(f"does not cite a claim {cause.standing}")
    for status, check in (
        (ClaimStatus.CONTRADICTED, contradicted),
        (ClaimStatus.UNVERIFIABLE, unverifiable),
    ):
        fallen = [other.claim_id for other in cited if other.status is status]
        if fallen:
            return check(f"{', '.join(fallen)} is {status}")
    return supported()


def verdict_of(case: Case, chain: Sequence[Claim]) -> ReasoningVerdict:
    """Return what the checked claims say about the rules' statements together.

    Confirmed if any rule's condition stands as a hypothesis that is supported. Contradicted only
    if every statement of every rule in the incident is contradicted by measurement: one that
    could not be checked keeps the alert, and so does a rule that spoke twice about a track, of
    which the claim shows the first time only. Else unverified.
    """
    if any(
        claim.predicate in _KIND_OF and claim.status is ClaimStatus.SUPPORTED for claim in chain
    ):
        return ReasoningVerdict.CONFIRMED
    contradicted_pairs = {
        (claim.args["rule"], claim.args["track"])
        for claim in chain
        if claim.predicate == MEETS_RULE
        and claim.status is ClaimStatus.CONTRADICTED
        and case.statements(str(claim.args["rule"]), str(claim.args["track"])) == 1
    }
    stated = {(event.rule_id, event.track_id) for event in case.incident.rule_events}
    if stated and stated <= contradicted_pairs:
        return ReasoningVerdict.CONTRADICTED
    return ReasoningVerdict.UNVERIFIED


def check_verdict(case: Case, claim: Claim, checked: Checked) -> Check:
    """Check the verdict by drawing it again from the statuses of the claims that it cites.

    Abstaining stands only where nothing was concluded. Any other verdict must cite every
    hypothesis and every claim that decides: one that leaves out what does not suit it cannot be
    stood by.
    """
    said = ReasoningVerdict(str(claim.args["verdict"]))
    deciding = [
        other.claim_id
        for other in checked.values()
        if other.predicate in (MEETS_RULE, COULD_BE) or other.predicate in _KIND_OF
    ]
    if said is ReasoningVerdict.ABSTAINED:
        return contradicted(f"{deciding[0]} was concluded") if deciding else supported()
    left_out = [claim_id for claim_id in deciding if claim_id not in claim.evidence]
    if left_out:
        return unverifiable(f"leaves out {', '.join(left_out)}")
    found = verdict_of(case, [checked[name] for name in claim.evidence if name in checked])
    if found is not said:
        return contradicted(f"the claims cited say {found}")
    return supported()
