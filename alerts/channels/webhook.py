"""One attempt to tell one webhook: signed, bounded in time and size, only where it may go."""

import email.utils
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import httpcore
import httpx
import msgspec

from alerts import metrics
from alerts.channels.addresses import Resolver, checked_addresses, resolve
from alerts.channels.deadline_stream import Deadline, PinnedBackend
from alerts.channels.signature import signature_headers
from alerts.payload import CONTENT_TYPE
from contracts.clock import Clock
from contracts.errors import ConfigError, DeliveryError
from contracts.settings import AlertSettings

_BODY_MAX_BYTES: Final = 20_000
"""Standard Webhooks asks for small bodies; receivers refuse large ones."""
_USER_AGENT: Final = "vigil-webhooks/1"
_REFUSED_FOR_GOOD: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.GONE,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""The receiver says that this very message is wrong: the same bytes will not become right. Other
4xx (401, 403, 404, 408, 429, ...) are about the endpoint, which somebody may repair meanwhile."""
_RETRY_AFTER_MAX_S: Final = 86_400.0


class WebhookError(DeliveryError):
    """The endpoint did not take the message.

    Attributes:
        status: What it answered; None if it did not.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        is_permanent: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, is_permanent=is_permanent, retry_after_s=retry_after_s)
        self.status = status

    @property
    def is_gone(self) -> bool:
        """Whether the endpoint asks never to be called again."""
        return self.status == HTTPStatus.GONE


class WebhookChannel:
    """Sends CloudEvents to endpoints. Safe to share between threads.

    Args:
        settings: Time limit, and whether private addresses are allowed.
        clock: For timestamps and the time limit.
        resolver: Finds the addresses of a host name.
    """

    def __init__(
        self, settings: AlertSettings, *, clock: Clock, resolver: Resolver = resolve
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._resolver = resolver
        # certifi's authorities, and the system's for receivers with certificates of one's own.
        self._ssl_context = httpx.create_ssl_context(trust_env=False)
        self._ssl_context.load_default_certs()

    def send(
        self, cloud_event: Mapping[str, object], *, url: str, secret: str, message_id: str
    ) -> int:
        """Post an event once and return the status of the answer, 200 to 299.

        Redirects are not followed: they could lead anywhere. The body of the answer is not read.

        Args:
            cloud_event: JSON-ready; sent in a shorter form if it is too large.
            url: The endpoint. A secret: it is in no error and no log.
            secret: ``whsec_…``, signs the message.
            message_id: The same on each attempt.

        Raises:
            WebhookError: It was not taken.
        """
        with metrics.DELIVERY_SECONDS.time():
            try:
                target = _target(url)
                body = fitting_body(cloud_event)
                headers = signature_headers(
                    body, message_id=message_id, sent_at=self._clock.now(), secret=secret
                )
            except ConfigError as error:
                raise WebhookError(str(error), is_permanent=True) from error
            status, answered = self._post(target, body, headers)
        _check_answer(status, answered, now=self._clock.now())
        return status

    def check_url(self, url: str) -> None:
        """Refuse a URL that could never be called; for when an endpoint is added.

        A host name that cannot be resolved now is accepted: each attempt checks it again.

        Raises:
            ConfigError: Wrong scheme or form, credentials in it, or an address that is not allowed.
        """
        target = _target(url)
        port = target.port or {"https": 443, "http": 80}[target.scheme]
        try:
            found = self._resolver(target.raw_host.decode("ascii"), port)
        except OSError:
            return
        try:
            checked_addresses(found, allow_private=self._settings.allow_private_webhooks)
        except DeliveryError as error:
            raise ConfigError(str(error)) from error

    def _post(
        self, target: httpx.URL, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str]]:
        deadline = Deadline(self._settings.webhook_timeout_s, clock=self._clock)
        backend = PinnedBackend(
            self._resolver,
            deadline=deadline,
            allow_private=self._settings.allow_private_webhooks,
        )
        sent = {**headers, "content-type": CONTENT_TYPE, "user-agent": _USER_AGENT}
        try:
            with (
                httpcore.ConnectionPool(
                    network_backend=backend, ssl_context=self._ssl_context
                ) as pool,
                pool.stream(
                    "POST",
                    httpcore.URL(
                        scheme=target.raw_scheme,
                        host=target.raw_host,
                        port=target.port,
                        target=target.raw_path,
                    ),
                    headers=list(sent.items()),
                    content=body,
                ) as response,
            ):
                return response.status, _names_and_values(response.headers)
        except DeliveryError as error:
            raise WebhookError(str(error)) from error
        except (httpcore.TimeoutException, TimeoutError) as error:
            raise WebhookError(
                f"webhook: no answer within {self._settings.webhook_timeout_s:g} s"
            ) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise WebhookError(f"webhook: {_cause(error)}") from error


