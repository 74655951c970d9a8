"""What of all cameras' incidents is the one after the other, and the incident it makes (pure).

An incident is told as often as it is revised, late, and again after a restart; each of its rule
events counts once. The common clock is ``captured_at``. What is made has an id that derives from
the rule and from the second statement, which makes one pair at most: it is never told twice.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Final

from contracts.cameras import Camera
from contracts.clock import Clock
from contracts.ids import derived_id
from contracts.incidents import (
    EvidenceItem,
    EvidenceKind,
    Fact,
    FactName,
    Incident,
    IncidentState,
    RuleEvent,
)
from contracts.rules import RuleKind
from contracts.tracks import Track
from vision.fact_list import cite_only, merge_facts
from vision.reports import thinned
from vision.schedule import Schedule
from vision.sequence import KEPT, Happening, Pair, SequenceMatcher
from vision.sequence_across import SequenceAcross, deaf_ear, sequences_of

VERSION: Final = 1
LATE_S: Final = 600.0
"""News that comes so late is matched as if it had come in time."""
CLOCKS_S: Final = 0.2
"""Standard deviation between the clocks of two cameras whose times come by their streams."""
_POINTS: Final = 120
"""Points that are kept of a track."""
_NAMES: Final = {EvidenceKind.SNAPSHOT: "snapshot"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A statement that a sequence remembers, and the incident in which it came."""

    event_id: str
    incident: Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceMemory:
    """What one sequence remembers, in the order in which it heard of it.

    Attributes:
        key: Of the rule as it is configured; another configuration begins anew.
        told: Ids of the incidents that it has made.
    """

    key: str
    heard: tuple[Heard, ...]
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMemory:
    """What must survive a restart."""

    version: int = VERSION
    sequences: tuple[SequenceMemory, ...] = ()


class SiteSequences:
    """All sequences across the cameras of a site.

    Args:
        clock: For ``detected_at``.
        time_zone: Of the site, for the hours of rules.
        memory: Of whoever did this before.
    """

    def __init__(
        self, *, clock: Clock, time_zone: tzinfo, memory: SiteMemory | None = None
    ) -> None:
        self._clock = clock
        self._time_zone = time_zone
        self._remembered = {
            one.key: one for one in (memory.sequences if memory is not None else ())
        }
        self._sequences: dict[str, _Listener] = {}

    def configure(self, cameras: Sequence[Camera]) -> dict[str, str]:
        """Take up the rules of the cameras; those that are as they were go on.

        Returns:
            For the name of each sequence that hears nothing of a side, why.

        Raises:
            ConfigError: A rule cannot be read; everything stays as it was.
        """
        listeners: dict[str, _Listener] = {}
        deaf = {}
        for sequence in sequences_of(cameras):
            key = derived_id("sq", sequence.camera_id, repr(sequence.settings))
            known = self._sequences.get(key)
            if known is None:
                known = _Listener(sequence, self._time_zone, self._remembered.get(key))
            listeners[key] = known
            problem = deaf_ear(sequence, cameras)
            if problem:
                deaf[sequence.name] = problem
        self._sequences, self._remembered = listeners, {}
        return deaf

    def read(self, incident: Incident) -> list[Incident]:
        """Take one revision of an incident; return those that it completes."""
        made = []
        for listener in self._sequences.values():
            for event in incident.rule_events:
                for pair in listener.tell(incident, event):
                    one = self._incident(listener, pair)
                    listener.lighten(pair)
                    if one.incident_id not in listener.told:
                        listener.told.append(one.incident_id)
                        made.append(one)
        return made

    def memory(self) -> SiteMemory:
        """Return what must survive a restart."""
        return SiteMemory(
            sequences=tuple(
                SequenceMemory(
                    key=key,
                    heard=tuple(listener.heard.values()),
                    told=tuple(listener.told[-KEPT:]),
                )
                for key, listener in self._sequences.items()
            )
        )

    def _incident(self, listener: "_Listener", pair: Pair) -> Incident:
        sequence = listener.sequence
        first, then = listener.heard[pair.first.key], listener.heard[pair.then.key]
        event = _event(sequence, pair, first, then)
        evidence = (*then.incident.evidence, *_foreign(first.incident, then.incident))
        facts = [fact for fact in then.incident.facts if fact.name is not FactName.RULE_VALUE]
        kept = {item.frame_id for item in evidence if item.frame_id and item.ref}
        return replace(
            then.incident,
            incident_id=derived_id("ev", event.event_id),
            revision=1,
            state=IncidentState.CLOSED,
            kind=RuleKind.SEQUENCE,
            severity=event.severity,
            started_at=event.since_at,
            ended_at=max(event.at, event.since_at),
            started_s=event.since_s,
            updated_s=event.monotonic_s,
            decisive_at=event.at,
            detected_at=self._clock.now(),
            rule_events=(event,),
            facts=cite_only(merge_facts((), [*facts, _value_fact(event)]), kept),
            evidence=evidence,
        )


