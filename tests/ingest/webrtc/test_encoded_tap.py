import asyncio
from datetime import datetime

from aiortc import RTCPeerConnection
from aiortc.rtcrtpreceiver import RTCRtpReceiver

from ingest.webrtc.encoded_tap import ask_for_key_frame, tap


class Deaf:
    """Hears nothing of interest."""

    def picture(self, codec: str, content: bytes, ticks: int) -> None: ...

    def report(self, at: datetime, ticks: int) -> None: ...

    def ended(self) -> None: ...


def test_this_version_of_aiortc_can_be_tapped() -> None:
    """The tap uses attributes that are private to aiortc; a version may rename them."""

    async def receiver() -> RTCRtpReceiver:
        connection = RTCPeerConnection()
        found = connection.addTransceiver("video", direction="recvonly").receiver
        await connection.close()
        return found

    made = asyncio.run(receiver())

    tap(made, Deaf())
    ask_for_key_frame(made)
