"""One peer's connection: made from its offer, watched, and closed."""

import asyncio
import secrets
from contextlib import suppress
from typing import Final

import structlog
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.codecs import get_capabilities
from aiortc.rtp import AnyRtcpPacket
from aiortc.sdp import candidate_from_sdp

from contracts.clock import Clock
from ingest.webrtc.encoded_tap import ask_for_key_frame, tap, tap_sound
from ingest.webrtc.live_cameras import LiveCamera
from ingest.webrtc.live_feed import LivePacket
from ingest.webrtc.live_track import LiveTrack
from ingest.webrtc.network import Network, new_connection, offer_own_addresses
from ingest.webrtc.offer import Offer, with_public_address
from ingest.webrtc.publication import Publication
from ingest.webrtc.signals import Signal, SignalRefused

log = structlog.get_logger()

CONNECT_S: Final = 10.0
"""ICE and DTLS must be done by then. Within one site they take well below a second."""
_LOOK_EVERY_S: Final = 0.25
_VIEWER_SILENT_S: Final = 12.0
"""Viewers report what they get (RTCP) about every second; one that does not is gone."""
_PUBLISHER_SILENT_S: Final = 15.0
"""The camera's loop gives up earlier (``read_timeout_s``), unless it is held up itself."""
_CLOSE_S: Final = 5.0
_KEY_EVERY_S: Final = 1.0
_VIDEO: Final = get_capabilities("video").codecs
_SOUND: Final = [one for one in get_capabilities("audio").codecs if one.name.upper() == "OPUS"]
"""The others of aiortc's cannot be kept in MP4."""


