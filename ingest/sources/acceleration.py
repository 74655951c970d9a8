"""Decoding on a device, where there is one; on the CPU otherwise, and said so once."""

import threading
from typing import Final

import av
import structlog
from av.codec.hwaccel import HWAccel

from contracts.settings import IngestSettings
from ingest.metrics import DECODE_DEVICE

log = structlog.get_logger()

_TRIED_CODEC: Final = "h264"
_lock = threading.Lock()
_is_usable: dict[str, bool] = {}


def acceleration(settings: IngestSettings) -> HWAccel | None:
    """Return what ``av.open`` is to decode with; None for the CPU.

    A device that does not work is tried once in the life of a process. A stream that a working
    device cannot decode (its codec, its size) is decoded by the CPU.
    """
    device = settings.hwaccel
    if device == "off":
        return None
    with _lock:
        if device not in _is_usable:
            _is_usable[device] = _works(device)
            DECODE_DEVICE.labels(device).set(_is_usable[device])
    return HWAccel(device, allow_software_fallback=True) if _is_usable[device] else None


def _works(device: str) -> bool:
    try:
        HWAccel(device).create(av.Codec(_TRIED_CODEC, "r"))
    except (av.FFmpegError, OSError, RuntimeError, ValueError, NotImplementedError) as error:
        reason = str(getattr(error, "strerror", None) or error)
        log.warning("device does not decode, the CPU does", device=device, reason=reason)
        return False
    log.info("device decodes", device=device)
    return True
