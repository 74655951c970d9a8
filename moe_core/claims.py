"""The grammar of claims: what may be said, on which facts it may rest, and where in the chain.

A chain is written in roles, in the order of ``ROLE_ORDER``. Claims about the world cite facts;
hypotheses and the verdict cite claims. Nothing may dangle: evidence that is not there, an
argument that is missing or of the wrong type, makes the whole chain invalid. Whether a claim is
*true* is not decided here but in ``moe_core/verify.py``.

Every number in a claim is a copy of a cited measurement and is compared with it; text is rendered
from claims and never written by a reasoner.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.errors import ModelError
from contracts.incidents import FactName
from contracts.reasoning import Claim, ClaimRole, ClaimStatus, ReasoningVerdict
from moe_core.causes import CAUSES, Cause
from moe_core.hypotheses import ALARMING

ROLE_ORDER: Final = (
    ClaimRole.OBSERVATION,
    ClaimRole.RELATION,
    ClaimRole.HYPOTHESIS,
    ClaimRole.RULED_OUT,
    ClaimRole.COUNTER,
    ClaimRole.VERDICT,
)
FACT_ROLES: Final = frozenset(
    {ClaimRole.OBSERVATION, ClaimRole.RELATION, ClaimRole.RULED_OUT, ClaimRole.COUNTER}
)
"""Roles whose evidence are facts; the others cite claims."""

MAX_CLAIMS: Final = 96
"""A longer chain is read by nobody and is a sign of a broken reasoner."""
MAX_WORD: Final = 200
"""Characters of one argument: names of labels, zones and rules are far shorter."""


class ArgType(StrEnum):
    """What an argument is; the numbers carry their unit."""

    TRACK = "track"
    ZONE = "zone"
    LINE = "line"
    PLACE = "place"
    """A zone or a line."""
    RULE = "rule"
    WORD = "word"
    CAUSE = "cause"
    VERDICT = "verdict"
    SECONDS = "s"
    PICTURE = "picture"
    PICTURE_PER_S = "picture/s"
    HEIGHT = "height"
    """Body heights."""
    HEIGHT_PER_S = "height/s"
    SHARE = "share"
    COUNT = "1"
    HOUR = "h"
    IN_RULE_UNIT = "rule unit"
    """A number in the unit that the argument ``unit`` names."""

    @property
    def is_number(self) -> bool:
        """Whether the argument's value is a number."""
        return self in _NUMBERS


