"""Rule kind ``sequence``: one rule's statement and then another's, within a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.geometry import Zone, standing_point
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings
from contracts.tracks import Track
from vision.observation import Observation
from vision.rules.place import is_within
from vision.rules.rule import Measured, Params, state_event
from vision.sequence import Happening, Pair, SequenceMatcher
from vision.sequence_across import WITHIN_S, is_across, sequence_across

SAME: Final = "same"
ANY: Final = "any"
_KEPT: Final = 512
_OWN: Final = "own"


@dataclass(frozen=True, slots=True)
class _Told:
    """What must be remembered of a happening to speak about it: the moment, and its uncertainty."""

    at: datetime
    sigma_s: float


class SequenceRule:
    """Reports each time when rule ``then`` speaks within ``within_s`` after rule ``first``.

    Params: ``first`` and ``then``, ids of rules of the camera; ``within_s`` (30); ``who``
    (``same``: both are about one track, as main or other; or ``any``); ``title`` of its alerts.
    With a zone, the track of each must stand in it when its rule speaks.

    The time of a crossing, entry or exit is its own moment; any other condition counts from when
    it was met (somebody loiters once he has stayed for long enough). Each statement is paired
    once, with the nearest before it. The event is about the track of ``then`` and names that of
    ``first`` as the other, if it is another. The value is the time between them, which must not
    exceed ``within_s``.

    Rules that are ``quiet`` count here and alert nobody. It hears of the rules of its own camera;
    one that names another camera's (``vision/sequence_across.py``) is told of incidents instead
    (``vision/site_sequences.py``), and never speaks here.
    """

    def __init__(self, settings: RuleSettings, *, zone: Zone | None) -> None:
        self.settings = settings
        self._zone = zone
        self._is_across = is_across(settings)
        if self._is_across:
            sequence_across(settings, camera_id=_OWN)
        params = Params(settings)
        first = params.word("first", "the rule that speaks first")
        then = params.word("then", "the rule that speaks after it")
        self._within_s = params.number("within_s", WITHIN_S, least=0.1)
        is_same = params.choice("who", SAME, among=(SAME, ANY)) == SAME
        self._title = params.text("title")
        params.done()
        self._matcher = SequenceMatcher(
            first=lambda told: told.rule_id == first,
            then=lambda told: told.rule_id == then,
            within_s=self._within_s,
            fits=_is_one_track if is_same else _fits_always,
        )
        self._told: dict[str, _Told] = {}
        self._tracks: dict[str, Track] = {}
        self._first, self._then = first, then

    def update(self, seen: Observation) -> list[RuleEvent]:
        """See ``Rule.update``; reads what the other rules have said about the frame."""
        if self._is_across:
            return []
        subjects = {track.track_id: track for track in seen.subjects()}
        events = []
        for stated in seen.stated:
            track = subjects.get(stated.track_id)
            if stated.rule_id not in (self._first, self._then) or track is None:
                continue
            if not is_within(self._zone, standing_point(track.last.box)):
                continue
            self._remember(stated, track)
            for pair in self._matcher.tell(_happening(stated)):
                then = subjects.get(pair.then.track_ids[0])
                if then is not None:
                    events.append(self._event(pair, then, seen))
        return events

    def present(self) -> frozenset[str]:
        """Return nothing: what happened in its order is over."""
        return frozenset()

    def _remember(self, stated: RuleEvent, track: Track) -> None:
        sigma_s = stated.sigma if stated.unit == "s" else 0.1
        self._told[stated.event_id] = _Told(_moment(stated)[1], sigma_s)
        self._tracks[track.track_id] = track
        for kept in (self._told, self._tracks):
            while len(kept) > _KEPT:
                kept.pop(next(iter(kept)))

    def _event(self, pair: Pair, track: Track, seen: Observation) -> RuleEvent:
        first, then = self._told[pair.first.key], self._told[pair.then.key]
        measured = Measured(
            since_s=pair.first.at_s,
            since_at=first.at,
            value=pair.gap_s,
            threshold=self._within_s,
            sigma=(first.sigma_s**2 + then.sigma_s**2) ** 0.5,
            unit="s",
            detail={
                "first": pair.first.rule_id,
                "then": pair.then.rule_id,
                **({"title": self._title} if self._title else {}),
            },
        )
        other = self._tracks.get(pair.first.track_ids[0])
        is_other = other is not None and other.track_id != track.track_id
        return state_event(
            self.settings,
            track=track,
            header=seen.header,
            measured=measured,
            others=(other,) if other is not None and is_other else (),
        )


def _happening(stated: RuleEvent) -> Happening:
    return Happening(
        key=stated.event_id,
        camera_id="",
        rule_id=stated.rule_id,
        at_s=_moment(stated)[0],
        track_ids=(stated.track_id, *stated.other_track_ids),
        place=stated.place,
    )


def _moment(stated: RuleEvent) -> tuple[float, datetime]:
    if stated.kind.is_instant or stated.kind is RuleKind.ZONE_ENTRY:
        return stated.since_s, stated.since_at
    return stated.monotonic_s, stated.at


def _is_one_track(first: Happening, then: Happening) -> bool:
    return first.camera_id == then.camera_id and not set(first.track_ids).isdisjoint(then.track_ids)


def _fits_always(first: Happening, then: Happening) -> bool:
    del first, then
    return True
