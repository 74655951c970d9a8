"""Writes the chain of an incident from its facts: what the program has to say, in claims.

Only what the facts show is written, each number a copy of its fact. Which benign causes are ruled
out and which stand is decided by the verifier's own checks, so the program never argues for more
than can be measured.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.detections import ANY_LABEL
from contracts.incidents import Fact, FactName, IncidentState, RuleEvent
from contracts.reasoning import Claim, ClaimRole, ClaimStatus, ReasoningVerdict
from contracts.rules import RuleKind
from moe_core.causes import CAUSES, Cause
from moe_core.checkers.benign import beyond_line
from moe_core.checkers.case import K_SIGMA, Case
from moe_core.claims import (
    COULD_BE,
    MEETS_RULE,
    PREDICATES,
    ROLE_ORDER,
    RULE_FACTS,
    VERDICT,
    draft,
    form_problem,
)
from moe_core.hypotheses import ALARMING
from moe_core.verify import check_claim

MAX_EVENTS: Final = 4
"""Rule statements that one chain speaks about; a crowd is counted, not listed."""
MAX_TRACKS: Final = 3
MAX_BENIGN: Final = 3
"""Benign hypotheses of one chain."""
_FIRST_OF_OTHERS: Final = frozenset({"detector_noise", "wrong_object"})
"""Causes that are said to be ruled out for each track, not only for the first."""

Args = Mapping[str, str | float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Line:
    """One line of the chain before it has an id."""

    predicate: str
    args: Args
    facts: tuple[str, ...] = ()
    cites: tuple["_Line", ...] = ()

    @property
    def role(self) -> ClaimRole:
        return PREDICATES[self.predicate].role


def write_chain(case: Case) -> tuple[Claim, ...]:
    """Return the chain without its verdict, unchecked, ids ``c1``, ``c2``, … in order."""
    events = told_events(case)
    lines: list[_Line] = []
    standing: dict[str, list[_Line]] = {}
    for event in events:
        lines += _event_lines(case, event, known=lines)
    lines += _picture_lines(case, events[:1])
    lead = events[0].track_id if events else ""
    for event in _by_track(events):
        for line in _cause_lines(case, event, is_lead=event.track_id == lead):
            cause = PREDICATES[line.predicate].cause
            if line.role is ClaimRole.COUNTER and cause is not None:
                standing.setdefault(cause.name, []).append(line)
            lines.append(line)
        lines += _other_counters(case, event)
    for name, counters in list(standing.items())[:MAX_BENIGN]:
        if case.incident.kind in CAUSES[name].kinds:
            lines.append(_Line(predicate=COULD_BE, args={"cause": name}, cites=tuple(counters)))
    return _numbered(lines)


def add_verdict(chain: Sequence[Claim], verdict: ReasoningVerdict) -> tuple[Claim, ...]:
    """Return the chain with its verdict, which cites every hypothesis and what decides."""
    cited = [
        claim.claim_id
        for claim in chain
        if claim.predicate == MEETS_RULE or claim.role is ClaimRole.HYPOTHESIS
    ]
    last = draft(f"c{len(chain) + 1}", VERDICT, {"verdict": str(verdict)}, cited)
    return (*chain, last)


def told_events(case: Case) -> tuple[RuleEvent, ...]:
    """Return the rule statements that the chain speaks about: most severe first, then oldest."""
    tracks: dict[str, None] = {}
    told: list[RuleEvent] = []
    for event in sorted(case.events, key=lambda event: -event.severity.rank):
        if event.track_id not in tracks and len(tracks) == MAX_TRACKS:
            continue
        tracks[event.track_id] = None
        told.append(event)
    return tuple(told[:MAX_EVENTS])


def _by_track(events: Iterable[RuleEvent]) -> list[RuleEvent]:
    first: dict[str, RuleEvent] = {}
    for event in events:
        first.setdefault(event.track_id, event)
    return list(first.values())


def _event_lines(case: Case, event: RuleEvent, *, known: Sequence[_Line]) -> list[_Line]:
    """Return what was observed of one rule statement, and the hypothesis that it is real."""
    track = event.track_id
    lines: list[_Line] = []
    shown = [line for line in known if line.args.get("track") == track]
    present = next((line for line in shown if line.predicate == "present"), None)
    if present is None:
        present = _copied(
            case.facts.newest(FactName.PRESENT, track), "present", number="seconds", word="label"
        )
        followed = case.track(track)
        is_region = followed is not None and followed.is_region
        entered = _copied(
            None if is_region else case.facts.newest(FactName.ENTERED_FROM, track),
            "entered_from",
            number="distance",
            word="side",
        )
        lines += [line for line in (present, entered) if line is not None]
    where = _place_lines(case, event, shown)
    lines += [*where, *_fall_lines(case, event, shown), *_doer_lines(case, event, known)]
    meets = _meets_line(case, event)
    if meets is None:
        return lines
    lines.append(meets)
    cites = tuple(line for line in (present, *where[:1], meets) if line is not None)
    args = {"track": track, "place": event.place, "rule": event.rule_id}
    lines.append(_Line(predicate=ALARMING[event.kind], args=args, cites=cites))
    return lines


def _place_lines(case: Case, event: RuleEvent, shown: Sequence[_Line]) -> list[_Line]:
    """Return how the track relates to the zone or line, as far as it was not said before."""
    track, facts = event.track_id, case.facts
    found: list[_Line | None] = []
    if event.line_id:
        crossed = facts.at(FactName.CROSSED, track, event.line_id, end_s=event.monotonic_s)
        speed = facts.newest(FactName.SPEED, track)
        found.append(_copied(crossed, "crossed", number="step", word="direction", place="line"))
        found.append(_copied(speed, "speed", number="speed"))
    if event.zone_id:
        inside = facts.newest(FactName.INSIDE, track, event.zone_id)
        found.append(_copied(inside, "inside", number="depth", place="zone"))
        dwell = facts.newest(FactName.DWELL, track, event.zone_id)
        if dwell is not None and (
            event.unit != "s" or dwell.value > event.value + K_SIGMA * max(dwell.sigma, event.sigma)
        ):
            found.append(_copied(dwell, "dwell", number="seconds", place="zone"))
    said = {(line.predicate, line.facts) for line in shown}
    return [line for line in found if line is not None and (line.predicate, line.facts) not in said]


def _doer_lines(case: Case, event: RuleEvent, known: Sequence[_Line]) -> list[_Line]:
    """Return who left or took a thing, and where he is, as far as it was seen."""
    told = {line.args.get("track") for line in known if line.predicate == "present"}
    found: list[_Line | None] = []
    for other in event.other_track_ids[:1]:
        doings = [
            _copied(
                case.facts.newest(name, event.track_id, other),
                name.value,
                number="distance",
                word="who",
                place="other",
            )
            for name in (FactName.LEFT_BY, FactName.OWNER_AWAY, FactName.TAKEN_BY)
        ]
        if any(doings) and other not in told and case.track(other) is not None:
            present = case.facts.newest(FactName.PRESENT, other)
            found.append(_copied(present, "present", number="seconds", word="label"))
        found += doings
    return [line for line in found if line is not None]


def _fall_lines(case: Case, event: RuleEvent, shown: Sequence[_Line]) -> list[_Line]:
    """Return how whoever fell came down and is now, as far as it was not said before."""
    if event.kind is not RuleKind.FALL:
        return []
    track, facts = event.track_id, case.facts
    found = (
        _copied(facts.newest(FactName.HEAD_DROP, track), "came_down", number="heights"),
        _copied(facts.newest(FactName.DOWN, track), "down", number="seconds"),
        _copied(facts.newest(FactName.POSTURE, track), "posture", number="share", word="posture"),
    )
    said = {(line.predicate, line.facts) for line in shown}
    return [line for line in found if line is not None and (line.predicate, line.facts) not in said]


def _meets_line(case: Case, event: RuleEvent) -> _Line | None:
    place = event.place
    facts = []
    for name in RULE_FACTS:
        target = event.rule_id if name is FactName.RULE_VALUE else place
        fact = case.facts.at(name, event.track_id, target, end_s=event.monotonic_s)
        if fact is not None:
            facts.append(fact.fact_id)
    if not facts:
        return None
    args: Args = {
        "track": event.track_id,
        "rule": event.rule_id,
        "place": place,
        "value": event.value,
        "threshold": event.threshold,
        "unit": event.unit,
    }
    return _well_formed(_Line(predicate=MEETS_RULE, args=args, facts=tuple(facts)))


def _picture_lines(case: Case, events: Sequence[RuleEvent]) -> list[_Line]:
    """Return the hour, and who else was there, for the first rule statement."""
    camera_id = case.incident.camera_id
    lines = [_copied(case.facts.newest(FactName.HOUR, camera_id), "hour", number="hour")]
    for event in events:
        others = case.facts.newest(FactName.OTHERS_PRESENT, event.track_id)
        if others is None:
            continue
        if others.value < 1:
            args: Args = {"track": event.track_id}
            lines.append(_Line(predicate="alone", args=args, facts=(others.fact_id,)))
            continue
        lines.append(_copied(others, "others_present", number="count"))
        for track in case.incident.tracks:
            near = case.facts.newest(FactName.NEAR, event.track_id, track.track_id)
            if near is not None:
                lines.append(_copied(near, "near", number="distance", place="other"))
                break
    return [line for line in lines if line is not None]


def _cause_lines(case: Case, event: RuleEvent, *, is_lead: bool) -> list[_Line]:
    """Return, for each benign cause that was measured, that it is ruled out or that it stands."""
    lines = []
    track = case.track(event.track_id)
    is_named = track is not None and track.label != ANY_LABEL
    for cause in CAUSES.values():
        if event.kind not in cause.kinds or (cause.is_about_picture and not is_lead):
            continue
        if cause.needs_label is True and not is_named:
            continue
        line = _cause_line(case, event, cause)
        if line is None:
            continue
        if line.role is ClaimRole.COUNTER and cause.needs_label is False and is_named:
            continue
        is_new = is_lead or line.role is ClaimRole.COUNTER or cause.name in _FIRST_OF_OTHERS
        if is_new:
            lines.append(line)
    return lines


def _cause_line(case: Case, event: RuleEvent, cause: Cause) -> _Line | None:
    subject = case.incident.camera_id if cause.is_about_picture else event.track_id
    place = event.place if cause.fact in (FactName.INSIDE, FactName.CROSSED) else ""
    fact = case.facts.newest(cause.fact, subject, place)
    if fact is None:
        return None
    value: float | None = fact.value
    args: dict[str, str | float] = {} if cause.is_about_picture else {"track": subject}
    facts = [fact.fact_id]
    if cause.fact is FactName.INSIDE:
        args["zone"] = place
    if cause.fact is FactName.CROSSED:
        args["line"] = place
        value = beyond_line(case, fact)
    if cause.fact is FactName.LABEL_SHARE:
        args["label"] = fact.text
    if value is None:
        return None
    if cause.per is None:
        args["value"] = value
    else:
        lasting = case.facts.newest(cause.per, subject)
        if lasting is None:
            return None
        args |= {"distance": value, "seconds": lasting.value}
        facts.append(lasting.fact_id)
    for predicate in (cause.ruled_out, cause.standing):
        line = _Line(predicate=predicate, args=args, facts=tuple(facts))
        if _is_supported(case, line):
            return line
    return None


def _other_counters(case: Case, event: RuleEvent) -> list[_Line]:
    """Return what else stands against the alert: a kind nobody knows, a stay hardly long enough.

    A stay that goes on is reported when it reaches its threshold, so being near it says nothing;
    one that is over does.
    """
    lines = []
    track = event.track_id
    present = case.facts.newest(FactName.PRESENT, track)
    dwell = case.facts.newest(FactName.DWELL, track, event.zone_id)
    if present is not None:
        lines.append(
            _Line(predicate="kind_unknown", args={"track": track}, facts=(present.fact_id,))
        )
    is_stay = event.unit == "s" and not event.kind.is_instant
    if dwell is not None and is_stay and case.incident.state is IncidentState.CLOSED:
        args: Args = {
            "track": track,
            "rule": event.rule_id,
            "zone": event.zone_id,
            "seconds": dwell.value,
            "threshold": event.threshold,
        }
        lines.append(_Line(predicate="near_threshold", args=args, facts=(dwell.fact_id,)))
    return [line for line in lines if _is_supported(case, line)]


def _copied(
    fact: Fact | None, predicate: str, *, number: str, word: str = "", place: str = ""
) -> _Line | None:
    """Return the claim that repeats a fact, or None without one or where its word is missing."""
    if fact is None or (word and not fact.text):
        return None
    kinds = PREDICATES[predicate].args
    args: dict[str, str | float] = {}
    if "track" in kinds:
        args["track"] = fact.subject
    if place:
        args[place] = fact.target
    if word:
        args[word] = fact.text
    args[number] = fact.value
    return _well_formed(_Line(predicate=predicate, args=args, facts=(fact.fact_id,)))


def _well_formed(line: _Line) -> _Line | None:
    """Return the line unless the grammar refuses it: a number that is none, an endless word."""
    claim = draft("c0", line.predicate, line.args, line.facts)
    return line if form_problem(claim) is None else None


def _is_supported(case: Case, line: _Line) -> bool:
    claim = draft("c0", line.predicate, line.args, line.facts)
    return check_claim(case, claim, checked={}).status is ClaimStatus.SUPPORTED


def _numbered(lines: Sequence[_Line]) -> tuple[Claim, ...]:
    ordered = sorted(lines, key=lambda line: ROLE_ORDER.index(line.role))
    ids = {id(line): f"c{index}" for index, line in enumerate(ordered, start=1)}
    return tuple(
        draft(
            ids[id(line)],
            line.predicate,
            line.args,
            line.facts or tuple(ids[id(cited)] for cited in line.cites),
        )
        for line in ordered
    )
