"""An incident as typed tokens: what the camera is, who is there, what was measured, in its time.

Shape legend: S = tokens that are read, F = features of a token, C = proposals.

Every number stands as two bounded features (see ``features_of``), so that a value that nobody has
ever seen bends nothing. What is not finite is left out and told in a feature of its own.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.detections import ANY_LABEL
from contracts.geometry import Line, Zone
from contracts.incidents import Fact, FactName, Incident, RuleEvent
from contracts.reasoning import Claim, ClaimStatus
from contracts.tracks import Track
from moe_core.checkers.case import Case
from moe_core.claims import FACT_ROLES, MEETS_RULE, PREDICATES
from moe_core.fact_table import problem_of
from moe_core.hypotheses import ALARMING
from moe_core.tokens.vocabulary import (
    FACT_KINDS,
    FAMILY_IDS,
    NAME_IDS,
    PREDICATE_IDS,
    SLOTS,
    STATUS_IDS,
    Kind,
    word_id,
)
from moe_core.tokens.ways import moment_numbers, track_numbers

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

NUMBERS: Final = 24
"""Numbers of a token at most."""
FEATURES: Final = 2 * NUMBERS + 1
MAX_FACTS: Final = 160
"""Facts that are read; those that proposals rest on come first."""
MAX_TRACKS: Final = 12
MAX_EVENTS: Final = 12
MAX_PLACES: Final = 4
TICKS_PER_S: Final = 10
MAX_TICK: Final = 6000
"""Ten minutes: what is longer apart counts as that."""
_BEFORE_S: Final = MAX_TICK / TICKS_PER_S
"""Time is not told from what began longer before a rule spoke: a car that has stood there since
morning would put all that happened at the end of time."""
_LOG_SCALE: Final = 4.0
_LARGEST: Final = 1e6
"""Numbers beyond it are told as it: no unit of a fact reaches so far."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prompt:
    """What is read of one incident.

    Attributes:
        kinds_S, names_S, words_S: Rows of the tables.
        slots_S, targets_S: Of the track that a token is about, and of the other that it names.
        features_SF: float32.
        ticks_S: Tenths of a second since the first thing of the ten minutes before a rule spoke, 0
            for what ended before it; never smaller than before.
        family: Row of the incident's kind.
        proposals: What may be claimed, in the order of a chain.
        left_out: Facts that were not read because there are too many.
    """

    kinds_S: Ints
    names_S: Ints
    words_S: Ints
    slots_S: Ints
    targets_S: Ints
    features_SF: Floats
    ticks_S: Ints
    family: int
    proposals: "Proposals"
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proposals:
    """What may be claimed: the draft's claims, checked, as arrays.

    Attributes:
        claims: The draft, without its verdict.
        predicates_C, statuses_C, slots_C: Rows of the tables.
        tokens_C: Index of the token whose fact or event each rests on first.
        features_CF: What checking gave, float32.
        needs_C: Index of the proposal without which it may not be written; -1 if none.
    """

    claims: tuple[Claim, ...]
    predicates_C: Ints
    statuses_C: Ints
    slots_C: Ints
    tokens_C: Ints
    features_CF: Floats
    needs_C: Ints

    def __len__(self) -> int:
        return len(self.claims)


@dataclass(slots=True)
class _Token:
    kind: int
    name: int = 0
    word: int = 0
    slot: int = 0
    target: int = 0
    numbers: Sequence[float] = ()
    at_s: float = -math.inf
    about: str = ""


def features_of(numbers: Iterable[float]) -> Floats:
    """Return two features a number, bounded: one that resolves small values, one large ones.

    The last feature says how many were not finite.
    """
    found = np.zeros(FEATURES, np.float32)
    for index, number in enumerate(numbers):
        if not math.isfinite(number):
            found[-1] += 1
            continue
        found[2 * index] = math.tanh(number)
        size = math.log1p(20 * min(abs(number), _LARGEST)) / _LOG_SCALE
        found[2 * index + 1] = math.copysign(size, number)
    return found


