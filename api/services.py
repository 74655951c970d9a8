"""Everything that the web needs, built once by ``api/wiring.py`` and handed to the app."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from alerts.history.ports import (
    AlertArchive,
    AlertHistory,
    AuditLog,
    CameraStore,
    SignInStore,
    Webhook,
    WebhookStore,
)
from alerts.history.watches import WatchLog
from api.backtest_desk import BackTestDesk
from api.ports import (
    CameraPublisher,
    CameraSignals,
    CameraStatuses,
    LivePictures,
    SystemHealth,
)
from contracts.cameras import SourceSettings
from contracts.clock import Clock
from contracts.evidence import EvidenceStore
from contracts.rules import SceneRules
from contracts.settings import ApiSettings
from ingest.changes import CameraChange
from ingest.frame_account import FrameLedger
from ingest.onvif.discovery import FoundDevice
from ingest.onvif.events import OwnEvent
from ingest.recorder.folder import RecordingFolder
from moe_core.report import ReasonerReport


@dataclass(frozen=True, slots=True, kw_only=True)
class TestDelivery:
    """What an endpoint answered to a test message.

    Attributes:
        status: HTTP status, or None if there was no answer.
        error: Why it is no success; empty if it is one. Without secrets.
    """

    is_delivered: bool
    status: int | None
    latency_ms: float
    error: str = ""


def _accept_scene(scene: SceneRules) -> None:
    """Accept every scene whose form is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The ports and settings that routes use; nothing here belongs to one request.

    Attributes:
        alert_history: For acknowledging and resolving; listings read ``archive``.
        metrics_text: Returns all stages' metrics and the API's own, merged, as Prometheus text.
        send_test: Sends one signed test message to a webhook and says what came back. It never
            raises for an endpoint that does not answer.
        check_webhook_url: Raises ConfigError for a URL that must not be called (scheme, private
            address).
        phase_changes: Returns a camera's newest changes of phase and rung, newest first, given its
            id and how many.
        reasoner: Tells who reasons; raises ModelError for weights that cannot be read.
        probe: Looks at a camera for some seconds; its report, or ``problem``.
        own_events: As ``phase_changes``, of what a camera said by itself.
        discover: Listens so many seconds for ONVIF devices; raises Refusal (429).
        check_scene: Raises ConfigError for rules whose parameters their kinds refuse.
    """

    archive: AlertArchive
    alert_history: AlertHistory
    webhooks: WebhookStore
    camera_store: CameraStore
    audit: AuditLog
    sign_in: SignInStore
    evidence: EvidenceStore
    recordings: RecordingFolder
    live_pictures: LivePictures
    statuses: CameraStatuses
    ledger: FrameLedger
    camera_publisher: CameraPublisher
    watches: WatchLog
    signals: CameraSignals
    health: SystemHealth
    back_tests: BackTestDesk
    settings: ApiSettings
    clock: Clock
    version: str
    metrics_text: Callable[[], str]
    send_test: Callable[[Webhook], TestDelivery]
    check_webhook_url: Callable[[str], None]
    phase_changes: Callable[[str, int], Sequence[CameraChange]]
    reasoner: Callable[[], ReasonerReport]
    probe: Callable[[SourceSettings], dict[str, Any]]
    own_events: Callable[[str, int], Sequence[OwnEvent]]
    discover: Callable[[float], Sequence[FoundDevice]]
    check_scene: Callable[[SceneRules], None] = _accept_scene


async def services_of(request: Request) -> Services:
    """Return the services of the app that answers this request."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(services_of)]
"""Parameter type with which a route asks for the services."""
