"""The evidence store that every stage shares."""

from alerts.history.evidence_store import FolderEvidenceStore
from contracts.evidence import EvidenceStore
from contracts.settings import Settings


def evidence_store(settings: Settings) -> EvidenceStore:
    """Return the evidence store in the data folder."""
    return FolderEvidenceStore(
        settings.data_dir / "evidence",
        quota_bytes=settings.alerts.evidence_quota_bytes,
        min_free_bytes=settings.alerts.evidence_min_free_bytes,
    )
