"""What the web works on, in memory, and a client that calls it without a socket."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from argon2 import PasswordHasher
from fastapi import FastAPI

from alerts.history.ports import Webhook
from api.app import make_app
from api.auth import make_sign_in_link
from api.backtest_desk import BackTestDesk
from api.ports import CameraSignals, StageHealth
from api.readiness import STAGES
from api.services import Services, TestDelivery
from contracts.cameras import Camera, CameraStatus, SourceSettings
from contracts.clock import Clock
from contracts.errors import ConfigError, TransportUnavailable
from contracts.queues import LivePicture
from contracts.settings import ApiSettings
from ingest.changes import CameraChange
from ingest.onvif.discovery import FoundDevice
from ingest.onvif.events import OwnEvent
from ingest.recorder.folder import RecordingFolder
from ingest.recorder.retention import Limits
from ingest.webrtc.signals import Signal, SignalAnswer, SignalKind, SignalRefused
from moe_core.report import ReasonerReport
from tests.fakes.archive import InMemoryHistory, WebHistory
from tests.fakes.clock import START, ManualClock
from tests.fakes.ports import InMemoryEvidence, InMemoryFrames
from tests.fakes.track_archives import InMemoryTracks
from tests.fakes.watches import InMemoryWatches

ORIGIN = "http://vigil.test"
CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class InMemoryPictures:
    """The newest picture of each camera; a test puts it there."""

    def __init__(self) -> None:
        self.is_down = False
        self.pictures: dict[str, LivePicture] = {}

    def latest(self, camera_id: str, *, is_watched: bool = False) -> LivePicture | None:
        del is_watched
        if self.is_down:
            raise TransportUnavailable("pictures: told to be down")
        return self.pictures.get(camera_id)


class InMemoryStatuses:
    """What the ingestors said; a test puts it there."""

    def __init__(self) -> None:
        self.is_down = False
        self.said: dict[str, CameraStatus] = {}

    def status(self, camera_id: str) -> CameraStatus | None:
        if self.is_down:
            raise TransportUnavailable("statuses: told to be down")
        return self.said.get(camera_id)


class RecordingPublisher:
    """Remembers each list of cameras; ``is_down`` makes it raise."""

    def __init__(self) -> None:
        self.is_down = False
        self.published: list[tuple[Camera, ...]] = []

    def publish_cameras(self, cameras: Sequence[Camera]) -> None:
        if self.is_down:
            raise TransportUnavailable("publishing the cameras: told to be down")
        self.published.append(tuple(cameras))


class ScriptedSignals:
    """An ingest stage that answers what a test tells it to; ``answers`` by kind."""

    def __init__(self) -> None:
        self.asked: list[Signal] = []
        self.is_there = True
        self.answers: dict[SignalKind, SignalAnswer] = {}

    def ask(self, signal: Signal) -> SignalAnswer:
        self.asked.append(signal)
        if not self.is_there:
            raise SignalRefused(503, "ingest-not-there", "told not to be there", retry_after_s=2)
        return self.answers.get(signal.kind, SignalAnswer(status=200))


class ScriptedHealth:
    """All stages there, unless a test takes one away."""

    def __init__(self) -> None:
        self.is_reachable = True
        self.there = list(STAGES)

    def stages(self) -> Sequence[StageHealth]:
        if not self.is_reachable:
            raise TransportUnavailable("reading heartbeats: told to be down")
        return [
            StageHealth(stage=stage, instance=f"{stage}-1", pid=1, reported_at=START)
            for stage in self.there
        ]

    def is_queue_reachable(self) -> bool:
        return self.is_reachable

    def stage_metrics(self) -> Mapping[str, str]:
        return {}


def refuse_private(url: str) -> None:
    """The check that stands in for the real one: loopback is refused."""
    if "127.0.0.1" in url:
        raise ConfigError("webhook url: private addresses are not allowed")


@dataclass
class FakeWeb:
    """The parts behind a web app, for a test to arrange and look at."""

    history: WebHistory = field(default_factory=InMemoryHistory)
    clock: Clock = field(default_factory=ManualClock)
    evidence: InMemoryEvidence = field(default_factory=InMemoryEvidence)
    pictures: InMemoryPictures = field(default_factory=InMemoryPictures)
    statuses: InMemoryStatuses = field(default_factory=InMemoryStatuses)
    frames: InMemoryFrames = field(default_factory=InMemoryFrames)
    watches: InMemoryWatches = field(default_factory=InMemoryWatches)
    changes: list[CameraChange] = field(default_factory=list)
    publisher: RecordingPublisher = field(default_factory=RecordingPublisher)
    signals: CameraSignals = field(default_factory=ScriptedSignals)
    health: ScriptedHealth = field(default_factory=ScriptedHealth)
    tracks: InMemoryTracks = field(default_factory=InMemoryTracks)
    probed: list[SourceSettings] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=lambda: {"problem": ""})
    own_events: list[OwnEvent] = field(default_factory=list)
    devices: list[FoundDevice] = field(default_factory=list)
    tested: list[Webhook] = field(default_factory=list)
    settings: ApiSettings = field(default_factory=ApiSettings)
    recordings: Path = Path("no-recordings")
    reasoner: ReasonerReport = field(default_factory=lambda: ReasonerReport(reasoner="program"))

    def services(self) -> Services:
        """All of it as the app wants it."""
        return Services(
            archive=self.history,
            alert_history=self.history,
            webhooks=self.history,
            camera_store=self.history,
            audit=self.history,
            sign_in=self.history,
            evidence=self.evidence,
            recordings=RecordingFolder(self.recordings, clock=self.clock, limits=Limits(days=7.0)),
            live_pictures=self.pictures,
            statuses=self.statuses,
            ledger=self.frames,
            camera_publisher=self.publisher,
            watches=self.watches,
            signals=self.signals,
            health=self.health,
            back_tests=BackTestDesk(
                self.tracks, close_after_s=10.0, time_zone=UTC, clock=self.clock
            ),
            settings=self.settings,
            clock=self.clock,
            version="1.2.3",
            metrics_text=lambda: "vigil_up 1\n",
            send_test=self._send_test,
            check_webhook_url=refuse_private,
            reasoner=lambda: self.reasoner,
            probe=self._probe,
            own_events=lambda camera_id, limit: self.own_events[:limit] if camera_id else (),
            discover=lambda wait_s: self.devices if wait_s else (),
            phase_changes=lambda camera_id, limit: self._changes_of(camera_id)[:limit],
        )

    def show_publisher(self, camera: Camera, signals: CameraSignals) -> None:
        """Have a camera that is published to, its signals answered by a real loop."""
        self.history.save_camera(replace(camera, name="Phone"))
        self.signals = signals

    def app(self, **changes: Any) -> FastAPI:  # noqa: ANN401  # fields of Services
        """The web app over it, with passwords hashed cheaply."""
        return make_app(replace(self.services(), **changes), hasher=CHEAP_HASHER)

    def _probe(self, source: SourceSettings) -> dict[str, Any]:
        self.probed.append(source)
        return self.found

    def _changes_of(self, camera_id: str) -> list[CameraChange]:
        return [change for change in self.changes if change.camera_id == camera_id]

    def link_secret(self) -> str:
        """The secret part of a new one-time link."""
        return make_sign_in_link(self.history, self.clock, ORIGIN).partition("#link=")[2]

    def _send_test(self, webhook: Webhook) -> TestDelivery:
        self.tested.append(webhook)
        return TestDelivery(is_delivered=True, status=204, latency_ms=12.0)


class WebClient:
    """Calls an app as a browser on its own pages does: keeps cookies, names its origin."""

    def __init__(self, app: FastAPI, *, address: str = "198.51.100.7") -> None:
        transport = httpx.ASGITransport(app, client=(address, 40000))
        self._client = httpx.AsyncClient(transport=transport, base_url=ORIGIN)
        self._running = start_blocking_portal()
        self._portal: BlockingPortal | None = None

    def __enter__(self) -> Self:
        self._portal = self._running.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._portal is not None
        self._portal.call(self._client.aclose)
        self._running.__exit__(kind, error, trace)

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request; ``Origin`` is the app's own unless ``headers`` say otherwise."""
        assert self._portal is not None
        return self._portal.call(
            partial(
                self._client.request,
                method,
                path,
                json=json,
                content=content,
                headers={"Origin": ORIGIN, **(headers or {})},
            )
        )

    def get(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401  # as request
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401  # as request
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401  # as request
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401  # as request
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401  # as request
        return self.request("DELETE", path, **options)

    def sign_in(self, web: FakeWeb) -> Self:
        """Sign in by a one-time link."""
        answer = self.post("/api/v1/sign-in", json={"link": web.link_secret()})
        assert answer.status_code == 200, answer.text
        return self
