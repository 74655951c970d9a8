"""Text for people, rendered from checked claims: prose cannot say more than they do.

Numbers, names and kinds are copied. A track is called by its kind only where a supported claim
says so; otherwise it is "something". Titles and summaries use supported claims alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from contracts.incidents import WHOLE_PICTURE
from contracts.reasoning import Claim, ClaimRole, ClaimStatus, ReasoningVerdict
from contracts.rules import RuleKind, Severity
from moe_core.checkers.case import Case
from moe_core.claims import MEETS_RULE, PREDICATES, VERDICT, ArgType, form_problem
from moe_core.hypotheses import ALARMING
from moe_core.texts import en

MAX_TITLE: Final = 80
MAX_SUMMARY_CAUSES: Final = 3
"""A summary names so many causes at most; the chain has them all."""
_MAX_COUNTERS: Final = 2
_WHOLE_PICTURE: Final = 0.999
_CLOCK_SLACK_MIN: Final = 0.01
"""By how much a full minute may be missed in hours with a few decimals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What tracks and places are called in one chain.

    Attributes:
        labels: Kind of each track, by track id, as far as supported claims say it.
        is_numbered: Whether track ids are needed to tell tracks apart.
        places: Names of zones and lines, by id.
        lines: Ids of lines.
        kinds: Kind of each rule, by rule id.
        titles: Headline of each rule that has its own, by rule id.
    """

    labels: Mapping[str, str]
    is_numbered: bool
    places: Mapping[str, str]
    lines: frozenset[str]
    kinds: Mapping[str, RuleKind] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)

    def label(self, track_id: str) -> str:
        """Return the track's kind, ``object`` where no supported claim says it."""
        return self.labels.get(track_id, en.UNKNOWN_LABEL)

    def place(self, place_id: str) -> str:
        """Return the name of a zone or line, its id where it has none."""
        return self.places.get(place_id, place_id)


def naming_of(claims: Iterable[Claim], case: Case) -> Naming:
    """Return what things are called, by the supported claims of one checked chain."""
    labels: dict[str, str] = {}
    tracks: set[str] = set()
    for claim in claims:
        if "track" in claim.args:
            tracks.add(str(claim.args["track"]))
        if claim.predicate == "present" and claim.status is ClaimStatus.SUPPORTED:
            labels[str(claim.args["track"])] = str(claim.args["label"])
    places = {WHOLE_PICTURE: en.WHOLE_PICTURE}
    places |= {zone.zone_id: zone.name or zone.zone_id for zone in case.incident.zones}
    places |= {line.line_id: line.name or line.line_id for line in case.incident.lines}
    return Naming(
        labels=labels,
        is_numbered=len(tracks) > 1,
        places=places,
        lines=frozenset(line.line_id for line in case.incident.lines),
        kinds={event.rule_id: event.kind for event in case.events},
        titles={
            event.rule_id: event.detail["title"]
            for event in case.events
            if event.detail.get("title")
        },
    )


def claim_text(claim: Claim, naming: Naming) -> str:
    """Return one sentence that says what the claim says; none for what is no claim."""
    if form_problem(claim) is not None:
        return en.MALFORMED
    return _filled(_template(en.CLAIMS, claim, naming), claim, naming)


def title_of(claims: Sequence[Claim], *, kind: RuleKind, naming: Naming) -> str:
    """Return a headline of at most 80 characters."""
    stated, alarming = _stated(claims), _alarming(claims)
    deciding = stated[0] if stated else None
    alarming = [claim for claim in alarming if claim.predicate == ALARMING[kind]]
    if not alarming or deciding is None:
        return _unconfirmed_title(claims, kind=kind, naming=naming)
    own = naming.titles.get(str(deciding.args["rule"]))
    if own is not None:
        return _clipped(own)
    labels = [naming.label(str(claim.args["track"])) for claim in alarming]
    args = _words(deciding, naming) | {"value": _longest_stay(claims, deciding, naming)}
    args["bare"] = en.bare(labels[0])
    if len(labels) > 1:
        args["bare"] = (
            en.plural(labels[0], len(labels))
            if len(set(labels)) == 1
            else en.AND_MORE.format(first=en.bare(labels[0]), count=len(labels) - 1)
        )
    template = en.TITLES[ALARMING[kind]]
    if len(labels) == 1 and kind is RuleKind.LOITER and deciding.args["unit"] == "s":
        template = en.TITLES[f"{ALARMING[kind]}.stayed"]
    return _clipped(template.format_map(args))