def prompt_of(case: Case, draft: Sequence[Claim]) -> Prompt:
    """Lay an incident out for the core.

    Args:
        case: The incident.
        draft: The program's chain without its verdict, checked.
    """
    incident = case.incident
    slots = {
        track.track_id: min(index + 1, SLOTS - 1) for index, track in enumerate(incident.tracks)
    }
    cited = {name: None for claim in draft if claim.role in FACT_ROLES for name in claim.evidence}
    facts, left_out = _read_facts(incident.facts, cited)
    events = case.events[:MAX_EVENTS]
    began_s = _beginning(incident, facts, events)
    header = [_camera(case)]
    header += [_zone(zone) for zone in incident.zones[:MAX_PLACES]]
    header += [_line(line) for line in incident.lines[:MAX_PLACES]]
    header += [_track(track, slots, case) for track in incident.tracks[:MAX_TRACKS]]
    told = [_event(case, event, slots, began_s) for event in events]
    told += [_fact(fact, slots, began_s) for fact in facts]
    told.sort(key=lambda token: token.at_s)
    tokens = [*header, *told]
    places = {token.about: index for index, token in enumerate(tokens) if token.about}
    ticks_S = np.zeros(len(tokens), np.int64)
    for index, token in enumerate(told, start=len(header)):
        ticks_S[index] = round(min(MAX_TICK, max(0.0, TICKS_PER_S * (token.at_s - began_s))))
    return Prompt(
        kinds_S=np.array([token.kind for token in tokens], np.int64),
        names_S=np.array([token.name for token in tokens], np.int64),
        words_S=np.array([token.word for token in tokens], np.int64),
        slots_S=np.array([token.slot for token in tokens], np.int64),
        targets_S=np.array([token.target for token in tokens], np.int64),
        features_SF=np.stack([features_of(token.numbers) for token in tokens]),
        ticks_S=ticks_S,
        family=FAMILY_IDS[incident.kind],
        proposals=_proposals(case, draft, slots, places),
        left_out=left_out,
    )


def _beginning(incident: Incident, facts: Sequence[Fact], events: Sequence[RuleEvent]) -> float:
    """Return from when on time is told: the first thing of the ten minutes before a rule spoke.

    Where nothing began in them, from when it spoke.
    """
    spoken = filter(math.isfinite, (event.monotonic_s for event in events))
    spoken_s = min(spoken, default=incident.started_s)
    starts = [fact.start_s for fact in facts] + [event.since_s for event in events]
    near = (start for start in starts if math.isfinite(start) and start >= spoken_s - _BEFORE_S)
    return min(near, default=spoken_s)


def _read_facts(facts: Sequence[Fact], cited: Mapping[str, None]) -> tuple[list[Fact], int]:
    """Return the facts that are read, and how many usable ones are not."""
    usable = [fact for fact in facts if problem_of(fact) is None]
    first = [fact for fact in usable if fact.fact_id in cited]
    others = [fact for fact in usable if fact.fact_id not in cited]
    read = (first + others[::-1])[:MAX_FACTS]
    return read, len(usable) - len(read)


def _camera(case: Case) -> _Token:
    incident = case.incident
    is_named = any(track.label != ANY_LABEL for track in incident.tracks if not track.is_region)
    hour = case.facts.newest(FactName.HOUR, incident.camera_id)
    light = case.facts.newest(FactName.LIGHT_CHANGE, incident.camera_id)
    moving = case.facts.newest(FactName.FOREGROUND_SHARE, incident.camera_id)
    angle = 0.0 if hour is None else 2 * math.pi * math.fmod(hour.value, 24) / 24
    numbers = (
        len(incident.tracks) / 5,
        len(incident.rule_events) / 5,
        (incident.updated_s - incident.started_s) / 20,
        0.0 if light is None else 5 * light.value,
        0.0 if moving is None else 2 * moving.value,
        0.0 if hour is None else math.sin(angle),
        0.0 if hour is None else math.cos(angle),
        float(incident.calibration is not None),
    )
    return _Token(
        kind=Kind.CAMERA,
        name=NAME_IDS[f"state:{incident.state}"],
        word=word_id("named" if is_named else ANY_LABEL),
        numbers=numbers,
    )


def _zone(zone: Zone) -> _Token:
    xs, ys = zip(*zone.polygon, strict=True)
    middle = (sum(xs) / len(xs), sum(ys) / len(ys))
    numbers = (zone.area, *middle, min(xs), min(ys), max(xs), max(ys), float(zone.is_restricted))
    return _Token(kind=Kind.ZONE, word=word_id(zone.zone_id), numbers=numbers)


def _line(line: Line) -> _Token:
    first, last = line.points[0], line.points[-1]
    return _Token(kind=Kind.LINE, word=word_id(line.line_id), numbers=(*first, *last))


def _posture_name(track: Track) -> int:
    """Return the row of the last posture that was told; 0 if none was."""
    told = next((point.posture for point in reversed(track.points) if point.postures), "")
    return NAME_IDS.get(f"posture:{told}", 0)


def _track(track: Track, slots: Mapping[str, int], case: Case) -> _Token:
    return _Token(
        kind=Kind.REGION if track.is_region else Kind.TRACK,
        word=word_id(track.label),
        slot=slots[track.track_id],
        name=_posture_name(track),
        numbers=track_numbers(track, case.way(track.track_id)),
    )


