import asyncio
from datetime import datetime

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
