"""What must be there before the stages start: schema, an administrator, cameras. Idempotent."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from alerts.history.database import checked_url
from alerts.history.sql import History, migrate, open_history
from api.auth import ensure_admin, make_sign_in_link
from api.camera_audit import CameraAuditor
from api.transport.connection import connect
from api.wiring.cameras import SOURCE_CAMERA_ID, declared_cameras
from api.wiring.context import database_url
from contracts.cameras import Camera, SourceType, redact_url
from contracts.clock import Clock
from contracts.errors import ConfigError
from contracts.rules import SceneRules
from contracts.settings import Settings
from ingest.sources.scenes.yard_truth import demo_camera
from vision.detect.detector_choice import choose_detector
from vision.detect.weights import check_weights
from vision.rules.registry import make_rules

log = structlog.get_logger()


def prepare(settings: Settings, declared: Sequence[Camera], clock: Clock) -> tuple[Camera, ...]:
    """Bring the database up to date, put the declared cameras into it and return all there are.

    A camera that is declared again keeps its version unless something changed. Without any
    camera the demo camera is added; a source given on the command line takes its place.

    Raises:
        ConfigError: A setting cannot work, a file that is to be watched is not there, or a rule's
            parameters are bad.
    """
    check_settings(settings)
    for camera in declared:
        check_camera(camera)
    url = database_url(settings)
    migrate(url)
    history = open_history(url)
    try:
        ensure_admin(history.sign_in, clock)
        _save_cameras(history, declared, clock)
        return tuple(history.cameras.cameras())
    finally:
        history.close()


def check_settings(settings: Settings) -> None:
    """Raise ConfigError if a stage could not begin with these settings."""
    try:
        ZoneInfo(settings.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"time_zone: {settings.time_zone!r} is not known here; use an IANA name such as "
            "Europe/Berlin"
        ) from error
    check_weights(choose_detector(settings.vision, data_dir=settings.data_dir).settings)
    if settings.redis_url.get_secret_value():
        connect(settings.redis_url.get_secret_value()).close()
    checked_url(database_url(settings))


def check_camera(camera: Camera) -> None:
    """Raise ConfigError if the camera cannot work as it is described."""
    try:
        make_rules(camera.scene)
    except ConfigError as error:
        raise ConfigError(f"camera {camera.camera_id}: {error}") from error
    source = camera.source
    if source.source_type is SourceType.FILE and not Path(source.url).is_file():
        raise ConfigError(
            f"camera {camera.camera_id}: there is no file {redact_url(source.url)!r}; give the "
            "path of a video file, an rtsp:// URL or synthetic:yard"
        )


def known_scenes(settings: Settings) -> dict[str, SceneRules]:
    """Return zones, lines and rules of each camera: as they are kept, else as they are declared."""
    file = settings.data_dir / "vigil.db"
    if not settings.database_url.get_secret_value() and not file.is_file():
        return {camera.camera_id: camera.scene for camera in declared_cameras(settings)}
    history = open_history(database_url(settings))
    try:
        return {camera.camera_id: camera.scene for camera in history.cameras.cameras()}
    finally:
        history.close()


def sign_in_link(settings: Settings, clock: Clock, base_url: str) -> str:
    """Return a link that signs the administrator in once."""
    history = open_history(database_url(settings))
    try:
        ensure_admin(history.sign_in, clock)
        return make_sign_in_link(history.sign_in, clock, base_url)
    finally:
        history.close()


def _save_cameras(history: History, declared: Sequence[Camera], clock: Clock) -> None:
    store = history.cameras
    demo = demo_camera()
    for camera in declared:
        _save_if_changed(history, camera, clock)
    if any(camera.camera_id == SOURCE_CAMERA_ID for camera in declared):
        _remove(history, demo.camera_id, clock)
    if not store.cameras():
        store.save_camera(demo)
        log.info("no camera in the settings, starting the demo camera", camera_id=demo.camera_id)


def _remove(history: History, camera_id: str, clock: Clock) -> None:
    stored = history.cameras.camera(camera_id)
    if stored is not None:
        line = CameraAuditor(by="vigil", how="start", at=clock.now()).removal(stored)
        history.cameras.remove_camera(camera_id, line=line)
        log.info("a source is given, the demo camera is removed", camera_id=camera_id)


def _save_if_changed(history: History, camera: Camera, clock: Clock) -> None:
    stored = history.cameras.camera(camera.camera_id)
    line = CameraAuditor(by="vigil", how="start", at=clock.now()).keeping(stored, camera)
    if stored is None:
        history.cameras.save_camera(camera, line=line)
        return
    # What is declared says nothing of privacy masks: a start must not uncover anything.
    renewed = replace(camera, masks=stored.masks, version=stored.version)
    if renewed != stored:
        history.cameras.save_camera(replace(renewed, version=stored.version + 1), line=line)
