"""The stores that several stages share, in the data folder."""

from pathlib import Path

from alerts.history.evidence_store import FolderEvidenceStore
from api.track_folder import FolderTrackStore
from contracts.clock import Clock
from contracts.evidence import EvidenceStore
from contracts.settings import Settings
from ingest.recorder.folder import RecordingFolder
from ingest.recorder.retention import Limits


def evidence_store(settings: Settings) -> EvidenceStore:
    """Return the evidence store in the data folder."""
    return FolderEvidenceStore(
        evidence_folder(settings),
        quota_bytes=settings.alerts.evidence_quota_bytes,
        min_free_bytes=settings.alerts.evidence_min_free_bytes,
    )


def evidence_folder(settings: Settings) -> Path:
    """Return where pictures and clips of incidents are kept."""
    return settings.data_dir / "evidence"


def track_folder(settings: Settings) -> Path:
    """Return where tracks are kept for back-tests."""
    return settings.data_dir / "tracks"


def track_store(settings: Settings, clock: Clock) -> FolderTrackStore:
    """Return the track archive in the data folder."""
    return FolderTrackStore(
        track_folder(settings),
        clock=clock,
        days=settings.vision.track_days,
        quota_bytes=settings.vision.track_quota_bytes,
        min_free_bytes=settings.alerts.evidence_min_free_bytes,
    )


def recording_folder(settings: Settings, clock: Clock) -> RecordingFolder:
    """Return the recordings: in the folder of the settings, or in the data folder."""
    recording = settings.recording
    return RecordingFolder(
        recording.folder or settings.data_dir / "recordings",
        clock=clock,
        limits=Limits(days=recording.days, quota_bytes=recording.quota_bytes),
        min_free_bytes=recording.min_free_bytes,
    )
