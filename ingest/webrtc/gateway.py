"""The loop of WebRTC: takes requests of the web in, keeps the sessions, ends them."""

import asyncio
import threading
import traceback
from collections.abc import Coroutine
from typing import Any, Final

import structlog

from contracts.cameras import SourceType
from contracts.clock import Clock
from contracts.errors import TransportUnavailable
from contracts.settings import WebRtcSettings
from ingest.metrics import LOOP_ERRORS
from ingest.webrtc.live_cameras import LiveCamera, LiveCameras
from ingest.webrtc.metrics import LIVE_SESSIONS, SIGNALS
from ingest.webrtc.network import MediaLoop, Network, read_network
from ingest.webrtc.offer import read_fragment, read_offer
from ingest.webrtc.session import Session
from ingest.webrtc.signals import (
    Signal,
    SignalAnswer,
    SignalInbox,
    SignalKind,
    SignalRefused,
)

log = structlog.get_logger()

_WAIT_S: Final = 1.0
_RETRY_S: Final = 1.0
_ANSWER_S: Final = 6.0
"""An answer takes milliseconds; with a STUN or TURN server that does not answer, up to 5 s."""
_AT_ONCE: Final = 8
"""Offers being answered; each generates a key and opens sockets."""
_SESSIONS_MAX: Final = 64


