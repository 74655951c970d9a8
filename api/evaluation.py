"""Scores alerts against labelled events: precision, recall, false alarms per hour, delay.

Pure: reads neither files nor clocks. ``api/commands/evaluate.py`` does.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.errors import ConfigError

TOLERANCE_S: Final = 2.0
"""Labels by eye are good to about half a second and rules wait for certainty: an alert this far
outside its event still belongs to it."""

KIND_OF_EVENT: Final[Mapping[str, str]] = {
    "abandoned_object": "abandoned",
    "crowd": "crowd",
    "door_tamper": "door_tamper",
    "fall": "fall",
    "fight": "fight",
    "fire": "fire",
    "intrusion": "intrusion",
    "line_cross": "line_cross",
    "loiter": "loiter",
    "object_removed": "removed",
    "smoke": "smoke",
    "vehicle_pass": "line_cross",
    "zone_entry": "zone_entry",
}
"""Alert kind for each type of labelled event; other types are context and call for no alert."""
_TAMPER: Final = "camera_tamper:"
CAUSE_OF_TAMPER: Final[Mapping[str, str]] = {
    "black": "black",
    "cover": "covered",
    "defocus": "defocused",
    "freeze": "frozen",
    "moved": "moved",
    "overexpose": "over_exposed",
    "signal_loss": "signal_lost",
    "spray": "sprayed",
}
"""Cause that an alert is to name, for what is labelled ``camera_tamper:<what>``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledEvent:
    """Something that happened in a clip. Times in seconds from its first frame.

    ``cause`` is what an alert of the kind is to name as its cause; empty if nothing is asked.
    """

    kind: str
    start_s: float
    end_s: float
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledClip:
    """One clip of a labelled set; ``video`` is its path below the set's folder."""

    video: str
    duration_s: float
    events: tuple[LabelledEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedAlert:
    """One alert as ``vigil analyze`` reports it; ``fired_s`` is when it was raised."""

    kind: str
    start_s: float
    end_s: float
    fired_s: float
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Counts of one kind over a set. Ratios are None where nothing could be counted.

    Of ``true_positives``, ``causes_asked`` are of events with a labelled cause, and in
    ``causes_right`` of these the alert named it.
    """

    kind: str
    true_positives: int
    false_positives: int
    missed: int
    hours: float
    delays_s: tuple[float, ...]
    causes_asked: int = 0
    causes_right: int = 0

    @property
    def precision(self) -> float | None:
        """Share of alerts that were right."""
        raised = self.true_positives + self.false_positives
        return self.true_positives / raised if raised else None

    @property
    def recall(self) -> float | None:
        """Share of events that were alerted."""
        happened = self.true_positives + self.missed
        return self.true_positives / happened if happened else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall."""
        total = 2 * self.true_positives + self.false_positives + self.missed
        return 2 * self.true_positives / total if total else None

    @property
    def false_alarms_per_hour(self) -> float | None:
        """False alerts per hour of video looked at."""
        return self.false_positives / self.hours if self.hours else None

    @property
    def median_delay_s(self) -> float | None:
        """Median time from an event's labelled start to its alert."""
        return statistics.median(self.delays_s) if self.delays_s else None

    def row(self) -> dict[str, object]:
        """Return the score with its ratios, JSON-ready."""
        return {
            "kind": self.kind,
            "events": self.true_positives + self.missed,
            "true_positives": self.true_positives,
            "false_positives": self.false_positives,
            "missed": self.missed,
            "precision": _rounded(self.precision),
            "recall": _rounded(self.recall),
            "f1": _rounded(self.f1),
            "false_alarms_per_hour": _rounded(self.false_alarms_per_hour),
            "median_delay_s": _rounded(self.median_delay_s),
            "causes_asked": self.causes_asked,
            "causes_right": self.causes_right,
        }


def read_ground_truth(document: object) -> tuple[LabelledClip, ...]:
    """Return the clips that a decoded ``ground_truth_video.json`` describes.

    Raises:
        ConfigError: A record lacks what is needed; the message names record and field.
    """
    videos = document.get("videos") if isinstance(document, dict) else None
    if not isinstance(videos, list):
        raise ConfigError("ground truth: needs an object with a list 'videos'")
    return tuple(_clip(record, index) for index, record in enumerate(videos))


def score(
    clips: Sequence[LabelledClip], alerts: Mapping[str, Sequence[RaisedAlert]]
) -> list[Score]:
    """Return one score for each kind that was labelled or alerted, by name.

    Each event is answered by at most one alert, the first that overlaps it (within
    ``TOLERANCE_S``); a second alert about the same event is a false one, since operators are
    told twice.

    Args:
        clips: What happened.
        alerts: What was raised, by video; a clip that is not in it is not counted.
    """
    looked_at = [clip for clip in clips if clip.video in alerts]
    hours = sum(clip.duration_s for clip in looked_at) / 3600
    kinds = {event.kind for clip in looked_at for event in clip.events}
    kinds |= {alert.kind for raised in alerts.values() for alert in raised}
    return [_score_kind(kind, looked_at, alerts, hours) for kind in sorted(kinds)]


def _score_kind(
    kind: str,
    clips: Sequence[LabelledClip],
    alerts: Mapping[str, Sequence[RaisedAlert]],
    hours: float,
) -> Score:
    true_positives = false_positives = missed = asked = right = 0
    delays_s: list[float] = []
    for clip in clips:
        open_events = [event for event in clip.events if event.kind == kind]
        raised = sorted(
            (alert for alert in alerts[clip.video] if alert.kind == kind),
            key=lambda alert: alert.fired_s,
        )
        for alert in raised:
            answered = next((event for event in open_events if _overlap(event, alert)), None)
            if answered is None:
                false_positives += 1
                continue
            open_events.remove(answered)
            true_positives += 1
            delays_s.append(alert.fired_s - answered.start_s)
            asked += bool(answered.cause)
            right += bool(answered.cause) and alert.cause == answered.cause
        missed += len(open_events)
    return Score(
        kind=kind,
        true_positives=true_positives,
        false_positives=false_positives,
        missed=missed,
        hours=hours,
        delays_s=tuple(delays_s),
        causes_asked=asked,
        causes_right=right,
    )


def _overlap(event: LabelledEvent, alert: RaisedAlert) -> bool:
    return alert.start_s <= event.end_s + TOLERANCE_S and alert.end_s >= event.start_s - TOLERANCE_S


def _clip(record: object, index: int) -> LabelledClip:
    where = f"ground truth: videos[{index}]"
    if not isinstance(record, dict):
        raise ConfigError(f"{where}: must be an object")
    try:
        return LabelledClip(
            video=str(record["video"]),
            duration_s=float(record["duration"]),
            events=tuple(
                LabelledEvent(
                    kind=kind,
                    start_s=float(event["start_s"]),
                    end_s=float(event["end_s"]),
                    cause=_cause(str(event["type"])),
                )
                for event in record.get("events", [])
                if (kind := _kind(str(event["type"]))) is not None
            ),
        )
    except KeyError as error:
        raise ConfigError(f"{where}: lacks {error}") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from error


def _kind(event_type: str) -> str | None:
    if event_type.startswith(_TAMPER):
        return "tamper"
    return KIND_OF_EVENT.get(event_type)


def _cause(event_type: str) -> str:
    what = event_type.removeprefix(_TAMPER)
    return CAUSE_OF_TAMPER.get(what, what) if event_type.startswith(_TAMPER) else ""


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
