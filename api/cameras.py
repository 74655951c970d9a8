"""The cameras as the API keeps them: one place that edits, numbers versions and publishes."""

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

import structlog

from alerts.history.ports import CameraStore
from api.access import Identity
from api.camera_audit import CameraAuditor
from api.ports import CameraPublisher, CameraStatuses, LivePictures
from api.problems import Refusal, bad_field, not_found
from contracts.cameras import (
    Camera,
    CameraState,
    CameraStatus,
    CameraView,
    RtspTransport,
    SourceSettings,
    SourceType,
    redact_url,
)
from contracts.clock import Clock
from contracts.errors import TransportUnavailable
from contracts.geometry import Zone
from ingest.onvif.places import main_stream_of
from ingest.sources.usb import UsbDevice, is_device

log = structlog.get_logger()

_URL_MAX: Final = 2048
_CONTROL: Final = re.compile(r"[\x00-\x20\x7f]")
_ADDRESS: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:/")
"""With one slash as well: who mistypes rtsp:// has still given a password."""
_NOT_ANALYSED: Final = "not analysed: no vision stage has looked at it within the last seconds"
_SYNTHETIC: Final = "synthetic:"
_SCHEMES: Final = {
    SourceType.RTSP: ("rtsp", "rtsps"),
    SourceType.ONVIF: ("onvif", "onvifs"),
    SourceType.HTTP: ("http", "https"),
}
_WEBRTC: Final = "webrtc:"


class CameraDesk:
    """Edits cameras one at a time, so that versions grow without gaps, and tells the stages.

    A change is durable once the store has it. If the stages cannot be told at that moment, they
    are within seconds: the api stage repeats the list anyway, for a Redis that lost its memory.
    """

    def __init__(self, store: CameraStore, publisher: CameraPublisher, clock: Clock) -> None:
        self._store = store
        self._publisher = publisher
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[str, tuple[Zone, ...]] = {}

    def all(self) -> Sequence[Camera]:
        """Return all cameras by id."""
        return self._store.cameras()

    def get(self, camera_id: str) -> Camera:
        """Return one camera. Raises Refusal (404)."""
        camera = self._store.camera(camera_id)
        if camera is None:
            raise not_found("camera")
        return camera

    def add(self, camera: Camera, *, is_repeatable: bool, identity: Identity) -> Camera:
        """Add a camera and return it as stored, with an audit line if it is to be recorded.

        Args:
            camera: At version 1.
            is_repeatable: The request carries an ``Idempotency-Key``: the same camera again is
                answered with what is stored.
            identity: Who adds it.

        Raises:
            Refusal: 409, another camera has this id.
        """
        with self._lock:
            known = self._store.camera(camera.camera_id)
            if known is None:
                line = self._auditor(identity).keeping(None, camera)
                self._store.save_camera(camera, line=line)
            elif not (is_repeatable and _is_same(known, camera)):
                raise Refusal(409, "camera-exists", f"there is a camera {camera.camera_id} already")
        self._changed()
        return known or camera

    def change(
        self, camera_id: str, change: Callable[[Camera], Camera], *, identity: Identity
    ) -> Camera:
        """Store ``change(camera)`` under the next version, unless it is the same, and return it.

        What is kept of it (all video, sound) changes with an audit line.

        Raises:
            Refusal: 404, or what ``change`` raises.
        """
        with self._lock:
            current = self.get(camera_id)
            changed = change(current)
            if changed == current:
                return current
            changed = replace(changed, version=current.version + 1)
            line = self._auditor(identity).keeping(current, changed)
            self._store.save_camera(changed, line=line)
        self._changed()
        return changed

    def mask(
        self,
        camera_id: str,
        masks: tuple[Zone, ...],
        *,
        identity: Identity,
        read_at: int | None = None,
    ) -> Camera:
        """Replace the privacy masks, with an audit line; what is the same changes nothing.

        Args:
            camera_id: Of the camera.
            masks: All of them.
            identity: Who does it.
            read_at: Version that the change was made from; None overwrites any.

        Raises:
            Refusal: 404; 409 if the camera has another version than ``read_at``.
        """
        with self._lock:
            current = self.get(camera_id)
            if masks == current.masks:
                return current
            if read_at not in (None, current.version):
                raise Refusal(409, "camera-changed", "the camera was changed since it was read")
            changed = replace(current, masks=masks, version=current.version + 1)
            line = self._auditor(identity).masks(current, masks)
            self._store.save_camera(changed, line=line)
        log.info("privacy masks changed", camera_id=camera_id, by=identity.name, zones=len(masks))
        self._changed()
        return changed

    def remove(self, camera_id: str, *, identity: Identity) -> None:
        """Remove a camera; its history stays. Raises Refusal (404)."""
        with self._lock:
            current = self.get(camera_id)
            line = self._auditor(identity).removal(current)
            if not self._store.remove_camera(camera_id, line=line):
                raise not_found("camera")
        self._changed()

    def free_id(self, name: str) -> str:
        """Return a free id that reads like ``name``: ``Loading dock`` -> ``loading-dock``."""
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:48] or "camera"
        taken = {camera.camera_id for camera in self._store.cameras()}
        numbers = range(2, len(taken) + 3)
        return next(
            wanted for wanted in (slug, *(f"{slug}-{n}" for n in numbers)) if wanted not in taken
        )

    def publish(self) -> None:
        """Tell the stages which cameras there are. Raises TransportUnavailable."""
        with self._lock:
            cameras = self._store.cameras()
            self._publisher.publish_cameras(cameras)
            self._told = {camera.camera_id: camera.masks for camera in cameras}

    def is_told(self, camera: Camera) -> bool:
        """Say whether the stages have been told of the camera's masks as they are here."""
        return self._told.get(camera.camera_id) == camera.masks

    def _auditor(self, identity: Identity) -> CameraAuditor:
        return CameraAuditor(by=identity.name, how=identity.how, at=self._clock.now())

    def _changed(self) -> None:
        try:
            self.publish()
        except TransportUnavailable as error:
            log.warning("camera change is stored but not published yet", cause=str(error))


