"""Requests to the ingest process that holds a camera, and its answers, on Redis.

The web finds the process by the camera's lease. Each process has one list of requests; each request
has a list of its own for the one answer. Both end by themselves: they hold ICE passwords.
"""

from collections.abc import Sequence
from typing import Final

import structlog

from api.transport.connection import BLOCK_MAX_S, RedisClient, translate_errors
from contracts.clock import Clock
from contracts.codec import CodecError, decode, encode
from ingest.webrtc.signals import Signal, SignalAnswer, SignalRefused

log = structlog.get_logger()

_LIFE_S: Final = 30
_WAITING_MAX: Final = 64
"""Requests that one process may have waiting; it answers some hundred a minute."""


class RedisSignals:
    """The web's end: implements ``api.ports.CameraSignals``.

    Args:
        client: A redis-py client whose answers are bytes.
        clock: For the time a request says itself until when it is waited for.
    """

    def __init__(self, client: RedisClient, *, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    def ask(self, signal: Signal) -> SignalAnswer:
        """Send a request to the process that holds its camera and wait for the answer.

        Raises:
            SignalRefused: 503, no process holds the camera or it has too much to do; 504, it did
                not answer in time.
            TransportUnavailable: Redis does not answer.
        """
        with translate_errors("asking an ingest stage"):
            holder = self._client.hget(f"vigil:lease:{{ingest:{signal.camera_id}}}", "holder")
            if not holder:
                raise SignalRefused(
                    503,
                    "ingest-not-there",
                    "no ingest stage reads this camera at the moment; try again",
                    retry_after_s=2,
                )
            inbox = _inbox(holder.decode())
            if self._client.llen(inbox) >= _WAITING_MAX:
                raise SignalRefused(
                    503, "busy", "too many WebRTC requests at once; try again", retry_after_s=5
                )
            pipe = self._client.pipeline(transaction=True)
            pipe.rpush(inbox, encode(signal))
            pipe.expire(inbox, _LIFE_S)
            pipe.execute()
        content = self._wait(signal)
        if content is None:
            raise SignalRefused(
                504,
                "ingest-silent",
                "the ingest stage that reads this camera did not answer in time",
                retry_after_s=2,
            )
        return decode(content, SignalAnswer)

    def _wait(self, signal: Signal) -> bytes | None:
        while True:
            left_s = (signal.until - self._clock.now()).total_seconds()
            if left_s <= 0:
                return None
            with translate_errors("waiting for an ingest stage"):
                found = self._client.blpop([_answer(signal.signal_id)], min(left_s, BLOCK_MAX_S))
            if found:
                content: bytes = found[1]
                return content


class RedisSignalInbox:
    """The ingest process's end: implements ``ingest.webrtc.signals.SignalInbox``.

    Args:
        client: A redis-py client whose answers are bytes.
        holder: Name of this process, as in its leases.
    """

    def __init__(self, client: RedisClient, *, holder: str) -> None:
        self._client = client
        self._inbox = _inbox(holder)

    def receive(self, *, timeout_s: float) -> Sequence[Signal]:
        """Return the next request, if one comes in time; what cannot be read is dropped."""
        with translate_errors("receiving WebRTC requests"):
            found = self._client.blpop([self._inbox], min(timeout_s, BLOCK_MAX_S))
        if not found:
            return ()
        try:
            return (decode(found[1], Signal),)
        except CodecError:
            log.warning("a WebRTC request cannot be read")  # its text would be the error's
            return ()

    def answer(self, signal: Signal, answer: SignalAnswer) -> None:
        """Send the answer to whoever waits for it."""
        key = _answer(signal.signal_id)
        with translate_errors("answering a WebRTC request"):
            pipe = self._client.pipeline(transaction=True)
            pipe.rpush(key, encode(answer))
            pipe.expire(key, _LIFE_S)
            pipe.execute()


def _inbox(holder: str) -> str:
    return f"vigil:signals:{{{holder}}}"


def _answer(signal_id: str) -> str:
    return f"vigil:signals:answer:{{{signal_id}}}"