_NUMBERS: Final = frozenset(
    {
        ArgType.SECONDS,
        ArgType.PICTURE,
        ArgType.PICTURE_PER_S,
        ArgType.HEIGHT,
        ArgType.HEIGHT_PER_S,
        ArgType.SHARE,
        ArgType.COUNT,
        ArgType.HOUR,
        ArgType.IN_RULE_UNIT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate:
    """One thing that can be said. Its English is in ``moe_core/texts/en.py`` under its name.

    Attributes:
        name: Also the key of its checker and of its texts.
        role: The only role that it may have.
        args: Arguments by name, all required.
        needs: Each of these must be among the cited facts.
        may_use: These may be cited as well. With no ``needs``, one of these must be.
        cause: For ruled-out and counter claims about a benign cause.
    """

    name: str
    role: ClaimRole
    args: Mapping[str, ArgType]
    needs: tuple[FactName, ...] = ()
    may_use: tuple[FactName, ...] = ()
    cause: Cause | None = None

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of the arguments that are numbers, in order."""
        return tuple(name for name, kind in self.args.items() if kind.is_number)


class ChainError(ModelError):
    """A chain of claims breaks the grammar.

    Attributes:
        position: Index of the claim in the chain, from 0.
        reason: What is wrong with it.
    """

    def __init__(self, position: int, claim_id: str, reason: str) -> None:
        super().__init__(f"claim {position + 1} of the chain ({claim_id!r}): {reason}")
        self.position = position
        self.reason = reason


def _observation(name: str, fact: FactName, **args: ArgType) -> Predicate:
    return Predicate(name=name, role=ClaimRole.OBSERVATION, args=args, needs=(fact,))


def _relation(name: str, fact: FactName, **args: ArgType) -> Predicate:
    return Predicate(name=name, role=ClaimRole.RELATION, args=args, needs=(fact,))


def _hypothesis(name: str, **args: ArgType) -> Predicate:
    return Predicate(name=name, role=ClaimRole.HYPOTHESIS, args=args)


_T: Final = ArgType.TRACK

MEETS_RULE: Final = "meets_rule"
VERDICT: Final = "verdict"
COULD_BE: Final = "could_be"

RULE_FACTS: Final = (FactName.RULE_VALUE, FactName.DWELL, FactName.CROSSED, FactName.INSIDE)
"""Facts that the deciding claim may rest on, best first."""


def _cause_args(cause: Cause) -> dict[str, ArgType]:
    args = {} if cause.is_about_picture else {"track": _T}
    if cause.fact is FactName.INSIDE:
        args["zone"] = ArgType.ZONE
    if cause.fact is FactName.CROSSED:
        args["line"] = ArgType.LINE
    if cause.fact is FactName.LABEL_SHARE:
        args["label"] = ArgType.WORD
    if cause.per is not None:
        return args | {"distance": ArgType.PICTURE, "seconds": ArgType.SECONDS}
    return args | {"value": ArgType(cause.unit)}


def _cause_predicates() -> list[Predicate]:
    predicates = []
    for cause in CAUSES.values():
        needs = (cause.fact,) if cause.per is None else (cause.fact, cause.per)
        predicates += [
            Predicate(name=name, role=role, args=_cause_args(cause), needs=needs, cause=cause)
            for name, role in (
                (cause.ruled_out, ClaimRole.RULED_OUT),
                (cause.standing, ClaimRole.COUNTER),
            )
        ]
    return predicates


PREDICATES: Final[Mapping[str, Predicate]] = {
    predicate.name: predicate
    for predicate in (
        _observation(
            "present", FactName.PRESENT, track=_T, label=ArgType.WORD, seconds=ArgType.SECONDS
        ),
        _observation(
            "label", FactName.LABEL_SHARE, track=_T, label=ArgType.WORD, share=ArgType.SHARE
        ),
        _observation("seen", FactName.HIT_RATIO, track=_T, share=ArgType.SHARE),
        _observation("confident", FactName.CONFIDENCE, track=_T, confidence=ArgType.SHARE),
        _observation(
            "entered_from",
            FactName.ENTERED_FROM,
            track=_T,
            side=ArgType.WORD,
            distance=ArgType.PICTURE,
        ),
        _observation("inside", FactName.INSIDE, track=_T, zone=ArgType.ZONE, depth=ArgType.PICTURE),
        _observation("dwell", FactName.DWELL, track=_T, zone=ArgType.ZONE, seconds=ArgType.SECONDS),
        _observation(
            "crossed",
            FactName.CROSSED,
            track=_T,
            line=ArgType.LINE,
            direction=ArgType.WORD,
            step=ArgType.PICTURE,
        ),
        _observation("path", FactName.PATH_LENGTH, track=_T, length=ArgType.PICTURE),
        _observation("displaced", FactName.DISPLACEMENT, track=_T, distance=ArgType.PICTURE),
        _observation("speed", FactName.SPEED, track=_T, speed=ArgType.PICTURE_PER_S),
        _observation("area", FactName.BOX_AREA, track=_T, share=ArgType.SHARE),
        _observation("came_down", FactName.HEAD_DROP, track=_T, heights=ArgType.HEIGHT),
        _observation("down", FactName.DOWN, track=_T, seconds=ArgType.SECONDS),
        _observation(
            "posture", FactName.POSTURE, track=_T, posture=ArgType.WORD, share=ArgType.SHARE
        ),
        _observation("hour", FactName.HOUR, hour=ArgType.HOUR),
        Predicate(
            name=MEETS_RULE,
            role=ClaimRole.OBSERVATION,
            args={
                "track": _T,
                "rule": ArgType.RULE,
                "place": ArgType.PLACE,
                "value": ArgType.IN_RULE_UNIT,
                "threshold": ArgType.IN_RULE_UNIT,
                "unit": ArgType.WORD,
            },
            may_use=RULE_FACTS,
        ),
        _relation("alone", FactName.OTHERS_PRESENT, track=_T),
        _relation("others_present", FactName.OTHERS_PRESENT, track=_T, count=ArgType.COUNT),
        _relation("near", FactName.NEAR, track=_T, other=_T, distance=ArgType.PICTURE),
        *(
            _relation(
                fact.value,
                fact,
                track=_T,
                other=_T,
                distance=ArgType.PICTURE,
                who=ArgType.WORD,
            )
            for fact in (FactName.LEFT_BY, FactName.OWNER_AWAY, FactName.TAKEN_BY)
        ),
        *(
            _hypothesis(name, track=_T, place=ArgType.PLACE, rule=ArgType.RULE)
            for name in ALARMING.values()
        ),
        _hypothesis(COULD_BE, cause=ArgType.CAUSE),
        *_cause_predicates(),
        Predicate(
            name="near_threshold",
            role=ClaimRole.COUNTER,
            args={
                "track": _T,
                "rule": ArgType.RULE,
                "zone": ArgType.ZONE,
                "seconds": ArgType.SECONDS,
                "threshold": ArgType.SECONDS,
            },
            needs=(FactName.DWELL,),
            may_use=(FactName.RULE_VALUE,),
        ),
        Predicate(
            name="kind_unknown",
            role=ClaimRole.COUNTER,
            args={"track": _T},
            needs=(FactName.PRESENT,),
        ),
        Predicate(name=VERDICT, role=ClaimRole.VERDICT, args={"verdict": ArgType.VERDICT}),
    )
}
"""The whole grammar, by predicate name."""


def draft(
    claim_id: str, predicate: str, args: Mapping[str, str | float], evidence: Sequence[str]
) -> Claim:
    """Return a claim as a reasoner writes it: not checked, without text, frames or numbers."""
    return Claim(
        claim_id=claim_id,
        role=PREDICATES[predicate].role,
        predicate=predicate,
        args=dict(args),
        evidence=tuple(evidence),
        text="",
        status=ClaimStatus.UNVERIFIABLE,
        note="not checked",
    )


def check_structure(claims: Sequence[Claim], *, facts: Mapping[str, FactName]) -> None:
    """Check that a chain keeps to the grammar; whether it is true is another question.

    Args:
        claims: The chain, in order.
        facts: Name of each fact of the incident, by fact id.

    Raises:
        ChainError: The first claim that breaks it, with its position: an unknown predicate, a
            role out of order, an id used twice, an argument that is missing, unknown or of the
            wrong type, evidence that does not exist or that the predicate may not rest on, no
            verdict at the end, or more than ``MAX_CLAIMS`` claims.
    """
    if not claims or claims[-1].role is not ClaimRole.VERDICT:
        last = len(claims) - 1
        name = claims[-1].claim_id if claims else ""
        raise ChainError(max(last, 0), name, "the chain must end in a verdict")
    if len(claims) > MAX_CLAIMS:
        raise ChainError(
            MAX_CLAIMS, claims[MAX_CLAIMS].claim_id, f"at most {MAX_CLAIMS} claims, {len(claims)}"
        )
    citable = {claim.claim_id for claim in claims if claim.role in FACT_ROLES}
    hypotheses = {claim.claim_id for claim in claims if claim.role is ClaimRole.HYPOTHESIS}
    seen: set[str] = set()
    reached = 0
    for position, claim in enumerate(claims):
        reason = _order_problem(claim, reached=reached, seen=seen) or form_problem(claim)
        if reason is None and claim.role in FACT_ROLES:
            reason = evidence_problem(claim, facts)
        elif reason is None:
            allowed = citable if claim.role is ClaimRole.HYPOTHESIS else citable | hypotheses
            reason = _citation_problem(claim, allowed)
        if reason is not None:
            raise ChainError(position, claim.claim_id, reason)
        seen.add(claim.claim_id)
        reached = ROLE_ORDER.index(claim.role)


def form_problem(claim: Claim) -> str | None:
    """Return what is wrong with a claim taken by itself: predicate, role, arguments."""
    predicate = PREDICATES.get(claim.predicate)
    if predicate is None:
        return f"unknown predicate {claim.predicate[:MAX_WORD]!r}"
    if claim.role is not predicate.role:
        return f"{claim.predicate} has the role {predicate.role}, not {claim.role}"
    unknown = sorted(set(claim.args) - set(predicate.args))
    if unknown:
        return f"{claim.predicate} has no argument {unknown[0][:MAX_WORD]!r}"
    for name, kind in predicate.args.items():
        if name not in claim.args:
            return f"argument {name!r} of {claim.predicate} is missing"
        reason = _value_problem(claim.args[name], kind)
        if reason is not None:
            return f"argument {name!r} of {claim.predicate} {reason}"
    return None


def evidence_problem(claim: Claim, facts: Mapping[str, FactName]) -> str | None:
    """Return what is wrong with the facts that a claim cites: not there, or of the wrong name."""
    predicate = PREDICATES[claim.predicate]
    missing = [fact_id for fact_id in claim.evidence if fact_id not in facts]
    if missing:
        return f"there is no fact {missing[0][:MAX_WORD]!r}"
    if len(set(claim.evidence)) != len(claim.evidence):
        return "the same fact is cited twice"
    names = {facts[fact_id] for fact_id in claim.evidence}
    if not names:
        return f"{claim.predicate} cites no fact"
    lacking = [name for name in predicate.needs if name not in names]
    if lacking:
        return f"{claim.predicate} must cite a fact {lacking[0]}"
    foreign = sorted(names - set(predicate.needs) - set(predicate.may_use))
    if foreign:
        return f"{claim.predicate} may not rest on a fact {foreign[0]}"
    return None


def _order_problem(claim: Claim, *, reached: int, seen: Collection[str]) -> str | None:
    if not claim.claim_id:
        return "a claim needs an id"
    if claim.claim_id in seen:
        return "this id is used twice"
    if ROLE_ORDER.index(claim.role) < reached:
        return f"{claim.role} may not come after {ROLE_ORDER[reached]}"
    if claim.role is ClaimRole.VERDICT and reached == ROLE_ORDER.index(ClaimRole.VERDICT):
        return "there may be one verdict only"
    return None


def _citation_problem(claim: Claim, citable: Collection[str]) -> str | None:
    missing = [claim_id for claim_id in claim.evidence if claim_id not in citable]
    if missing:
        return f"there is no claim {missing[0][:MAX_WORD]!r} that {claim.role} may cite"
    if len(set(claim.evidence)) != len(claim.evidence):
        return "the same claim is cited twice"
    if claim.role is ClaimRole.HYPOTHESIS and not claim.evidence:
        return "a hypothesis must cite what it explains"
    return None


def _value_problem(value: str | float, kind: ArgType) -> str | None:
    if kind.is_number:
        if isinstance(value, bool | str) or not math.isfinite(value):
            return f"must be a finite number, got {str(value)[:MAX_WORD]!r}"
        return None
    if not isinstance(value, str) or not 0 < len(value) <= MAX_WORD:
        return f"must be 1 to {MAX_WORD} characters, got {str(value)[:40]!r}"
    if kind is ArgType.CAUSE and value not in CAUSES:
        return f"must be one of {', '.join(CAUSES)}, got {value!r}"
    if kind is ArgType.VERDICT and value not in set(ReasoningVerdict):
        return f"must be one of {', '.join(ReasoningVerdict)}, got {value!r}"
    return None
