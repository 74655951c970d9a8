import asyncio
from collections.abc import Callable
from datetime import datetime

import pytest
from aiortc import RTCPeerConnection
from aiortc.rtcrtpreceiver import RTCRtpReceiver

from ingest.webrtc.encoded_tap import ask_for_key_frame, tap, tap_sound


class Deaf:
    """Hears nothing of interest."""

    def picture(self, codec: str, content: bytes, ticks: int) -> None: ...

    def report(self, at: datetime, ticks: int) -> None: ...

    def arrived(self, ticks: int) -> None: ...

    def sound(self, content: bytes, ticks: int) -> None: ...

    def sound_report(self, at: datetime, ticks: int) -> None: ...

    def sound_arrived(self, ticks: int) -> None: ...

    def ended(self) -> None: ...


def test_this_version_of_aiortc_can_be_tapped() -> None:
    """The tap uses attributes that are private to aiortc; a version may rename them."""

    async def receivers() -> list[RTCRtpReceiver]:
        connection = RTCPeerConnection()
        kinds = ("video", "audio")
        found = [connection.addTransceiver(kind, direction="recvonly").receiver for kind in kinds]
        await connection.close()
        return found

    video, sound = asyncio.run(receivers())

    tap(video, Deaf())
    ask_for_key_frame(video)
    tap_sound(sound, Deaf())


@pytest.mark.parametrize("tapped", [tap, tap_sound])
@pytest.mark.parametrize("name", ["_handle_rtcp_packet", "_handle_rtp_packet"])
def test_a_version_that_is_built_differently_is_told(
    tapped: Callable[[RTCRtpReceiver, Deaf], None], name: str
) -> None:
    class Another(RTCRtpReceiver):
        def __getattribute__(self, asked: str) -> object:
            if asked == name:
                raise AttributeError(asked)
            return super().__getattribute__(asked)

    async def receiver() -> RTCRtpReceiver:
        connection = RTCPeerConnection()
        found = connection.addTransceiver("video", direction="recvonly").receiver
        await connection.close()
        found.__class__ = Another
        return found

    with pytest.raises(RuntimeError, match=f"has no .*{name}.*wanted: a version"):
        tapped(asyncio.run(receiver()), Deaf())
