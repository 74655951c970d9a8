"""The loop that hears one camera's own events; its failures touch nothing else."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import structlog

from contracts.cameras import Camera
from contracts.clock import Clock
from contracts.settings import IngestSettings
from ingest.metrics import LOOP_ERRORS, OWN_EVENTS
from ingest.onvif.device import OnvifDevice
from ingest.onvif.events import OwnEvent, PullPoint
from ingest.onvif.soap import SoapFault
from ingest.pacing import pause
from ingest.sources.http_body import HttpRefused

log = structlog.get_logger()

_AGAIN_S: Final = 30.0
_BREATH_S: Final = 1.0
"""Between two questions: some devices answer at once that there is nothing."""
_TOLD_MAX: Final = 30
"""In a minute; more is a detector that flutters, and is only counted."""
_MINUTE_S: Final = 60.0


@dataclass(kw_only=True, eq=False)
class EventListener:
    """Listens until told to stop, or until the device says that it has no events.

    Args:
        camera: An ONVIF camera.
        settings: Time-outs, and the wait after a refused password.
        clock: For waits.
        tell: Hears of each change, at most 30 in a minute.
    """

    camera: Camera
    settings: IngestSettings
    clock: Clock
    tell: Callable[[OwnEvent], None]
    _told_s: list[float] = field(init=False, default_factory=list)
    _problem: str = field(init=False, default="")

    def run(self, stop: threading.Event) -> None:
        """Listen; returns within seconds after ``stop`` is set."""
        while not stop.is_set():
            wait_s = _AGAIN_S
            try:
                if not self._listen(stop):
                    log.info("camera sends no events", camera_id=self.camera.camera_id)
                    return
            except HttpRefused as refusal:
                if refusal.status == HTTPStatus.UNAUTHORIZED:
                    wait_s = self.settings.auth_retry_s  # cameras lock accounts
                self._cannot(refusal.detail or f"answer {refusal.status}")
            except SoapFault as fault:
                self._cannot(fault.reason or "/".join(fault.codes))
            except OSError as error:
                self._cannot(type(error).__name__)
            except Exception as error:  # noqa: BLE001  # loop boundary; its text may hold the URL
                LOOP_ERRORS.labels("events").inc()
                self._cannot(f"internal error ({type(error).__name__})")
            pause(wait_s, clock=self.clock, stop=stop)

    def _listen(self, stop: threading.Event) -> bool:
        device = OnvifDevice(
            url=self.camera.source.url, timeout_s=self.settings.open_timeout_s, clock=self.clock
        )
        point = PullPoint(
            services=device.services, camera_id=self.camera.camera_id, clock=self.clock
        )
        if not point.open():
            return False
        log.info("hearing the camera's own events", camera_id=self.camera.camera_id)
        self._problem = ""
        try:
            while not stop.is_set():
                for event in point.pull():
                    self._heard(event)
                pause(_BREATH_S, clock=self.clock, stop=stop)
        finally:
            point.close()
        return True

    def _heard(self, event: OwnEvent) -> None:
        OWN_EVENTS.labels(event.camera_id, event.kind.value).inc()
        now_s = self.clock.monotonic_s()
        self._told_s = [at_s for at_s in self._told_s if now_s - at_s < _MINUTE_S]
        if len(self._told_s) >= _TOLD_MAX:
            return
        self._told_s.append(now_s)
        log.info(
            "camera says",
            camera_id=event.camera_id,
            kind=event.kind.value,
            topic=event.topic,
            is_on=event.is_on,
        )
        self.tell(event)

    def _cannot(self, problem: str) -> None:
        """Log why nothing is heard, once for each reason."""
        if problem != self._problem:
            log.warning(
                "camera's own events cannot be heard, its pictures are not affected",
                camera_id=self.camera.camera_id,
                reason=problem,
            )
        self._problem = problem
