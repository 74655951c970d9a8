"""ONVIF cameras: asked where their streams are at each connection, then read by RTSP."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from contracts.cameras import Camera, SourceType, redact_url
from contracts.clock import SystemClock
from contracts.settings import IngestSettings
from ingest.errors import SourceEnded, SourceError, SourceRejected, SourceUnavailable
from ingest.onvif.device import DeviceReport, OnvifDevice
from ingest.sources.http_body import HttpRefused
from ingest.sources.opened import OpenedStream
from ingest.sources.refusals import refused, unreachable
from ingest.sources.rtsp import open_rtsp

_WANTED: Final = "wanted: onvif://user:password@host[:port][?stream=main|sub]"


def open_onvif(
    camera: Camera, settings: IngestSettings, *, on_answer: Callable[[], None] | None = None
) -> OpenedStream:
    """Ask the device for the stream that the URL wants, and open that.

    Raises:
        CredentialsRefused: Of the device or of its stream.
        SourceRejected: No such URL or profile, or something that is no ONVIF device.
        SourceUnavailable: It cannot be reached, or does not answer in time.
        SourceEnded: The main stream is wanted and the device has only one.
    """
    url = stream_url(camera, settings)
    source = replace(camera.source, source_type=SourceType.RTSP, url=url)
    return open_rtsp(replace(camera, source=source), settings, on_answer=on_answer)


def stream_url(camera: Camera, settings: IngestSettings) -> str:
    """Return the RTSP URL, with credentials, that the camera's ONVIF URL leads to now."""
    device = device_of(camera, settings)
    try:
        profile = device.wanted(device.profiles())
        if profile is None:
            raise SourceEnded(camera.camera_id, "it has no other stream than the one analysed")
        return device.stream_url(profile)
    except (HttpRefused, OSError) as error:
        raise source_error(camera, error) from None


def describe(camera: Camera, settings: IngestSettings) -> DeviceReport:
    """Return what the device says of itself. Raises SourceError."""
    device = device_of(camera, settings)
    try:
        return device.describe()
    except (HttpRefused, OSError) as error:
        raise source_error(camera, error) from None


def device_of(camera: Camera, settings: IngestSettings) -> OnvifDevice:
    """Return the device that the camera's URL names. Raises SourceRejected."""
    try:
        return OnvifDevice(
            url=camera.source.url, timeout_s=settings.open_timeout_s, clock=SystemClock()
        )
    except ValueError:
        raise SourceRejected(
            camera.camera_id,
            f"{redact_url(camera.source.url)} is not the URL of an ONVIF device; {_WANTED}",
        ) from None


def source_error(camera: Camera, error: HttpRefused | OSError) -> SourceError:
    """Return what a device's answer, or its silence, means; without secrets."""
    shown = redact_url(camera.source.url)
    if isinstance(error, HttpRefused):
        return refused(camera.camera_id, shown, status=error.status, detail=error.detail)
    if isinstance(error, ConnectionRefusedError):
        return SourceUnavailable(
            camera.camera_id,
            f"{shown} does not listen there; many cameras speak ONVIF at port 8000, 8080, 2020 or "
            "8899, after it was switched on in their own pages",
        )
    return unreachable(camera.camera_id, shown, error)
