"""The exception tree; nothing outside it is raised on purpose.

* VigilError
  + ConfigError            the operator must change settings, a rules file or a request
  + SourceError            one camera; the others keep running (``ingest/errors.py``)
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