class MediaGateway:
    """Serves publishers and viewers of the cameras that this process holds.

    Args:
        inbox: Where requests come from and answers go.
        cameras: Those held here.
        settings: Addresses, ports, viewers.
        clock: For deadlines.

    Raises:
        ConfigError: A setting has another form than it must.
    """

    def __init__(
        self,
        inbox: SignalInbox,
        cameras: LiveCameras,
        *,
        settings: WebRtcSettings,
        clock: Clock,
    ) -> None:
        self._inbox = inbox
        self._cameras = cameras
        self._viewers_max = settings.viewers
        self._network: Network = read_network(settings)
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, stop: threading.Event) -> None:
        """Serve until ``stop`` is set, then end all sessions."""
        loop = MediaLoop(self._network.ports)
        try:
            loop.run_until_complete(self._serve(stop))
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    async def _serve(self, stop: threading.Event) -> None:
        slots = asyncio.Semaphore(_AT_ONCE)
        loop = asyncio.get_running_loop()
        is_away = False
        while not stop.is_set():
            try:
                signals = await loop.run_in_executor(
                    None, lambda: self._inbox.receive(timeout_s=_WAIT_S)
                )
                is_away = False
            except TransportUnavailable as error:
                if not is_away:
                    log.warning("publishers and viewers have to wait", reason=str(error))
                is_away = True
                await asyncio.sleep(_RETRY_S)
                continue
            for signal in signals:
                self._start(self._take(signal, slots))
        for session in self._sessions.values():
            session.end("Vigil stops")
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # What aiortc still has running, for instance for a connection that was never made.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, signal: Signal, slots: asyncio.Semaphore) -> None:
        """Do what is asked and answer; a request that nobody waits for any more is dropped."""
        async with slots:
            if self._clock.now() >= signal.until:
                SIGNALS.labels(signal.kind.value, "late").inc()
                return
            answer = await self._answer(signal)
        SIGNALS.labels(signal.kind.value, answer.problem or "done").inc()
        try:
            await asyncio.get_running_loop().run_in_executor(
                None, lambda: self._inbox.answer(signal, answer)
            )
        except TransportUnavailable as error:
            log.warning(
                "an answer could not be sent", camera_id=signal.camera_id, reason=str(error)
            )
            self._end_unheard(answer)

    def _end_unheard(self, answer: SignalAnswer) -> None:
        session = self._sessions.get(answer.session_id)
        if session is not None:
            session.end("its beginner could not be answered")

    async def _answer(self, signal: Signal) -> SignalAnswer:
        try:
            return await asyncio.wait_for(self._do(signal), _ANSWER_S)
        except SignalRefused as refused:
            return refused.answer
        except TimeoutError:
            return SignalAnswer(
                status=504,
                problem="too-slow",
                detail=f"the connection could not be prepared within {_ANSWER_S:g} s; "
                "does the STUN or TURN server of the settings answer?",
            )
        except Exception as error:  # noqa: BLE001  # loop boundary: its text may hold the offer
            LOOP_ERRORS.labels("webrtc").inc()
            places = [
                f"{place.filename}:{place.lineno}"
                for place in traceback.extract_tb(error.__traceback__)
            ]
            log.error(  # noqa: TRY400  # a trace would repeat the error's text
                "a WebRTC request failed unexpectedly",
                camera_id=signal.camera_id,
                kind=signal.kind.value,
                error=type(error).__name__,
                places=places[-4:],
            )
            return SignalAnswer(
                status=500,
                problem="internal-error",
                detail="something went wrong here; the log says where",
            )

    async def _do(self, signal: Signal) -> SignalAnswer:
        match signal.kind:
            case SignalKind.PUBLISH | SignalKind.WATCH:
                return await self._begin(signal)
            case SignalKind.TRICKLE:
                return await self._trickle(signal)
            case SignalKind.END:
                self._session_of(signal).end("its beginner ended it")
                return SignalAnswer(status=200)

    async def _begin(self, signal: Signal) -> SignalAnswer:
        is_publisher = signal.kind is SignalKind.PUBLISH
        live = self._live(signal.camera_id)
        self._check_room(live, is_publisher=is_publisher)
        offer = read_offer(signal.sdp, is_publisher=is_publisher)
        session = Session(
            signal, live, is_publisher=is_publisher, network=self._network, clock=self._clock
        )
        self._sessions[session.session_id] = session
        try:
            sdp = await (session.publish(offer) if is_publisher else session.watch(offer))
        except BaseException:
            self._sessions.pop(session.session_id, None)
            session.end("its offer was not taken")
            self._start(session.close())
            raise
        self._start(self._keep(session))
        return SignalAnswer(
            status=201,
            session_id=session.session_id,
            sdp=sdp,
            etag=session.etag,
            links=self._network.links(),
        )

    async def _keep(self, session: Session) -> None:
        """See a session to its end."""
        role = "publisher" if session.is_publisher else "viewer"
        log.info("session began", camera_id=session.camera_id, role=role)
        LIVE_SESSIONS.labels(role).inc()
        try:
            await session.watch_over()
        finally:
            LIVE_SESSIONS.labels(role).dec()
            self._sessions.pop(session.session_id, None)
            log.info("session ended", camera_id=session.camera_id, role=role, cause=session.cause)
            await session.close()

    async def _trickle(self, signal: Signal) -> SignalAnswer:
        session = self._session_of(signal)
        candidates = read_fragment(signal.sdp)
        if signal.etag == "*":
            raise SignalRefused(
                422, "no-ice-restart", "ICE is not restarted here; end this session and offer anew"
            )
        if not signal.etag:
            raise SignalRefused(428, "etag-needed", "say which ICE session is meant: If-Match")
        if signal.etag != session.etag:
            raise SignalRefused(412, "etag-differs", "If-Match names another ICE session")
        await session.trickle(candidates)
        return SignalAnswer(status=204)

    def _live(self, camera_id: str) -> LiveCamera:
        live = self._cameras.find(camera_id)
        if live is None:
            raise SignalRefused(
                503,
                "ingest-not-there",
                "no ingest stage reads this camera at the moment; try again",
                retry_after_s=2,
            )
        return live

    def _check_room(self, live: LiveCamera, *, is_publisher: bool) -> None:
        source = live.camera.source.source_type
        if is_publisher and source is not SourceType.WEBRTC:
            raise SignalRefused(
                409,
                "not-a-webrtc-camera",
                f"this camera's source is {source.value}; only one of type webrtc is published to",
            )
        if len(self._sessions) >= _SESSIONS_MAX:
            raise SignalRefused(
                503,
                "too-many-sessions",
                f"there are {_SESSIONS_MAX} WebRTC sessions already",
                retry_after_s=10,
            )
        viewers = sum(
            one.camera_id == live.camera.camera_id and not one.is_publisher
            for one in self._sessions.values()
        )
        if not is_publisher and viewers >= self._viewers_max:
            raise SignalRefused(
                503,
                "too-many-viewers",
                f"{viewers} people watch this camera live already (webrtc.viewers = "
                f"{self._viewers_max}); latest.jpg shows it without a limit",
                retry_after_s=10,
            )

    def _session_of(self, signal: Signal) -> Session:
        session = self._sessions.get(signal.session_id)
        is_it = (
            session is not None
            and session.camera_id == signal.camera_id
            and session.is_publisher == signal.is_publisher
        )
        if session is None or not is_it:
            raise SignalRefused(404, "no-such-session", "there is no such session (any more)")
        return session
