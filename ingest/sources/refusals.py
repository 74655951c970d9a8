"""What a camera's answer, or its silence, means for the operator; in words without secrets."""

import socket
import ssl
from typing import Final

import av

from contracts.cameras import RtspTransport
from ingest.errors import (
    CredentialsRefused,
    SourceError,
    SourceRejected,
    SourceUnavailable,
    TransportRefused,
)

REDIRECTS: Final = range(300, 400)
_CLIENT_FAULTS: Final = range(400, 500)


def refused(
    camera_id: str,
    shown: str,
    *,
    status: int,
    detail: str,
    asked: RtspTransport = RtspTransport.TCP,
) -> SourceError:
    """Return the error for an answer that is no stream.

    Args:
        camera_id: Whose.
        shown: Its URL, redacted.
        status: Of RTSP or HTTP, which mean the same; 0 where the matter is another.
        detail: What else is known.
        asked: Carrier that RTP was asked for by.
    """
    if status in REDIRECTS:
        return SourceRejected(
            camera_id,
            f"{shown} redirects to {detail} ({status}), which is not followed; "
            "wanted: the URL of the stream itself",
        )
    match status:
        case 0:
            return SourceRejected(camera_id, f"{shown} is not accepted: {detail}")
        case 401 if "@" not in shown:
            scheme = shown.partition("://")[0]
            return CredentialsRefused(
                camera_id,
                f"{shown} wants a user and a password (401); "
                f"wanted: {scheme}://user:password@host/path",
            )
        case 401:
            return CredentialsRefused(
                camera_id, f"{shown} refused the credentials (401); check user and password"
            )
        case 403:
            return CredentialsRefused(
                camera_id, f"{shown} forbids this user the stream (403); check its rights"
            )
        case 404:
            return SourceRejected(camera_id, f"{shown} has no such stream (404); check the path")
        case 461:
            is_tcp = asked is RtspTransport.TCP
            does_not, may = ("TCP", "udp") if is_tcp else ("UDP", "tcp")
            return TransportRefused(
                camera_id,
                f"{shown} does not send by {does_not} (461)",
                remedy=f"set its transport to {may}",
            )
        case _ if status in _CLIENT_FAULTS:
            return SourceRejected(camera_id, f"{shown} refused the request ({status})")
        case _:
            return SourceUnavailable(camera_id, f"{shown} cannot be reached ({status})")


def unreachable(
    camera_id: str, shown: str, error: Exception, *, timed_out: bool = False
) -> SourceError:
    """Return the error for a camera that did not answer, or not as a camera does."""
    match error:
        case socket.gaierror():
            return SourceUnavailable(
                camera_id,
                f"{shown} cannot be reached ({error.strerror}); is the host's name right?",
            )
        case _ if timed_out or isinstance(error, TimeoutError):
            return SourceUnavailable(camera_id, f"{shown} did not answer in time; is it on?")
        case ssl.SSLError():
            return SourceRejected(camera_id, f"{shown} does not speak TLS ({error.reason})")
        case av.error.InvalidDataError() if shown.startswith("http"):
            return SourceRejected(
                camera_id, f"{shown} does not answer as an HTTP camera ({error.strerror})"
            )
        case av.error.InvalidDataError():
            # Also what libav says of a camera that hangs up while it starts: worth a retry.
            return SourceUnavailable(
                camera_id, f"{shown} does not answer as an RTSP camera ({error.strerror})"
            )
        case _:
            reason = getattr(error, "strerror", None) or type(error).__name__
            return SourceUnavailable(camera_id, f"{shown} cannot be reached ({reason})")
