"""The key frame nearest to a moment as a JPEG of the source's full size."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame

from contracts.errors import EvidenceMissing
from ingest.clip_ring import Footage
from ingest.masked_footage import decoder_of
from ingest.masks import PrivacyMask
from ingest.sources.stream import EncodedPacket

_QUALITY: Final = 92
_TRIED_MAX: Final = 3
"""Key frames; one that arrived damaged has neighbours, and all being damaged is not worth more."""


def make_still(footage: Footage, at: datetime) -> tuple[bytes, datetime]:
    """Return a JPEG, covered by the footage's masks, and when it was taken.

    A key frame was encoded by itself, so that nothing in it comes from another picture.

    Raises:
        EvidenceMissing: None near it decodes whole.
    """
    at_s = footage.packets[0].stream_s + (at - footage.starts_at).total_seconds()
    keys = [packet for packet in footage.packets if packet.is_key]
    keys.sort(key=lambda packet: (abs(packet.stream_s - at_s), packet.stream_s))
    for key in keys[:_TRIED_MAX]:
        picture = _decoded(footage, key)
        if picture is not None:
            passed = timedelta(seconds=key.stream_s - footage.packets[0].stream_s)
            return _jpeg(PrivacyMask(footage.masks).cover(picture)), footage.starts_at + passed
    raise EvidenceMissing("no picture at full size: no key frame near the moment decodes whole")


def _decoded(footage: Footage, key: EncodedPacket) -> VideoFrame | None:
    decoder = decoder_of(footage)
    with suppress(av.FFmpegError):
        pictures = [*decoder.decode(av.Packet(key.content)), *decoder.decode(None)]
        return next((picture for picture in pictures if not picture.is_corrupt), None)
    return None


def _jpeg(picture: VideoFrame) -> bytes:
    pixels_HW3 = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
    is_done, content = cv2.imencode(".jpg", pixels_HW3, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not is_done:
        raise EvidenceMissing("no picture at full size: it cannot be encoded as JPEG")
    return bytes(content)
