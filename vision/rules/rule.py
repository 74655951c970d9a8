"""The port of a rule, and what all rules share: parameters, which points are new, statements."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from contracts.errors import ConfigError
from contracts.frames import FrameHeader
from contracts.ids import derived_id
from contracts.incidents import RuleEvent
from contracts.rules import RuleSettings
from contracts.tracks import Track, TrackPoint, TrackState
from vision.labels import label_matches
from vision.observation import Observation

MAX_TEXT: Final = 80
TIME_SLACK_S: Final = 1e-6
"""Stream times are sums of floats; a threshold met to the microsecond is met."""


class Rule(Protocol):
    """One configured condition of one camera's run; holds the state of the tracks it watches."""

    @property
    def settings(self) -> RuleSettings:
        """What was configured."""
        ...

    def update(self, seen: Observation) -> list[RuleEvent]:
        """Read one frame and return what the rule has to say about it, once each.

        Of objects only confirmed tracks that were seen in this very frame can fire; what they did
        before they were confirmed counts. A track that is absent or ended is forgotten.
        """
        ...

    def present(self) -> frozenset[str]:
        """Return the ids of tracks where the rule watches, absences within the grace included.

        Whether the threshold is reached does not matter. Empty for conditions of an instant.
        """
        ...


class Params:
    """Reads a rule's ``params`` strictly.

    Raises:
        ConfigError: A value is out of range, or (from ``done``) a name is unknown.
    """

    def __init__(self, settings: RuleSettings) -> None:
        self._where = f"rule {settings.rule_id} ({settings.kind})"
        self._params: Mapping[str, float | str] = settings.params
        self._known: list[str] = []

    def number(self, name: str, default: float, *, least: float = 0.0) -> float:
        """Return a finite number that is at least ``least``."""
        self._known.append(name)
        value = self._params.get(name, default)
        if isinstance(value, str) or not math.isfinite(value) or value < least:
            raise ConfigError(f"{self._where}: {name} must be a number >= {least:g}, got {value!r}")
        return float(value)

    def needed(self, name: str, meaning: str, *, least: float, most: float) -> float:
        """Return a finite number that has no default, within ``least`` to ``most``."""
        self._known.append(name)
        value = self._params.get(name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not least <= float(value or 0.0) <= most:
            raise ConfigError(
                f"{self._where}: {name} ({meaning}) must be a number from {least:g} to {most:g}, "
                f"got {value!r}"
            )
        return float(value or 0.0)

    def word(self, name: str, meaning: str) -> str:
        """Return a word that has no default."""
        self._known.append(name)
        value = self._params.get(name)
        if not isinstance(value, str) or not value:
            raise ConfigError(f"{self._where}: {name} must name {meaning}, got {value!r}")
        return value

    def text(self, name: str) -> str:
        """Return words for people, at most 80 characters; empty if there are none."""
        self._known.append(name)
        value = self._params.get(name, "")
        if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
            raise ConfigError(
                f"{self._where}: {name} must be at most {MAX_TEXT} printable characters, "
                f"got {value!r:.100}"
            )
        return value

    def choice(self, name: str, default: str, *, among: Sequence[str]) -> str:
        """Return one of the words ``among``."""
        self._known.append(name)
        value = self._params.get(name, default)
        if not isinstance(value, str) or value not in among:
            raise ConfigError(
                f"{self._where}: {name} must be one of {', '.join(among)}, got {value!r}"
            )
        return value

    def done(self) -> None:
        """Refuse names that nobody asked for."""
        unknown = sorted(set(self._params) - set(self._known))
        if unknown:
            raise ConfigError(
                f"{self._where}: unknown parameter(s) {', '.join(unknown)}; "
                f"known are {', '.join(self._known)}"
            )


class NewPoints:
    """Hands out each seen point of each track once, in order, labels permitting.

    A track is handed out once it is confirmed, with all its earlier points: objects that are
    fast cross a line before the tracker is sure of them.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = tuple(labels)
        self._read_seqs: dict[str, int] = {}

    def read(self, tracks: Sequence[Track]) -> Iterator[tuple[Track, tuple[TrackPoint, ...]]]:
        """Yield each relevant confirmed track with its points not yet read, maybe none."""
        alive = {track.track_id for track in tracks if track.state is not TrackState.ENDED}
        for track_id in self._read_seqs.keys() - alive:
            del self._read_seqs[track_id]
        for track in tracks:
            if track.state not in (TrackState.CONFIRMED, TrackState.LOST):
                continue
            if not label_matches(track.label, self._labels):
                continue
            after = self._read_seqs.get(track.track_id, -1)
            self._read_seqs[track.track_id] = track.last.seq
            yield track, _points_after(track, after)


def _points_after(track: Track, seq: int) -> tuple[TrackPoint, ...]:
    fresh: list[TrackPoint] = []
    for point in reversed(track.points):
        if point.seq <= seq:
            break
        if point.is_observed and has_finite_box(point):
            fresh.append(point)
    return tuple(reversed(fresh))


def has_finite_box(point: TrackPoint) -> bool:
    """Say whether the point is anywhere: a box that is not a number must not pass for a corner."""
    return all(map(math.isfinite, point.box))


def is_seen_now(track: Track, header: FrameHeader) -> bool:
    """Say whether the track is confirmed and a detection shows it in this very frame."""
    return (
        track.state is TrackState.CONFIRMED
        and track.last.is_observed
        and track.last.seq == header.seq
        and has_finite_box(track.last)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a rule measured when it fired; see ``RuleEvent`` for the meaning of each."""

    since_s: float
    since_at: datetime
    value: float
    threshold: float
    sigma: float
    unit: str
    detail: Mapping[str, str]


def state_event(
    settings: RuleSettings,
    *,
    track: Track,
    header: FrameHeader,
    measured: Measured,
    others: Sequence[Track] = (),
) -> RuleEvent:
    """Return the rule's statement about a track, and others, at the decisive frame ``header``.

    The id depends on camera, run, rule, track and the beginning of the condition, to the
    millisecond: analysed again, the same stay or crossing gets the same id.
    """
    return RuleEvent(
        event_id=derived_id(
            "re",
            header.camera_id,
            header.run_id,
            settings.rule_id,
            track.track_id,
            round(measured.since_s * 1000),
        ),
        rule_id=settings.rule_id,
        rule_version=settings.version,
        kind=settings.kind,
        severity=settings.severity,
        track_id=track.track_id,
        other_track_ids=tuple(other.track_id for other in others),
        zone_id=settings.zone_id,
        line_id=settings.line_id,
        at=header.captured_at,
        monotonic_s=header.monotonic_s,
        frame_seq=header.seq,
        since_at=measured.since_at,
        since_s=measured.since_s,
        value=measured.value,
        threshold=measured.threshold,
        sigma=measured.sigma,
        unit=measured.unit,
        detail=measured.detail,
    )
