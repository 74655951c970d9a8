"""What the web asks of the process that holds a camera, and what that process answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from contracts.errors import VigilError

SDP_BYTES_MAX: Final = 64_000
"""A browser's offer has 6,000; one with every codec and twenty candidates fewer than 20,000."""


class SignalKind(StrEnum):
    """What is asked."""

    PUBLISH = "publish"
    WATCH = "watch"
    TRICKLE = "trickle"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One request about a camera.

    Attributes:
        session_id: For TRICKLE and END: of the answer to PUBLISH or WATCH.
        is_publisher: For TRICKLE and END: whether it is a publisher's session.
        sdp: An offer, or for TRICKLE an SDP fragment. A secret: it holds an ICE password.
        etag: For TRICKLE: the ICE session that the sender means, empty if it does not say.
        until: Nobody waits for the answer after that.
        ends_at: The session lasts no longer, as the sign-in that began it.
    """

    signal_id: str
    kind: SignalKind
    camera_id: str
    until: datetime
    session_id: str = ""
    is_publisher: bool = False
    sdp: str = field(default="", repr=False)
    etag: str = ""
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalAnswer:
    """The answer to a request.

    Attributes:
        problem: Empty if it was done; else a stable word, such as ``no-video``.
        status: HTTP status that fits.
        detail: For people, without secrets.
        sdp: The answer to an offer. A secret, as the offer.
        links: ICE servers for the peer, in the form of an HTTP ``Link`` header. Secrets.
    """

    status: int
    problem: str = ""
    detail: str = ""
    session_id: str = ""
    sdp: str = field(default="", repr=False)
    etag: str = ""
    links: tuple[str, ...] = field(default=(), repr=False)
    retry_after_s: int = 0


class SignalRefused(VigilError):  # noqa: N818  # named as the condition, as httpx does
    """A request that cannot be done, with the answer that says why."""

    def __init__(self, status: int, problem: str, detail: str, *, retry_after_s: int = 0) -> None:
        super().__init__(detail)
        self.answer = SignalAnswer(
            status=status, problem=problem, detail=detail, retry_after_s=retry_after_s
        )


class SignalInbox(Protocol):
    """Where the requests for this process come in."""

    def receive(self, *, timeout_s: float) -> Sequence[Signal]:
        """Return what has come, oldest first; empty at the time-out.

        Raises:
            TransportUnavailable: Call again later.
        """
        ...

    def answer(self, signal: Signal, answer: SignalAnswer) -> None:
        """Send the answer to whoever waits for it. Raises TransportUnavailable."""
        ...
