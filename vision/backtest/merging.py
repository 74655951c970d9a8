"""Makes incidents of what rules said, by the very book that does it live.

The book is shown the frames in which it may decide something: those with rule events, those in
which somebody comes to where a rule watches, and those after a silence. In between, who is where
stays the same, and only the time of the newest sight of them moves on.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, Severity
from contracts.tracks import Track
from vision.archive.columns import IntArray
from vision.archive.recorder import micros, moment
from vision.backtest.replay import RuleReplay
from vision.backtest.sitting import Sitting
from vision.incidents import IncidentBook, OpenIncident, Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedIncident:
    """An incident as it would have been.

    Attributes:
        ended_at: When somebody of it was last seen where its rules watch.
        event_ids: Of all rule events that joined it.
    """

    incident_id: str
    kind: RuleKind
    severity: Severity
    started_at: datetime
    decisive_at: datetime
    ended_at: datetime
    event_ids: tuple[str, ...]
    track_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Present:
    """A track is where a rule watches, from a frame to a frame."""

    first: int
    last: int
    place: int
    rule_id: str


class IncidentMerger:
    """The incidents of one camera, sitting after sitting."""

    def __init__(self, *, close_after_s: float) -> None:
        self.book = IncidentBook(close_after_s)
        self._joined: dict[str, list[str]] = {}
        self._closed: list[MergedIncident] = []
        self._run_id = ""

    def read(self, sitting: Sitting, replays: Sequence[RuleReplay]) -> None:
        """Take what the rules said of the next sitting."""
        began_at = moment(sitting.stored.started)
        if self._run_id and self._run_id != sitting.stored.run_id:
            self.book.begin_run(began_at)
        self._run_id = sitting.stored.run_id
        self.close(self.book.close_stale(began_at))
        _Reading(self, sitting, replays).read()

    def finish(self) -> tuple[MergedIncident, ...]:
        """Close what is open and return all incidents, in the order in which they fired."""
        self.close(self.book.close_all())
        return tuple(sorted(self._closed, key=lambda one: (one.decisive_at, one.incident_id)))

    def note(self, incident_id: str, event: RuleEvent) -> None:
        """Remember which event joined which incident: the book itself keeps only some."""
        self._joined.setdefault(incident_id, []).append(event.event_id)

    def close(self, closings: Iterable[Revision]) -> None:
        """Take closed incidents out of the book."""
        for closing in closings:
            one = self.book.incident(closing.incident_id)
            self.book.remove(one.incident_id)
            self._closed.append(
                MergedIncident(
                    incident_id=one.incident_id,
                    kind=one.kind,
                    severity=one.severity,
                    started_at=one.started_at,
                    decisive_at=one.decisive_at,
                    ended_at=one.active_at,
                    event_ids=tuple(self._joined.pop(one.incident_id)),
                    track_ids=tuple(one.tracks),
                )
            )


class _Reading:
    """One sitting on its way into the book."""

    def __init__(
        self, merger: IncidentMerger, sitting: Sitting, replays: Sequence[RuleReplay]
    ) -> None:
        self._merger = merger
        self._book = merger.book
        self._sitting = sitting
        self._places = {name: place for place, name in enumerate(sitting.stored.names)}
        self._events: dict[int, list[RuleEvent]] = {}
        coming: list[_Present] = []
        for replay in replays:
            if replay.settings.is_quiet:
                continue
            for one in replay.said:
                self._events.setdefault(one.frame, []).append(one.event)
            rule_id = replay.settings.rule_id
            coming += [
                _Present(first, last, place, rule_id)
                for place, first, last in replay.presence_P3.tolist()
            ]
        self._coming = sorted(coming, key=lambda one: one.first)
        self._next = 0
        self._present: list[_Present] = []
        self._known_gone: set[int] = set()
        self._rule_ids: dict[str, tuple[tuple[RuleEvent, ...], frozenset[str]]] = {}
        self._silences = frozenset(self._after_silence().tolist())
        self._ticks = sorted({*self._events, *self._silences})
        self._first_seen_K: list[int] = sitting.stored.first_captured_K.tolist()
        self._reach_us = round(1e6 * self._book.close_after_s) + 1

    def read(self) -> None:
        """Show the book all frames in which it may decide something."""
        stored = self._sitting.stored
        while (frame := self._next_frame()) is not None:
            events = self._events.get(frame, ())
            has_come = self._come(frame)
            is_inherited = self._may_inherit(frame)
            if not (events or has_come or is_inherited or frame in self._silences):
                continue
            self._close_stale(frame)
            is_over = [one for one in self._present if one.last < frame]
            self._bring_up(frame, is_over)
            self._present = [one for one in self._present if one.last >= frame]
            if events or is_inherited:
                self._bring_up(frame, self._present)
                self._show(frame, events, is_whole=is_inherited)
        self._bring_up(stored.frames - 1, self._present)
        self._leave()

    def _close_stale(self, frame: int) -> None:
        """Close what was silent for too long before a frame."""
        at = moment(int(self._sitting.stored.captured_F[frame]))
        if self._book.close_stale(at):
            # As far as is known: who is present may have been seen since.
            self._bring_up(frame - 1, self._present)
            self._merger.close(self._book.close_stale(at))

    def _next_frame(self) -> int | None:
        """Return the next frame to look at: who comes while nothing is open needs none."""
        while True:
            tick = self._ticks[0] if self._ticks else None
            comes = self._coming[self._next].first if self._next < len(self._coming) else None
            if comes is not None and (tick is None or comes < tick):
                if self._book.open_incidents:
                    return comes
                self._present.append(self._coming[self._next])
                self._next += 1
                continue
            while self._ticks and self._ticks[0] == tick:
                heapq.heappop(self._ticks)
            return tick

    def _come(self, frame: int) -> bool:
        """Take in who comes, and say whether one of them has been in an open incident before."""
        has_come = False
        while self._next < len(self._coming) and self._coming[self._next].first <= frame:
            one = self._coming[self._next]
            self._next += 1
            self._present.append(one)
            followed = self._sitting.followed_from(one.place, max(frame, one.first))
            if followed is not None and frame < followed <= one.last:
                heapq.heappush(self._ticks, followed)
            name = self._sitting.stored.names[one.place]
            has_come |= any(name in incident.tracks for incident in self._book.open_incidents)
        return has_come

    def _may_inherit(self, frame: int) -> bool:
        """Say whether somebody present may be whom an open incident has lost, by the times."""
        first_K = self._first_seen_K
        names = self._sitting.stored.names
        there = [one for one in self._present if one.first <= frame <= one.last]
        for incident in self._book.open_incidents:
            rule_ids, tracks = self._rules_of(incident), incident.tracks
            heirs = {
                first_K[one.place]
                for one in there
                if one.rule_id in rule_ids and names[one.place] not in tracks
            }
            if not heirs:
                continue
            newest, oldest = max(heirs), min(heirs) - self._reach_us
            for track in tracks.values():
                seen = self._last_seen(track, frame)
                if oldest <= seen < newest:
                    return True
        return False

    def _last_seen(self, track: Track, frame: int) -> int:
        """Return when a track of an incident had last been seen by a frame, in microseconds."""
        place = self._places.get(track.track_id)
        row = None if place is None else self._sitting.row_at(place, frame)
        if row is None:
            seen = next((p for p in reversed(track.points) if p.is_observed), track.last)
            return micros(seen.captured_at)
        return self._sitting.last_seen_us(row)

    def _show(self, frame: int, events: Sequence[RuleEvent], *, is_whole: bool) -> None:
        """Let the book read a frame.

        As a whole it has those of open incidents, those present and those spoken of. Where nobody
        can take a lost one's place those spoken of will do.
        """
        present: dict[str, list[str]] = {}
        names = self._sitting.stored.names
        there = {
            self._places[name]
            for event in events
            for name in (event.track_id, *event.other_track_ids)
        }
        if is_whole:
            for one in self._present:
                if one.first <= frame:
                    present.setdefault(one.rule_id, []).append(names[one.place])
                    there.add(one.place)
            for incident in self._book.open_incidents:
                there |= {self._places[name] for name in incident.tracks if name in self._places}
        gone = {place for place in there if not self._sitting.is_told_of(place, frame)}
        if is_whole:
            self._remember(gone)
        there -= gone
        turn = self._book.read(
            events,
            tracks=[self._as_of(place, frame, is_whole=is_whole) for place in sorted(there)],
            present=present,
            header=self._sitting.header(frame),
        )
        for joined in turn.joined:
            self._merger.note(joined.incident_id, joined.event)
        if events:
            self._look_again(frame)

    def _look_again(self, frame: int) -> None:
        """Whoever is present when an incident grows may take a lost one's place from now on."""
        for one in self._present:
            followed = self._sitting.followed_from(one.place, frame + 1)
            if followed is not None and followed <= one.last:
                heapq.heappush(self._ticks, followed)

    def _as_of(self, place: int, frame: int, *, is_whole: bool) -> Track:
        row = self._sitting.row_at(place, frame)
        has_ended = int(self._sitting.stored.ended_K[place]) == frame
        row = self._sitting.rows_of(place)[0] if row is None else row
        shown = self._sitting.outline if is_whole else self._sitting.glance
        return shown(place, row, has_ended=has_ended)

    def _remember(self, gone: set[int]) -> None:
        """Give open incidents the last sight of tracks that ended since they were shown."""
        names = {self._sitting.stored.names[place]: place for place in gone - self._known_gone}
        self._known_gone |= gone
        for incident in self._book.open_incidents if names else ():
            last = {
                name: self._sitting.outline(
                    names[name], self._sitting.rows_of(names[name])[1] - 1, has_ended=True
                )
                for name in incident.tracks
                if name in names
            }
            if last:
                self._book.keep(replace(incident, tracks={**incident.tracks, **last}))

    def _bring_up(self, frame: int, those: Sequence[_Present]) -> None:
        """Let time go on to a frame: those of them who are present were seen until then.

        Only before the book reads a frame or closes something, and for those who go.
        """
        names = self._sitting.stored.names
        present: dict[str, list[_Present]] = {}
        for one in those:
            if one.first <= frame:
                present.setdefault(names[one.place], []).append(one)
        for incident in self._book.open_incidents if present else ():
            there = [one for name in incident.tracks for one in present.get(name, ())]
            rule_ids = self._rules_of(incident) if there else frozenset[str]()
            seen = [self._seen_at(one, frame) for one in there if one.rule_id in rule_ids]
            if seen and (active_at := moment(max(seen))) > incident.active_at:
                self._book.keep(replace(incident, active_at=active_at))

    def _rules_of(self, incident: OpenIncident) -> frozenset[str]:
        """Return the rules that have spoken in an incident, read again when another event joins."""
        known = self._rule_ids.get(incident.incident_id)
        if known is None or known[0] is not incident.rule_events:
            known = (incident.rule_events, incident.rule_ids)
            self._rule_ids[incident.incident_id] = known
        return known[1]

    def _leave(self) -> None:
        """Give open incidents the last sight of everybody: a track has a name in one run only."""
        for incident in self._book.open_incidents:
            places = {name: self._places[name] for name in incident.tracks if name in self._places}
            last = {
                name: self._sitting.outline(
                    place,
                    self._sitting.rows_of(place)[1] - 1,
                    has_ended=int(self._sitting.stored.ended_K[place]) >= 0,
                )
                for name, place in places.items()
            }
            self._book.keep(replace(incident, tracks={**incident.tracks, **last}))

    def _seen_at(self, one: _Present, frame: int) -> int:
        row = self._sitting.row_at(one.place, min(one.last, frame))
        return 0 if row is None else self._sitting.last_seen_us(row)

    def _after_silence(self) -> IntArray:
        """Return the frames that come after an incident would have been closed for silence."""
        stored = self._sitting.stored
        if stored.points < 2:
            return np.zeros(0, np.int64)
        captured_N = stored.captured_F[stored.frames_N]
        silence_N = captured_N[1:] - captured_N[self._sitting.last_seen_N[:-1]]
        is_same_N = stored.tracks_N[1:] == stored.tracks_N[:-1]
        is_long_N = is_same_N & (silence_N > 1e6 * self._book.close_after_s)
        return np.unique(stored.frames_N[1:][is_long_N])