def _event(case: Case, event: RuleEvent, slots: Mapping[str, int], began_s: float) -> _Token:
    past = event.margin / event.sigma if event.sigma > 0 else math.copysign(20, event.margin)
    other = event.other_track_ids[0] if event.other_track_ids else ""
    numbers = (
        event.value,
        event.threshold,
        event.margin,
        past / 3,
        event.value / event.threshold if event.threshold else 0.0,
        (event.monotonic_s - event.since_s) / 20,
        (event.monotonic_s - began_s) / 20,
        len(event.other_track_ids) / 3,
        float(bool(event.zone_id)),
        float(bool(event.line_id)),
        event.severity.rank / 4,
        *moment_numbers(case, event),
    )
    return _Token(
        kind=Kind.EVENT,
        name=NAME_IDS[f"rule:{event.kind}"],
        word=word_id(event.unit),
        slot=slots.get(event.track_id, SLOTS - 1),
        target=slots.get(other, SLOTS - 1) if other else 0,
        numbers=numbers,
        at_s=event.monotonic_s if math.isfinite(event.monotonic_s) else began_s,
        about=event.event_id,
    )


def _fact(fact: Fact, slots: Mapping[str, int], began_s: float) -> _Token:
    numbers = (
        fact.value,
        5 * fact.value,
        fact.sigma,
        20 * fact.sigma,
        fact.value / fact.sigma / 5 if fact.sigma > 0 else 0.0,
        (fact.end_s - fact.start_s) / 20,
        max(0.0, fact.end_s - began_s) / 20,
    )
    return _Token(
        kind=FACT_KINDS[fact.name],
        name=NAME_IDS[str(fact.name)],
        word=word_id(fact.text),
        slot=slots.get(fact.subject, 0),
        target=slots.get(fact.target, 0),
        numbers=numbers,
        at_s=fact.end_s,
        about=fact.fact_id,
    )


def _proposals(
    case: Case, draft: Sequence[Claim], slots: Mapping[str, int], places: Mapping[str, int]
) -> Proposals:
    by_id = {claim.claim_id: index for index, claim in enumerate(draft)}
    tokens, needs, rows = [], [], []
    for claim in draft:
        tokens.append(_token_of(case, claim, places))
        needs.append(_need_of(claim, draft, by_id))
        rows.append(features_of(_checked_numbers(claim)))
    return Proposals(
        claims=tuple(draft),
        predicates_C=np.array([PREDICATE_IDS[claim.predicate] for claim in draft], np.int64),
        statuses_C=np.array([STATUS_IDS[claim.status] for claim in draft], np.int64),
        slots_C=np.array([slots.get(str(claim.args.get("track")), 0) for claim in draft], np.int64),
        tokens_C=np.array(tokens, np.int64),
        features_CF=np.stack(rows) if rows else np.zeros((0, FEATURES), np.float32),
        needs_C=np.array(needs, np.int64),
    )


def _token_of(case: Case, claim: Claim, places: Mapping[str, int]) -> int:
    """Return the token that a claim points at: its event's, else its first fact's; 0 if unread."""
    if "rule" in claim.args:
        event = case.event(str(claim.args["rule"]), str(claim.args.get("track", "")))
        if event is not None and event.event_id in places:
            return places[event.event_id]
    return next((places[name] for name in claim.evidence if name in places), 0)


def _need_of(claim: Claim, draft: Sequence[Claim], by_id: Mapping[str, int]) -> int:
    """Return the deciding claim of an alarming hypothesis: it may not stand without it."""
    if claim.predicate not in ALARMING.values():
        return -1
    cited = (by_id[name] for name in claim.evidence if name in by_id)
    return next((index for index in cited if draft[index].predicate == MEETS_RULE), -1)


def _checked_numbers(claim: Claim) -> list[float]:
    """Return what a claim says and what checking it gave, in units of its tolerance."""
    predicate = PREDICATES[claim.predicate]
    said = [float(claim.args[name]) for name in predicate.numbers][:2]
    numbers = [*said, *[0.0] * (2 - len(said))]
    measured, tolerance = claim.measured, claim.tolerance
    numbers.append(0.0 if measured is None else measured)
    numbers.append(0.0 if tolerance is None else 10 * tolerance)
    if measured is not None and tolerance and predicate.cause is not None:
        numbers.append((measured - predicate.cause.limit) / tolerance)
    elif measured is not None and tolerance and said:
        numbers.append((measured - said[0]) / tolerance)
    else:
        numbers.append(0.0)
    numbers.append(float(claim.status is ClaimStatus.SUPPORTED))
    return numbers