@dataclass(slots=True, eq=False)
class _Listener:
    """One sequence at work."""

    sequence: SequenceAcross
    time_zone: tzinfo
    before: SequenceMemory | None = None
    heard: dict[str, Heard] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    spent: set[str] = field(default_factory=set)
    matcher: SequenceMatcher = field(init=False)
    schedule: Schedule = field(init=False)

    def __post_init__(self) -> None:
        first, then = self.sequence.first, self.sequence.then
        self.matcher = SequenceMatcher(
            first=lambda one: (one.camera_id, one.rule_id) == (first.camera_id, first.rule_id),
            then=lambda one: (one.camera_id, one.rule_id) == (then.camera_id, then.rule_id),
            within_s=self.sequence.within_s,
            fits=lambda _first, _then: True,
        )
        self.schedule = Schedule(self.sequence.settings, time_zone=self.time_zone)
        if self.before is None:
            return
        # Told anew in its order, what was heard makes the pairs that it made, and they are known.
        for one in self.before.heard:
            self.heard[one.event_id] = one
            for pair in self.matcher.tell(_happening(one.incident, _event_of(one))):
                self.lighten(pair)
        self.told.extend(self.before.told)

    def tell(self, incident: Incident, event: RuleEvent) -> list[Pair]:
        """Take a statement; return the pairs that it completes."""
        speaker = (incident.camera_id, event.rule_id)
        sides = (self.sequence.first, self.sequence.then)
        if all(speaker != (side.camera_id, side.rule_id) for side in sides):
            return []
        known = self.heard.get(event.event_id)
        if known is None and not self.schedule.is_on(event.at):
            return []
        is_newer = known is None or incident.revision > known.incident.revision
        if is_newer and event.event_id not in self.spent:
            is_last = speaker == (self.sequence.then.camera_id, self.sequence.then.rule_id)
            slim = _slim(incident, event, is_last=is_last)
            self.heard[event.event_id] = Heard(event_id=event.event_id, incident=slim)
        pairs = self.matcher.tell(_happening(incident, event))
        self._forget()
        return pairs

    def lighten(self, pair: Pair) -> None:
        """Keep of what a pair was made of only that it was said."""
        for happening in (pair.first, pair.then):
            known = self.heard[happening.key]
            bare = replace(known.incident, tracks=(), facts=(), evidence=(), zones=(), lines=())
            self.heard[happening.key] = replace(known, incident=bare)
            self.spent.add(happening.key)

    def _forget(self) -> None:
        newest = max(_moment(_event_of(one)) for one in self.heard.values())
        horizon = newest - timedelta(seconds=self.sequence.within_s + LATE_S)
        for key, one in list(self.heard.items()):
            if _moment(_event_of(one)) < horizon:
                del self.heard[key]
        while len(self.heard) > 2 * KEPT:
            del self.heard[next(iter(self.heard))]
        self.spent &= self.heard.keys()