def fitting_body(cloud_event: Mapping[str, object]) -> bytes:
    """Return the event as JSON of at most 20 kB.

    An event that is larger loses its claims' texts first, then everything but what names and
    ranks the alert; ``is_thin`` and ``url`` then say where the rest is.
    """
    body = msgspec.json.encode(cloud_event)
    content = cloud_event.get("data")
    if len(body) <= _BODY_MAX_BYTES or not isinstance(content, Mapping):
        return body
    for thinner in (_without_claim_texts(content), _core(content)):
        body = msgspec.json.encode({**cloud_event, "data": thinner})
        if len(body) <= _BODY_MAX_BYTES:
            break
    return body


def _without_claim_texts(content: Mapping[str, Any]) -> dict[str, object]:
    reasoning = content.get("reasoning") or {}
    claims = [
        {name: claim.get(name) for name in ("id", "role", "type", "status")}
        for claim in reasoning.get("claims", ())
    ]
    return {**_pointer(content), **content, "reasoning": {**reasoning, "claims": claims}}


_CORE: Final = (
    "alert_id", "event_id", "revision", "phase", "state", "is_unreasoned", "camera_id", "place",
    "kind", "severity", "decision", "confidence", "title", "start", "end", "rule", "evidence",
    "correlation_id",
)  # fmt: skip


def _core(content: Mapping[str, Any]) -> dict[str, object]:
    core: dict[str, object] = {name: content.get(name) for name in _CORE}
    core["title"] = str(content.get("title", ""))[:300]
    evidence = content.get("evidence") or {}
    core["evidence"] = {name: evidence.get(name) for name in ("snapshot", "clip")}
    return {**core, **_pointer(content)}


def _pointer(content: Mapping[str, Any]) -> dict[str, object]:
    alert_id = quote(str(content.get("alert_id", "")), safe="")
    return {"is_thin": True, "url": f"/api/v1/alerts/{alert_id}"}


def _target(url: str) -> httpx.URL:
    """Return the parsed URL; the same parse is judged and called. ConfigError: it cannot be."""
    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise ConfigError("webhook url: cannot be parsed; use https://host/path") from error
    if target.scheme not in ("https", "http"):
        raise ConfigError("webhook url: must begin with https:// or http://")
    if not target.host or "%" in target.host or "\\" in url:
        raise ConfigError("webhook url: has no valid host name; use https://host/path")
    if target.userinfo:
        raise ConfigError(
            "webhook url: user names and passwords are not supported; messages are signed instead"
        )
    return target


def _check_answer(status: int, headers: Mapping[str, str], *, now: datetime) -> None:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    retry_after_s = _retry_after_s(headers.get("retry-after", ""), now=now)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        message = f"webhook: answered {status}, redirects are not followed; configure its new URL"
    else:
        message = f"webhook: answered {status}"
    raise WebhookError(
        message,
        status=status,
        is_permanent=status in _REFUSED_FOR_GOOD,
        retry_after_s=retry_after_s,
    )


def _retry_after_s(value: str, *, now: datetime) -> float | None:
    """Return the wait that ``Retry-After`` asks for (RFC 9110, 10.2.3), a day at most."""
    if value.isascii() and value.strip().isdigit():
        return min(float(value), _RETRY_AFTER_MAX_S)
    try:
        at = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(0.0, (aware - now).total_seconds()), _RETRY_AFTER_MAX_S)


def _names_and_values(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def _cause(error: Exception) -> str:
    """Return what went wrong in words that cannot hold the URL."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its TLS certificate is not valid"
    if "resolved" in str(error):
        return str(error)
    return f"the connection failed ({type(error).__name__})"