def summary_of(claims: Sequence[Claim], *, naming: Naming) -> str:
    """Return two or three sentences: what was seen, why it matters, what speaks against it."""
    stated = _stated(claims)
    verdict = next(str(claim.args["verdict"]) for claim in claims if claim.predicate == VERDICT)
    alarming = _alarming(claims)
    if verdict != ReasoningVerdict.CONFIRMED or not stated or not alarming:
        return en.SEEN[verdict if verdict in en.SEEN else ReasoningVerdict.UNVERIFIED]
    words = _words(stated[0], naming) | {"value": _longest_stay(claims, stated[0], naming)}
    sentences = [_capital(_template(en.SEEN, stated[0], naming).format_map(words))]
    others = len({claim.args["track"] for claim in stated}) - 1
    if others:
        sentences.append(en.SEEN["more.1" if others == 1 else "more"].format(count=others))
    why = en.WHY[alarming[0].predicate].format_map(_words(alarming[0], naming))
    sentences.append(_ruled_out_sentence(claims, why=why))
    counters = [
        claim.text
        for claim in claims
        if claim.role is ClaimRole.COUNTER and claim.status is ClaimStatus.SUPPORTED
    ]
    sentences.append(
        en.AGAINST.format(counters=_lower(" ".join(counters[:_MAX_COUNTERS])))
        if counters
        else en.NOTHING_AGAINST
    )
    return " ".join(sentences)


def lowered_text(*, before: Severity, after: Severity) -> str:
    """Return the sentence that says that measurement lowered the alert."""
    if before is after:
        return en.WATCHED.format(before=before)
    return en.LOWERED.format(before=before, after=after)


def failure_title(kind: RuleKind, case: Case) -> str:
    """Return a headline for an incident that could not be reasoned about."""
    event = next(iter(case.incident.rule_events), None)
    if event is None:
        return _clipped(en.TITLES["unplaced"].format(kind=en.KINDS[kind], bare=en.SOMETHING))
    place = naming_of((), case).place(event.place)
    return _clipped(
        en.TITLES["unchecked"].format(kind=en.KINDS[kind], bare=en.SOMETHING, place=place)
    )


def failure_text(error: str) -> str:
    """Return the sentence that says that reasoning failed; ``error`` is the error's class."""
    return en.NOT_REASONED.format(error=error)


def quantity(value: float, unit: str) -> str:
    """Return a number rounded as people say it, with its unit.

    Args:
        value: In ``unit``.
        unit: ``s``, ``picture``, ``picture/s``, ``share``, ``1``, ``h`` or one of ``en.UNITS``.
    """
    if unit == "h":
        # A clock that says 21:09 has not reached 21:10.
        minutes = int(value * 60 + _CLOCK_SLACK_MIN) % (24 * 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}"
    if unit in ("picture", "picture/s", "share"):
        value = abs(value) * 100
    return en.UNITS.get(unit, "{number} " + unit).format(number=_number(value))


def _number(value: float) -> str:
    """Return at most one decimal below 10, none from there on, at least one digit that counts."""
    size = abs(value)
    if size >= 9.95:
        return f"{value:.0f}"
    if size < 0.05 and size > 0:
        return f"{value:.1g}" if size >= 0.001 else "0"
    text = f"{value:.1f}"
    return text.removesuffix(".0")


def _stated(claims: Sequence[Claim]) -> list[Claim]:
    """Return the supported claims that a rule's condition held."""
    return [
        claim
        for claim in claims
        if claim.predicate == MEETS_RULE and claim.status is ClaimStatus.SUPPORTED
    ]


def _alarming(claims: Sequence[Claim]) -> list[Claim]:
    """Return the supported hypotheses that what a rule is there to find has happened."""
    return [
        claim
        for claim in claims
        if claim.predicate in en.WHY and claim.status is ClaimStatus.SUPPORTED
    ]


def _longest_stay(claims: Sequence[Claim], deciding: Claim, naming: Naming) -> str:
    """Return the deciding value; for a stay, by the newest supported claim about it."""
    kind = naming.kinds.get(str(deciding.args["rule"]), RuleKind.LOITER)
    later = [
        float(claim.args["seconds"])
        for claim in claims
        if claim.predicate == "dwell"
        and deciding.args["unit"] == "s"
        and not kind.is_instant
        and claim.status is ClaimStatus.SUPPORTED
        and claim.args["track"] == deciding.args["track"]
        and claim.args["zone"] == deciding.args["place"]
    ]
    value = max([float(deciding.args["value"]), *later])
    return quantity(value, str(deciding.args["unit"]))