def _is_same(known: Camera, wanted: Camera) -> bool:
    return replace(known, version=1, scene=wanted.scene) == wanted


def status_of(
    camera: Camera, statuses: CameraStatuses, pictures: LivePictures, clock: Clock
) -> tuple[CameraStatus, CameraView | None]:
    """Return how a camera is doing; blind with the cause if nobody can say.

    Where its frames arrive, what vision sees in them decides: the view may be covered, or nobody
    may be looking. The second is what vision said last; None if it has said nothing.
    """
    if not camera.is_enabled:
        return _blind(camera, clock, phase="disabled", cause="switched off"), None
    try:
        status = statuses.status(camera.camera_id)
        picture = pictures.latest(camera.camera_id)
    except TransportUnavailable:
        cause = "the queue (Redis) cannot be reached"
        return _blind(camera, clock, phase="unknown", cause=cause), None
    view = None if picture is None else picture.view
    if status is None:
        cause = "no ingest stage has reported on it"
        return _blind(camera, clock, phase="unknown", cause=cause), view
    if status.state is CameraState.BLIND:
        return status, view
    if view is None:
        return replace(status, state=CameraState.BLIND, cause=_NOT_ANALYSED), None
    if view.state is CameraState.BLIND or status.state is CameraState.SEEING:
        return replace(status, state=view.state, cause=view.cause or status.cause), view
    return status, view


def _blind(camera: Camera, clock: Clock, *, phase: str, cause: str) -> CameraStatus:
    return CameraStatus(
        camera_id=camera.camera_id,
        state=CameraState.BLIND,
        phase=phase,
        cause=cause,
        updated_at=clock.now(),
    )


