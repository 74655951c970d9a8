"""What can go wrong with one camera; the others keep running.

* SourceError
  + SourceUnavailable      worth a retry
  + SourceRejected         credentials, URL or format; a quick retry will not help
    - CredentialsRefused   the one of these that cameras lock accounts for
    - TransportRefused     another carrier may do
  + SourceEnded            a file is at its end; nothing is wrong
"""

from contracts.errors import VigilError


class SourceError(VigilError):
    """A camera's stream failed; other cameras are not affected.

    Attributes:
        reason: What happened, without the camera's name.
    """

    def __init__(self, camera_id: str, message: str) -> None:
        super().__init__(f"camera {camera_id}: {message}")
        self.camera_id = camera_id
        self.reason = message


class SourceUnavailable(SourceError):  # noqa: N818  # named as the condition, as httpx does
    """The camera cannot be reached now; reconnecting may succeed."""


class SourceRejected(SourceError):  # noqa: N818  # named as the condition, as httpx does
    """Wrong credentials, a refused URL or an unsupported format; retry slowly."""


class CredentialsRefused(SourceRejected):
    """The camera wants another user or password; it may lock the account after more tries."""


class TransportRefused(SourceRejected):
    """The camera does not send by the carrier that it is asked for.

    Attributes:
        fact: The reason without what to do, for who does it.
    """

    def __init__(self, camera_id: str, fact: str, *, remedy: str = "") -> None:
        super().__init__(camera_id, f"{fact}; {remedy}" if remedy else fact)
        self.fact = fact


class SourceEnded(SourceError):  # noqa: N818  # named as the condition, as httpx does
    """A recorded source has been read to its end."""