def _unconfirmed_title(claims: Sequence[Claim], *, kind: RuleKind, naming: Naming) -> str:
    deciding = next((claim for claim in claims if claim.predicate == MEETS_RULE), None)
    if deciding is None:
        tracks = [claim.args["track"] for claim in claims if "track" in claim.args]
        label = naming.label(str(tracks[0])) if tracks else en.UNKNOWN_LABEL
        return _clipped(en.TITLES["unplaced"].format(kind=en.KINDS[kind], bare=en.bare(label)))
    label = naming.label(str(deciding.args["track"]))
    place = naming.place(str(deciding.args["place"]))
    return _clipped(
        en.TITLES["unchecked"].format(kind=en.KINDS[kind], bare=en.bare(label), place=place)
    )


def _ruled_out_sentence(claims: Sequence[Claim], *, why: str) -> str:
    names: dict[str, None] = {}
    for claim in claims:
        cause = PREDICATES[claim.predicate].cause
        if claim.role is not ClaimRole.RULED_OUT or cause is None:
            continue
        if claim.status is ClaimStatus.SUPPORTED:
            names[en.CAUSES[cause.name]] = None
    if not names:
        return en.NONE_RULED_OUT.format(why=why)
    listed = list(names)[:MAX_SUMMARY_CAUSES]
    joined = ", ".join(listed[:-1]) + (en.AND if len(listed) > 1 else "") + listed[-1]
    return en.RULED_OUT.format(why=why, causes=joined)


def _template(texts: Mapping[str, str], claim: Claim, naming: Naming) -> str:
    """Return the claim's template, by its variant if the language has one."""
    for variant in _variants(claim, naming):
        if f"{claim.predicate}.{variant}" in texts:
            return texts[f"{claim.predicate}.{variant}"]
    return texts[claim.predicate]


def _variants(claim: Claim, naming: Naming) -> tuple[str, ...]:
    args = claim.args
    if claim.predicate == MEETS_RULE:
        place = "line" if args["place"] in naming.lines else "zone"
        variant = f"{place}.{args['unit']}"
        is_whole = float(args["value"]) > _WHOLE_PICTURE
        kind = naming.kinds.get(str(args["rule"]), "")
        whole = (f"{variant}.whole",) if is_whole else ()
        return (str(kind), *whole, variant, str(args["unit"]))
    if claim.predicate == "owner_away":
        return (str(args["who"]),)
    if claim.predicate == "entered_from":
        return (str(args["side"]),)
    if claim.predicate == "inside":
        depth = float(args["depth"])
        return ("outside",) if depth < 0 else ("whole",) if depth > _WHOLE_PICTURE else ()
    if claim.predicate == "not_edge_touch":
        return ("whole",) if float(args["value"]) > _WHOLE_PICTURE else ()
    if claim.predicate == "others_present":
        return (f"{float(args['count']):g}",)
    if claim.predicate == VERDICT:
        return (str(args["verdict"]),)
    return ()


def _filled(template: str, claim: Claim, naming: Naming) -> str:
    return _capital(template.format_map(_words(claim, naming)))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _words(claim: Claim, naming: Naming) -> dict[str, str]:
    """Return the claim's arguments written out, and what its tracks are called."""
    kinds = PREDICATES[claim.predicate].args
    words = {name: _word(claim, name, kind, naming) for name, kind in kinds.items()}
    track_id = str(claim.args.get("track", ""))
    label = naming.label(track_id)
    if claim.predicate == "present":
        label = str(claim.args["label"])
    numbered = en.NUMBERED.format(label=label, track=track_id)
    words["a"] = numbered if naming.is_numbered and track_id else en.indefinite(label)
    words["it"] = numbered if naming.is_numbered and track_id else en.definite(label)
    if "other" in kinds:
        other_id = str(claim.args["other"])
        words["other"] = en.NUMBERED.format(label=naming.label(other_id), track=other_id)
    return words


def _word(claim: Claim, name: str, kind: ArgType, naming: Naming) -> str:
    value = claim.args[name]
    if kind.is_number and not isinstance(value, str):
        unit = str(claim.args["unit"]) if kind is ArgType.IN_RULE_UNIT else str(kind)
        return quantity(value, unit)
    if kind in (ArgType.ZONE, ArgType.LINE, ArgType.PLACE):
        return naming.place(str(value))
    if kind is ArgType.CAUSE:
        return en.CAUSES.get(str(value), str(value))
    return str(value)


def _clipped(title: str) -> str:
    if len(title) <= MAX_TITLE:
        return title
    return title[: MAX_TITLE - 3].rstrip() + "..."