def make_source(
    url: str,
    *,
    source_type: SourceType | None,
    transport: RtspTransport,
    is_looped: bool,
    evidence_url: str = "",
    current: SourceSettings | None = None,
) -> SourceSettings:
    """Return the source that a request describes.

    Args:
        url: ``rtsp://...``, ``onvif://...``, ``http://...``, ``usb:/dev/video0``, a file's path,
            ``synthetic:<scene>``, or ``webrtc:`` for a camera that publishes to us. What an answer
            showed (redacted) stands for the current URL.
        source_type: None takes it from the URL.
        transport: For RTSP only.
        is_looped: For files only.
        evidence_url: Of the main stream; empty if ``url`` is that.
        current: Of the camera that is changed.

    Raises:
        Refusal: 422 that names ``source.url``; the URL itself is not repeated.
    """
    if current is not None and url == redact_url(current.url):
        url = current.url
    if current is not None and evidence_url == redact_url(current.evidence_url):
        evidence_url = current.evidence_url
    if current is not None and url != current.url and evidence_url == _derived(current):
        evidence_url = ""
    if evidence_url:
        _check_url(evidence_url, _type_of(evidence_url))
    found = source_type or _type_of(url)
    if found is SourceType.WEBRTC:
        if url not in ("", _WEBRTC):
            raise bad_field("source.url", "must be left out for type webrtc: publishers come to us")
        return SourceSettings(source_type=found, url="")
    bare = url.removeprefix(_SYNTHETIC) if found is SourceType.SYNTHETIC else url
    _check_url(bare, found)
    if found is SourceType.ONVIF and not evidence_url:
        evidence_url = _main_stream(url)
    return SourceSettings(
        source_type=found,
        url=bare,
        evidence_url=evidence_url,
        transport=transport,
        is_looped=is_looped,
    )


def _derived(current: SourceSettings) -> str:
    """Return the main stream's URL if it was made from the other, so that it follows a change."""
    return _main_stream(current.url) if current.source_type is SourceType.ONVIF else ""


def _main_stream(url: str) -> str:
    try:
        return main_stream_of(url)
    except ValueError as error:
        raise bad_field("source.url", f"cannot be an ONVIF device: {error}") from None


def _type_of(url: str) -> SourceType:
    if url.startswith(_SYNTHETIC):
        return SourceType.SYNTHETIC
    if url.lower().startswith(("http://", "https://")):
        return SourceType.HTTP
    if url == _WEBRTC:
        return SourceType.WEBRTC
    if is_device(url):
        return SourceType.USB
    if url.lower().startswith(("onvif://", "onvifs://")):
        return SourceType.ONVIF
    return SourceType.RTSP if "://" in url else SourceType.FILE


def host_of(url: str) -> str:
    """Return the host that a source's URL names; empty if it names none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _check_url(url: str, source_type: SourceType) -> None:
    if not 1 <= len(url) <= _URL_MAX:
        raise bad_field("source.url", f"needs 1 to {_URL_MAX} characters, has {len(url)}")
    if source_type in _SCHEMES:
        _check_address(url, _SCHEMES[source_type])
    elif source_type is SourceType.USB:
        _check_device(url)
    elif "\x00" in url or _ADDRESS.match(url):
        kind = "a scene's name" if source_type is SourceType.SYNTHETIC else "a file's path"
        raise bad_field("source.url", f"must be {kind} for type {source_type}, not a URL")


def _check_device(url: str) -> None:
    try:
        UsbDevice.of(url)
    except ValueError as error:
        raise bad_field("source.url", str(error)) from None


def _check_address(url: str, schemes: tuple[str, str]) -> None:
    if _CONTROL.search(url):
        raise bad_field("source.url", "must not contain spaces or control characters (use %20)")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise bad_field("source.url", "cannot be read as a URL (is the port a number?)") from None
    if parts.scheme not in schemes:
        raise bad_field("source.url", f"must begin with {schemes[0]}:// or {schemes[1]}://")
    if not host:
        raise bad_field("source.url", f"names no host; as in {schemes[0]}://192.0.2.7/stream")
    if parts.username == "***":
        raise bad_field("source.url", "shows *** instead of user and password; give them again")