def _happening(incident: Incident, event: RuleEvent) -> Happening:
    return Happening(
        key=event.event_id,
        camera_id=incident.camera_id,
        rule_id=event.rule_id,
        at_s=_moment(event).timestamp(),
        track_ids=(event.track_id,),
        place=event.place,
    )


def _moment(event: RuleEvent) -> datetime:
    """Return when it happened: what is over in an instant, at its own moment."""
    is_own = event.kind.is_instant or event.kind is RuleKind.ZONE_ENTRY
    # The second of two things is when a sequence was met, not the first.
    return event.since_at if is_own and event.kind is not RuleKind.SEQUENCE else event.at


def _event_of(heard: Heard) -> RuleEvent:
    return heard.incident.rule_events[0]


def _event(sequence: SequenceAcross, pair: Pair, first: Heard, then: Heard) -> RuleEvent:
    settings = sequence.settings
    early, late = _event_of(first), _event_of(then)
    moment = _moment(late)
    detail = {
        "first": str(sequence.first),
        "then": str(sequence.then),
        "first_incident": first.incident.incident_id,
        "then_incident": then.incident.incident_id,
    }
    if sequence.title:
        detail["title"] = sequence.title
    behind_s = (late.at - moment).total_seconds()
    return RuleEvent(
        event_id=derived_id("re", sequence.camera_id, settings.rule_id, late.event_id),
        rule_id=settings.rule_id,
        rule_version=settings.version,
        kind=RuleKind.SEQUENCE,
        severity=settings.severity,
        track_id=late.track_id,
        at=late.at,
        monotonic_s=late.monotonic_s,
        frame_seq=late.frame_seq,
        since_at=_moment(early),
        since_s=late.monotonic_s - behind_s - pair.gap_s,
        value=pair.gap_s,
        threshold=sequence.within_s,
        sigma=math.hypot(_sigma_s(early), _sigma_s(late), CLOCKS_S),
        unit="s",
        detail=detail,
    )


def _sigma_s(event: RuleEvent) -> float:
    return event.sigma if event.unit == "s" else 0.1


def _value_fact(event: RuleEvent) -> Fact:
    return Fact(
        fact_id="",
        name=FactName.RULE_VALUE,
        subject=event.track_id,
        target=event.rule_id,
        value=event.value,
        text=event.unit,
        unit=event.unit,
        sigma=event.sigma,
        start_s=event.since_s,
        end_s=event.monotonic_s,
        source=f"rule:{event.rule_id}",
    )


def _slim(incident: Incident, event: RuleEvent, *, is_last: bool) -> Incident:
    """Return what has to be remembered of an incident for the sake of one of its statements.

    Of what only comes first, that is its pictures; of what comes last, also whom it is about.
    """
    about = {event.track_id, incident.camera_id} if is_last else set()
    tracks: list[Track] = [
        one for one in incident.tracks if is_last and one.track_id == event.track_id
    ]
    return replace(
        incident,
        rule_events=(event,),
        tracks=tuple(thinned(tracks, events=(event,), points=_POINTS, least=_POINTS)),
        facts=tuple(fact for fact in incident.facts if fact.subject in about),
    )


def _foreign(first: Incident, then: Incident) -> tuple[EvidenceItem, ...]:
    """Return the pictures of the first incident under names that the second's do not have.

    Clips and stills stay with the incidents that they belong to: an incident has one.
    """
    known = {(item.kind, item.frame_id) for item in then.evidence}
    pictures = (item for item in first.evidence if item.frame_id)
    renamed = (
        replace(
            item,
            kind=EvidenceKind.FRAME,
            frame_id=f"{_NAMES.get(item.kind, item.frame_id)}_{first.camera_id}",
            boxes={f"{first.camera_id}_{track}": box for track, box in item.boxes.items()},
        )
        for item in pictures
    )
    return tuple(item for item in renamed if (item.kind, item.frame_id) not in known)
