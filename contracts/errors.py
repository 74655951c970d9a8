"""The exception tree; nothing outside it is raised on purpose.

* VigilError
  + ConfigError            the operator must change settings, a rules file or a request
  + SourceError            one camera; the others keep running
    - SourceUnavailable    worth a retry
    - SourceRejected       credentials, URL or format; a quick retry will not help
      . CredentialsRefused   the one of these that cameras lock accounts for
    - SourceEnded          a file is at its end; nothing is wrong
  + TransportUnavailable   Redis or the database cannot be reached now; retry
  + ModelError             a model file or its output is not what was promised
  + EvidenceMissing        a picture or clip that was asked for is not (or no longer) there
  + StorageFull            evidence cannot be written; detection goes on without it
  + DeliveryError          an alert did not reach its channel
"""


class VigilError(Exception):
    """Root of everything that Vigil raises on purpose."""


class ConfigError(VigilError):
    """The operator must change something; the message says what and where."""


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


class SourceEnded(SourceError):  # noqa: N818  # named as the condition, as httpx does
    """A recorded source has been read to its end."""


class TransportUnavailable(VigilError):  # noqa: N818  # named as the condition, as httpx does
    """Redis or the database cannot be reached now; what was to be sent was not taken."""


class ModelError(VigilError):
    """A model file or its output is not what was promised."""


class EvidenceMissing(VigilError):  # noqa: N818  # named as the condition, as httpx does
    """A picture or clip that was asked for is not there (any more)."""


class StorageFull(VigilError):  # noqa: N818  # named as the condition, as httpx does
    """No space for evidence; alerts are kept and sent without it."""


class DeliveryError(VigilError):
    """An alert did not reach its channel.

    Attributes:
        is_permanent: A retry cannot help (for instance 410 Gone).
        retry_after_s: The receiver's own wish, if it gave one.
    """

    def __init__(
        self, message: str, *, is_permanent: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.is_permanent = is_permanent
        self.retry_after_s = retry_after_s