class Session:
    """A publisher's or a viewer's connection. For the event loop that made it.

    Attributes:
        session_id: Names it in URLs; cannot be guessed.
        etag: Names its ICE session.
        cause: Why it is over; empty while it is not.
    """

    def __init__(
        self,
        signal: Signal,
        live: LiveCamera,
        *,
        is_publisher: bool,
        network: Network,
        clock: Clock,
    ) -> None:
        self.session_id = secrets.token_hex(16)
        self.etag = f'"{secrets.token_hex(8)}"'
        self.camera_id = signal.camera_id
        self.is_publisher = is_publisher
        self.cause = ""
        self._ends_at = signal.ends_at
        self._live = live
        self._network = network
        self._clock = clock
        self._began_s = self._heard_s = self._keyed_s = clock.monotonic_s()
        self._is_connected = False
        self._connection: RTCPeerConnection = new_connection(network)
        self._connection.on("connectionstatechange", self._note_state)
        self._publication: Publication | None = None
        self._ticket: int | None = None
        self._codec = ""
        self._track: LiveTrack | None = None

    async def publish(self, offer: Offer) -> str:
        """Take the peer as the camera's publisher; the answer to its offer.

        Raises:
            SignalRefused: 409, another publisher is there.
        """
        transceiver = self._connection.addTransceiver("video", direction="recvonly")
        receiver = transceiver.receiver
        has_sound = offer.has_sound and self._live.camera.keeps_audio
        publication = Publication(
            lambda: ask_for_key_frame(receiver), clock=self._clock, has_sound=has_sound
        )
        tap(receiver, publication)
        if has_sound:
            sound = self._connection.addTransceiver("audio", direction="recvonly")
            tap_sound(sound.receiver, publication)
        self._publication = publication
        if not self._live.intake.begin(publication):
            raise SignalRefused(
                409,
                "already-published",
                "somebody publishes to this camera already; end that session, or try again when "
                "it has been silent for some seconds",
                retry_after_s=3,
            )
        return await self._answer(offer, offer.codecs[0])

    async def watch(self, offer: Offer) -> str:
        """Take the peer as a viewer; the answer to its offer.

        Raises:
            SignalRefused: 409 no picture comes now, 422 the viewer cannot decode the camera's.
        """
        feed = self._live.feed
        self._codec = feed.codec
        if not self._codec:
            raise SignalRefused(
                409, "no-picture", "no picture of this camera comes at the moment", retry_after_s=2
            )
        if self._codec not in offer.codecs:
            raise SignalRefused(
                422,
                "codec-not-supported",
                f"this camera is shown as {self._codec}, which the offer does not have; "
                "latest.jpg shows it without",
            )
        self._track = LiveTrack(self._want_key, clock=self._clock)
        sender = self._connection.addTransceiver(self._track, direction="sendonly").sender
        original = sender._handle_rtcp_packet

        async def hear(packet: AnyRtcpPacket) -> None:
            self._heard_s = self._clock.monotonic_s()
            await original(packet)

        setattr(sender, "_handle_rtcp_packet", hear)  # noqa: B010  # methods, for mypy
        setattr(sender, "_send_keyframe", self._want_key)  # noqa: B010
        answer = await self._answer(offer, self._codec)
        loop, track = asyncio.get_running_loop(), self._track

        def deliver(packet: LivePacket) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody watches any more
                loop.call_soon_threadsafe(track.deliver, packet)

        self._ticket = feed.watch(deliver)
        return answer

    async def trickle(self, lines: tuple[str, ...]) -> None:
        """Add remote candidates; what ICE cannot use is left out."""
        transport = self._connection.getTransceivers()[0].receiver.transport.transport
        for line in lines:
            with suppress(ValueError, AssertionError):
                await transport.addRemoteCandidate(
                    candidate_from_sdp(line.removeprefix("candidate:"))
                )

    async def watch_over(self) -> None:
        """Return when the connection is over, with ``cause`` set."""
        while not self.cause:
            await asyncio.sleep(_LOOK_EVERY_S)
            self.end(self._fault())

    def end(self, cause: str) -> None:
        """Let ``watch_over`` return; the first cause counts."""
        self.cause = self.cause or cause

    async def close(self) -> None:
        """Free the connection; the camera hears that its publisher is gone."""
        if self._publication is not None:
            self._publication.end(self.cause or "the connection was closed")
        if self._ticket is not None:
            self._live.feed.leave(self._ticket)
        if self._track is not None:
            self._track.stop()
        try:
            await asyncio.wait_for(self._connection.close(), _CLOSE_S)
        except TimeoutError:
            log.warning("a connection did not close in time", camera_id=self.camera_id)

    async def _answer(self, offer: Offer, codec: str) -> str:
        for transceiver in self._connection.getTransceivers():
            video = [one for one in _VIDEO if one.name.upper() in (codec, "RTX")]
            transceiver.setCodecPreferences(video if transceiver.kind == "video" else _SOUND)
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        except Exception as error:  # noqa: BLE001  # aiortc's parser raises what it happens to hit
            log.info("an offer was not taken", error=type(error).__name__)
            raise SignalRefused(
                400, "sdp-malformed", "the offer is not what WebRTC peers send"
            ) from None
        for transceiver in self._connection.getTransceivers():
            if transceiver.kind == "audio" and not self._takes_sound:
                transceiver.direction = "inactive"
            offer_own_addresses(transceiver.receiver.transport.transport, self._network)
        await self._connection.setLocalDescription(await self._connection.createAnswer())
        return with_public_address(
            self._connection.localDescription.sdp, self._network.public_address
        )

    @property
    def _takes_sound(self) -> bool:
        return self._publication is not None and self._publication.has_sound

    def _want_key(self) -> None:
        now_s = self._clock.monotonic_s()
        if self._ticket is not None and now_s - self._keyed_s >= _KEY_EVERY_S:
            self._keyed_s = now_s
            self._live.feed.want_key(self._ticket)

    def _note_state(self) -> None:
        state = self._connection.connectionState
        if state == "connected":
            self._is_connected = True
            self._heard_s = self._clock.monotonic_s()
        elif state in ("failed", "closed"):
            self.end(f"the connection is {state}")

    def _fault(self) -> str:
        now_s = self._clock.monotonic_s()
        if self._ends_at is not None and self._clock.now() >= self._ends_at:
            return "the sign-in that began it has ended"
        if not self._is_connected and now_s - self._began_s > CONNECT_S:
            return f"the connection was not made within {CONNECT_S:g} s; is UDP let through?"
        if self._publication is not None:
            is_mute = self._is_connected and self._publication.silent_s > _PUBLISHER_SILENT_S
            mute = f"the publisher sent nothing for {_PUBLISHER_SILENT_S:g} s" if is_mute else ""
            return self._publication.cause or mute
        if self._is_connected and now_s - self._heard_s > _VIEWER_SILENT_S:
            return f"the viewer has not been heard of for {_VIEWER_SILENT_S:g} s"
        if self._live.feed.codec not in ("", self._codec):
            return f"the camera's codec is not {self._codec} any more"
        return ""
