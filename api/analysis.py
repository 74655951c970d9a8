"""Looks through a recorded file with the stages of a live camera, as fast as it can be read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from alerts.book import AlertBook
from alerts.payload import alert_data
from contracts.alerts import Alert
from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.clock import Clock
from contracts.detections import Detector, ModelIdentity
from contracts.evidence import EvidenceStore
from contracts.frames import FrameOutcome
from contracts.incidents import Incident
from contracts.rules import SceneRules
from contracts.settings import Settings
from ingest.recording import read_recording
from moe_core.engine import Reasoner
from moe_core.registry import open_reasoner
from vision.pipeline import CameraPipeline

CAMERA_ID: Final = "recording"
_ANCHOR: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""``captured_at`` of a recording's first frame; results are relative to it."""

Progress = Callable[[float, float | None], None]
"""Called with the seconds looked through and the recording's length, if it states one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What was found in one recording.

    Attributes:
        records: One JSON-ready object for each alert, in the order in which they were raised.
        frames: Frames by how they ended: every one is accounted for.
        duration_s: Stream time of the last frame.
        stated_s: The length that the recording itself states, if it does.
        corrupt: Pictures left out because they are damaged.
    """

    records: tuple[dict[str, Any], ...]
    frames: dict[str, int]
    duration_s: float
    stated_s: float | None = None
    corrupt: int = 0


class Analyser:
    """Looks through recordings one after another.

    Args:
        settings: Of ingest, vision and alerts.
        detector: Forgets one recording before the next begins.
        evidence: Where snapshots and frames go.
        clock: Of this machine.
        reasoner: Who reasons about what is found; the settings say it if left out.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        detector: Detector,
        evidence: EvidenceStore,
        clock: Clock,
        reasoner: Reasoner | None = None,
    ) -> None:
        self._settings = settings
        self._detector = detector
        self._evidence = evidence
        self._clock = clock
        self._reasoner = reasoner or open_reasoner(settings.reasoning, clock=clock)

    @property
    def detector(self) -> ModelIdentity:
        """Which detector looks."""
        return self._detector.identity

    def analyse(
        self, video: Path, scene: SceneRules, *, analysis_fps: float, progress: Progress
    ) -> Analysis:
        """Return the alerts of one recording.

        Raises:
            SourceRejected: It cannot be read as video.
            ConfigError: A rule's parameters are bad.
        """
        camera = _camera(video, scene, analysis_fps=analysis_fps)
        pipeline = CameraPipeline(
            camera,
            self._detector,
            settings=self._settings.vision,
            evidence=self._evidence,
            clock=self._clock,
            time_zone=None,  # nobody said when the recording was made
        )
        book = AlertBook(self._settings.alerts, cameras=(camera,))
        outcomes: dict[str, int] = {}
        duration_s = 0.0
        try:
            with read_recording(camera, self._settings.ingest, starts_at=_ANCHOR) as recording:
                for frame in recording:
                    result = pipeline.process(frame)
                    outcome: FrameOutcome = result.outcome
                    outcomes[outcome.value] = outcomes.get(outcome.value, 0) + 1
                    for incident in result.incidents:
                        self._tell(book, incident)
                    duration_s = frame.header.monotonic_s
                    progress(duration_s, recording.duration_s)
                stated_s, corrupt = recording.duration_s, recording.corrupt
            for incident in pipeline.finish():
                self._tell(book, incident)
        finally:
            self._detector.forget(CAMERA_ID)
        records = tuple(_record(video, alert) for alert in book.alerts())
        return Analysis(
            records=records,
            frames=outcomes,
            duration_s=duration_s,
            stated_s=stated_s,
            corrupt=corrupt,
        )

    def _tell(self, book: AlertBook, incident: Incident) -> None:
        book.take_incident(incident)
        book.take_finding(self._reasoner.reason(incident))


def _camera(video: Path, scene: SceneRules, *, analysis_fps: float) -> Camera:
    return Camera(
        camera_id=CAMERA_ID,
        name=video.stem,
        source=SourceSettings(source_type=SourceType.FILE, url=str(video), is_paced=False),
        scene=scene,
        analysis_fps=analysis_fps,
    )


def _record(video: Path, alert: Alert) -> dict[str, Any]:
    """Return the alert as ``analyze`` prints it: times in seconds from the recording's start."""
    data = alert_data(alert)
    incident = alert.incident
    ended_at = incident.ended_at or incident.decisive_at
    return {
        "video": str(video),
        "kind": alert.kind.value,
        "start_s": _seconds(incident.started_at),
        "end_s": _seconds(ended_at),
        "fired_s": _seconds(incident.decisive_at),
        "cause": incident.rule_events[-1].detail.get("cause", ""),
        "severity": alert.severity.value,
        "decision": alert.decision.value,
        "confidence": round(alert.confidence, 3),
        "title": alert.title,
        "summary": alert.summary,
        "rule": data["rule"],
        "zones": data["zones"],
        "objects": data["objects"],
        "margin": data["margin"],
        "reasoning": data["reasoning"],
        "evidence": [
            {"kind": item.kind.value, "frame": item.frame_id, "ref": item.ref}
            for item in incident.evidence
            if item.ref
        ],
    }


def _seconds(at: datetime) -> float:
    return round((at - _ANCHOR).total_seconds(), 3)
