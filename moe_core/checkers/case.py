"""One incident, laid out for checking, and what a check returns."""

from dataclasses import dataclass
from typing import Final

from contracts.geometry import Line, Zone
from contracts.incidents import WHOLE_PICTURE, Fact, FactName, Incident, RuleEvent
from contracts.reasoning import Claim, ClaimStatus
from contracts.tracks import Track
from moe_core.fact_table import FactTable
from moe_core.measure import Measurement
from moe_core.way import Way, way_of

K_SIGMA: Final = 2.0
"""Tolerance of every comparison, in standard uncertainties: 95 % of honest measurements agree."""
EXACT: Final = 1e-6
"""Slack of a comparison of numbers that are exact by construction: sums of floats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What a checker found.

    Attributes:
        measured: The value recomputed; None where the predicate has no number or it could not be.
        tolerance: How far the claim may be from it, same unit.
        note: Why it is not supported; empty if it is.
    """

    status: ClaimStatus
    measured: float | None = None
    tolerance: float | None = None
    unit: str = ""
    note: str = ""


def supported(
    measured: float | None = None, *, tolerance: float | None = None, unit: str = ""
) -> Check:
    """Return a check that the claim has passed."""
    return Check(status=ClaimStatus.SUPPORTED, measured=measured, tolerance=tolerance, unit=unit)


def contradicted(
    note: str, *, measured: float | None = None, tolerance: float | None = None, unit: str = ""
) -> Check:
    """Return a check that found the claim to be wrong."""
    return Check(
        status=ClaimStatus.CONTRADICTED,
        measured=measured,
        tolerance=tolerance,
        unit=unit,
        note=note,
    )


def unverifiable(note: str) -> Check:
    """Return a check that could not be made."""
    return Check(status=ClaimStatus.UNVERIFIABLE, note=note)


class Case:
    """An incident with its facts, tracks, zones and lines by id. Made once, read by all checks."""

    def __init__(self, incident: Incident) -> None:
        self.incident = incident
        self.facts = FactTable(incident.facts)
        self._tracks = {track.track_id: track for track in incident.tracks}
        self._zones = {zone.zone_id: zone for zone in incident.zones}
        self._lines = {line.line_id: line for line in incident.lines}
        self._events: dict[tuple[str, str], RuleEvent] = {}
        for event in incident.rule_events:
            self._events.setdefault((event.rule_id, event.track_id), event)
        self._ways: dict[str, Way] = {}
        self.measurements: dict[str, Measurement | None] = {}
        """What facts gave when measured again, by fact id; kept, since chains cite facts twice."""

    def track(self, track_id: str) -> Track | None:
        """Return a track of the incident; None if it has none of that id."""
        return self._tracks.get(track_id)

    def way(self, track_id: str) -> Way | None:
        """Return where the track was seen; None if the incident does not have the track."""
        track = self._tracks.get(track_id)
        if track is None:
            return None
        if track_id not in self._ways:
            self._ways[track_id] = way_of(track)
        return self._ways[track_id]

    def zone(self, zone_id: str) -> Zone | None:
        """Return a zone of the incident; None if it has none of that id."""
        return self._zones.get(zone_id)

    def line(self, line_id: str) -> Line | None:
        """Return a line of the incident; None if it has none of that id."""
        return self._lines.get(line_id)

    def has_place(self, place_id: str) -> bool:
        """Say whether it is a zone or line of the incident, or the whole picture."""
        return place_id == WHOLE_PICTURE or place_id in self._zones or place_id in self._lines

    def event(self, rule_id: str, track_id: str) -> RuleEvent | None:
        """Return the first statement of that rule about that track."""
        return self._events.get((rule_id, track_id))

    def statements(self, rule_id: str, track_id: str) -> int:
        """Return how often that rule spoke about that track."""
        return sum(
            event.rule_id == rule_id and event.track_id == track_id
            for event in self.incident.rule_events
        )

    @property
    def events(self) -> tuple[RuleEvent, ...]:
        """The first statement of each rule about each track, in order."""
        return tuple(self._events.values())

    def is_under_way(self, event: RuleEvent) -> bool:
        """Say whether the track was seen in the event's decisive frame.

        False where the track's points have been forgotten, or belong to another run.
        """
        way = self.way(event.track_id)
        if way is None:
            return False
        until = way.until(event.monotonic_s)
        return len(until) > 0 and int(until.seqs_N[-1]) == event.frame_seq

    def cited(self, claim: Claim, name: FactName) -> Fact | None:
        """Return the first fact of that name that the claim cites."""
        for fact_id in claim.evidence:
            fact = self.facts.get(fact_id)
            if fact is not None and fact.name is name:
                return fact
        return None
