"""The api stage: people and systems in, and the cameras' settings out to the other stages."""

import threading
from collections.abc import Callable
from importlib.metadata import version
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from fastapi import FastAPI
from prometheus_client import REGISTRY, generate_latest

from alerts.channels.webhook import WebhookChannel
from alerts.history.evidence_store import remove_left_over
from alerts.history.sql import History, open_history
from api.app import make_app
from api.backtest_desk import BackTestDesk
from api.cameras import CameraDesk, status_of
from api.coverage import keep_watch
from api.observability import metrics_text
from api.probing import Prober, Seeker
from api.server import make_server
from api.services import Services
from api.transport.directory import RedisCameraDirectory
from api.transport.heartbeats import RedisHeartbeats
from api.transport.journal import RedisJournal
from api.transport.live import RedisLiveView
from api.transport.own_events import RedisOwnEvents
from api.transport.signals import RedisSignals
from api.wiring.cameras import declared_cameras
from api.wiring.context import Part, StageContext
from api.wiring.first_start import prepare
from api.wiring.storage import evidence_folder, evidence_store, recording_folder, track_store
from api.wiring.webhooks import send_test
from contracts.clock import Clock
from contracts.errors import TransportUnavailable
from contracts.settings import ApiSettings, Settings
from ingest.frame_account import FrameLedger
from ingest.frame_queue import RedisFrameQueue
from ingest.onvif.discovery import discover
from moe_core.report import report
from vision.rules.registry import make_rules

log = structlog.get_logger()

_PUBLISH_EVERY_S: Final = 2.0
_AUDIT_EVERY_S: Final = 10.0
_TIDY_EVERY_S: Final = 1200.0
_PART_LASTS_S: Final = 1800.0
"""With ``_TIDY_EVERY_S`` less than the hour after which ``vigil fsck`` finds fault with a part."""


def build(context: StageContext) -> list[Part]:
    """Return the stage's parts."""
    settings = context.settings
    prepare(settings, declared_cameras(settings), context.clock)
    history = open_history(context.database_url)
    client = context.redis()
    directory = RedisCameraDirectory(client)
    heartbeats = RedisHeartbeats(client)
    ledger = RedisFrameQueue(context.redis_url, settings=settings.queue, clock=context.clock)
    channel = WebhookChannel(settings.alerts, clock=context.clock)
    journal, own = RedisJournal(client), RedisOwnEvents(client)
    services = Services(
        archive=history.archive,
        alert_history=history.alerts,
        webhooks=history.webhooks,
        camera_store=history.cameras,
        sign_in=history.sign_in,
        evidence=evidence_store(settings),
        recordings=recording_folder(settings, context.clock),
        live_pictures=RedisLiveView(client),
        statuses=directory,
        ledger=ledger,
        camera_publisher=directory,
        watches=history.watches,
        signals=RedisSignals(client, clock=context.clock),
        health=heartbeats,
        back_tests=BackTestDesk(
            track_store(settings, context.clock),
            close_after_s=settings.vision.close_after_s,
            time_zone=ZoneInfo(settings.time_zone),
            clock=context.clock,
        ),
        settings=settings.api,
        audit=history.audit,
        clock=context.clock,
        version=version("vigil"),
        metrics_text=_metrics(context, history, directory, ledger, heartbeats),
        send_test=lambda webhook: send_test(channel, webhook, clock=context.clock),
        check_webhook_url=channel.check_url,
        reasoner=lambda: report(settings.reasoning),
        probe=Prober().probe,
        discover=Seeker(lambda wait_s: discover(clock=context.clock, wait_s=wait_s)).discover,
        phase_changes=lambda camera_id, limit: journal.newest(camera_id, limit=limit),
        own_events=lambda camera_id, limit: own.newest(camera_id, limit=limit),
        check_scene=lambda scene: _discard(make_rules(scene)),
    )
    app = make_app(services)
    desk: CameraDesk = app.state.cameras
    return [
        ("web", lambda stop: _serve(app, settings.api, stop)),
        ("cameras", lambda stop: _publish_cameras(desk, stop)),
        ("coverage", lambda stop: _keep_watch(context, history, stop)),
        ("frame-audit", lambda stop: _audit_frames(history, ledger, stop)),
        ("evidence-parts", lambda stop: _tidy_evidence(settings, context.clock, stop)),
    ]


def _serve(app: FastAPI, settings: ApiSettings, stop: threading.Event) -> None:
    server = make_server(
        app,
        host=settings.host,
        port=settings.port,
        is_behind_proxy=bool(settings.public_url),
    )

    def end() -> None:
        stop.wait()
        server.should_exit = True

    watcher = threading.Thread(target=end, name="web-stop", daemon=True)
    watcher.start()
    server.run()


def _publish_cameras(desk: CameraDesk, stop: threading.Event) -> None:
    """Repeat what the API publishes at each edit: a Redis that was emptied is filled again.

    By the desk that edits: a list from before an edit must not be told after it.
    """
    while True:
        try:
            desk.publish()
        except TransportUnavailable as error:
            log.warning("cameras cannot be published, trying again", cause=str(error))
        if stop.wait(_PUBLISH_EVERY_S):
            return


def _keep_watch(context: StageContext, history: History, stop: threading.Event) -> None:
    client = context.redis()
    directory, pictures = RedisCameraDirectory(client), RedisLiveView(client)
    keep_watch(
        cameras=history.cameras.cameras,
        status=lambda camera: status_of(camera, directory, pictures, context.clock)[0],
        watch_log=history.watches,
        clock=context.clock,
        stop=stop,
    )


def _audit_frames(history: History, ledger: FrameLedger, stop: threading.Event) -> None:
    """Check at run time that every frame is accounted for; a frame lost unnoticed is an error."""
    while not stop.wait(_AUDIT_EVERY_S):
        try:
            for camera in history.cameras.cameras():
                account = ledger.account(camera.camera_id)
                if not account.is_balanced:
                    log.error(
                        "frames are not accounted for",
                        camera_id=camera.camera_id,
                        received=account.received,
                        settled=account.settled,
                        queued=account.queued,
                    )
        except TransportUnavailable as error:
            log.debug("frame accounts cannot be read", cause=str(error))


def _tidy_evidence(settings: Settings, clock: Clock, stop: threading.Event) -> None:
    """Remove what killed writers left before ``vigil fsck`` calls it left over (after an hour)."""
    while True:
        try:
            before_s = clock.now().timestamp() - _PART_LASTS_S
            count = remove_left_over(evidence_folder(settings), before_s=before_s)
        except OSError as error:
            log.warning("evidence cannot be tidied", cause=error.strerror)
        else:
            if count:
                log.info("parts of killed writers were removed", count=count)
        if stop.wait(_TIDY_EVERY_S):
            return


def _metrics(
    context: StageContext,
    history: History,
    directory: RedisCameraDirectory,
    ledger: FrameLedger,
    heartbeats: RedisHeartbeats,
) -> Callable[[], str]:
    def collect() -> str:
        texts = dict(heartbeats.stage_metrics())
        texts[context.instance] = generate_latest(REGISTRY).decode()
        cameras = [
            (camera.camera_id, ledger.account(camera.camera_id), directory.status(camera.camera_id))
            for camera in history.cameras.cameras()
        ]
        return metrics_text(stage_texts=texts, cameras=cameras)

    return collect


def _discard(_made: object) -> None:
    """Making the rules was the check."""
