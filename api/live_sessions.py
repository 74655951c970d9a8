"""WebRTC sessions as the API hands them on: to the ingest process that holds the camera."""

from datetime import datetime, timedelta
from typing import Final

import anyio.to_thread

from api.cameras import CameraDesk
from api.ports import CameraSignals
from api.problems import Refusal
from contracts.cameras import SourceType
from contracts.clock import Clock
from contracts.ids import new_id
from ingest.webrtc.signals import Signal, SignalAnswer, SignalKind, SignalRefused

_WAIT: Final = timedelta(seconds=8)
_AT_ONCE: Final = 8
"""Requests that wait for an ingest stage, each on a thread; the rest of the API needs some too."""


class LiveSessions:
    """Begins, changes and ends sessions; for one event loop.

    Args:
        signals: Reaches the process that holds a camera.
        desk: Knows which cameras there are.
        clock: For how long an answer is waited for.
    """

    def __init__(self, signals: CameraSignals, desk: CameraDesk, clock: Clock) -> None:
        self._signals = signals
        self._desk = desk
        self._clock = clock
        self._waiting = 0

    async def begin(
        self, kind: SignalKind, camera_id: str, sdp: str, *, ends_at: datetime
    ) -> SignalAnswer:
        """Hand an offer to the camera and return the answer to it.

        Raises:
            Refusal: 404 no such camera, 409 it cannot do that now, 400 or 422 the offer, 503 not
                now, 504 no answer in time.
        """
        return await self._ask(
            Signal(
                signal_id=new_id("sig"),
                kind=kind,
                camera_id=camera_id,
                sdp=sdp,
                ends_at=ends_at,
                until=self._clock.now() + _WAIT,
            )
        )

    async def trickle(
        self, camera_id: str, session_id: str, fragment: str, *, is_publisher: bool, etag: str
    ) -> None:
        """Hand ICE candidates to a session. Raises Refusal (404, 412, 422, 428, as ``begin``)."""
        await self._ask(
            Signal(
                signal_id=new_id("sig"),
                kind=SignalKind.TRICKLE,
                camera_id=camera_id,
                session_id=session_id,
                is_publisher=is_publisher,
                sdp=fragment,
                etag=etag,
                until=self._clock.now() + _WAIT,
            )
        )

    async def end(self, camera_id: str, session_id: str, *, is_publisher: bool) -> None:
        """End a session. Raises Refusal (404, 503, 504)."""
        await self._ask(
            Signal(
                signal_id=new_id("sig"),
                kind=SignalKind.END,
                camera_id=camera_id,
                session_id=session_id,
                is_publisher=is_publisher,
                until=self._clock.now() + _WAIT,
            )
        )

    async def _ask(self, signal: Signal) -> SignalAnswer:
        if self._waiting >= _AT_ONCE:
            raise _refusal(
                SignalAnswer(
                    status=503,
                    problem="busy",
                    detail="too many WebRTC requests at once; try again",
                    retry_after_s=2,
                )
            )
        self._waiting += 1
        try:
            answer = await anyio.to_thread.run_sync(self._ask_now, signal)
        except SignalRefused as refused:
            answer = refused.answer
        finally:
            self._waiting -= 1
        if answer.problem:
            raise _refusal(answer)
        return answer

    def _ask_now(self, signal: Signal) -> SignalAnswer:
        camera = self._desk.get(signal.camera_id)
        if not camera.is_enabled:
            raise SignalRefused(409, "camera-off", "this camera is switched off in its settings")
        source = camera.source.source_type
        if signal.kind is SignalKind.PUBLISH and source is not SourceType.WEBRTC:
            raise SignalRefused(
                409,
                "not-a-webrtc-camera",
                f"this camera's source is {source.value}; only one of type webrtc is published to",
            )
        return self._signals.ask(signal)


def _refusal(answer: SignalAnswer) -> Refusal:
    headers = {"Retry-After": str(answer.retry_after_s)} if answer.retry_after_s else {}
    return Refusal(answer.status, answer.problem, answer.detail, headers=headers)
