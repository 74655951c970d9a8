"""HTTP answers as streams: one host, no redirect, deadlines that hold. Not a browser.

Sources: RFC 9110, 9112 (HTTP/1.1), RFC 7616 (Digest).
"""

import http.client
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

from contracts.clock import SystemClock
from ingest.sources.challenges import Login, choose

_PORTS: Final = {"http": 80, "https": 443}
_AGENT: Final = "Vigil"
_UNAUTHORIZED: Final = 401
_REDIRECTS: Final = range(300, 400)
_FAILURES: Final = 400
_CLOCK: Final = SystemClock()


class HttpRefused(Exception):  # noqa: N818  # named as the condition, as httpx does
    """The camera answered something else than a stream.

    Attributes:
        status: Of the answer; 0 where the matter is another.
        detail: In words, without secrets.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status} {detail}")
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a camera is, as its URL says; everything that it names must be there too."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """Return the place of a URL. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("no HTTP URL")
        return cls(
            scheme=parts.scheme,
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Posted:
    """What a request brings along."""

    content: bytes = field(repr=False)
    content_type: str


@dataclass(slots=True, kw_only=True, eq=False)
class HttpCamera:
    """Fetches what one camera has, and nothing from anywhere else.

    Args:
        url: With credentials, if it needs them.
        timeout_s: For each wait on the network.
    """

    url: str = field(repr=False)
    timeout_s: float
    is_verified: bool = True
    _place: Place = field(init=False)
    _login: Login | None = field(init=False, default=None, repr=False)

    def __post_init__(self) -> None:
        self._place = Place.of(self.url)
        parts = urlsplit(self.url)
        if parts.username:
            self._login = Login(
                user=unquote(parts.username), password=unquote(parts.password or "")
            )

    def resolve(self, reference: str, *, base: str) -> str:
        """Return the URL that a playlist names. Raises HttpRefused for another host."""
        url = urljoin(base, reference)
        try:
            place = Place.of(url)
        except ValueError:
            raise HttpRefused(0, "a playlist that names something else than HTTP") from None
        if place != self._place:
            raise HttpRefused(0, f"a playlist that names another host ({place.host})")
        return url

    def get(self, url: str) -> "HttpBody":
        """Return the answer to a GET.

        Raises:
            HttpRefused: The answer is no success.
            OSError: No connection, or no answer in time.
        """
        body = self._answered(url)
        if body.answer.status >= _FAILURES:
            body.close()
            raise HttpRefused(body.answer.status, "")
        return body

    def post(self, url: str, content: bytes, *, content_type: str) -> "HttpBody":
        """Return the answer to a POST, also one that says what failed (400 and above).

        Raises:
            HttpRefused: A redirect, or no HTTP.
            OSError: No connection, or no answer in time.
        """
        return self._answered(url, _Posted(content=content, content_type=content_type))

    def _answered(self, url: str, posted: "_Posted | None" = None) -> "HttpBody":
        """Ask, and once more if the answer is a challenge that can be met."""
        answer, connection = self._ask(url, posted)
        if answer.status == _UNAUTHORIZED and self._may_try(answer):
            _end(answer, connection)
            answer, connection = self._ask(url, posted)
        if answer.status in _REDIRECTS:
            _end(answer, connection)
            target = urlsplit(answer.getheader("Location") or "").hostname or "elsewhere"
            raise HttpRefused(answer.status, target)
        return HttpBody(answer=answer, connection=connection, timeout_s=self.timeout_s)

    def _ask(
        self, url: str, posted: "_Posted | None"
    ) -> tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
        parts = urlsplit(url)
        path = urlunsplit(SplitResult("", "", parts.path or "/", parts.query, ""))
        method = "GET" if posted is None else "POST"
        headers = {"User-Agent": _AGENT, "Accept": "*/*"}
        if posted is not None:
            headers["Content-Type"] = posted.content_type
        if self._login is not None and self._login.challenge is not None:
            headers["Authorization"] = self._login.header(method=method, uri=path)
        connection = self._connect()
        deadline = _HeadDeadline(connection, seconds=self.timeout_s)
        try:
            connection.request(
                method, path, body=None if posted is None else posted.content, headers=headers
            )
            answer = connection.getresponse()
        except (http.client.HTTPException, OSError, ValueError) as error:
            connection.close()
            if deadline.is_over:  # what came until then is half a head
                raise TimeoutError("no head within the time-out") from None
            if isinstance(error, OSError) and not isinstance(error, http.client.HTTPException):
                raise
            # ValueError: an address that no request can carry.
            raise HttpRefused(0, f"it does not speak HTTP ({type(error).__name__})") from None
        finally:
            deadline.end()
        if deadline.is_over:
            _end(answer, connection)
            raise TimeoutError("no head within the time-out")
        return answer, connection

    def _connect(self) -> http.client.HTTPConnection:
        place = self._place
        if place.scheme == "http":
            return http.client.HTTPConnection(place.host, place.port, timeout=self.timeout_s)
        context = ssl.create_default_context()
        if self.is_verified:
            secure = http.client.HTTPSConnection(
                place.host, place.port, timeout=self.timeout_s, context=context
            )
            try:
                secure.connect()
            except ssl.SSLCertVerificationError:
                self.is_verified = False
            else:
                return secure
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection(
            place.host, place.port, timeout=self.timeout_s, context=context
        )

    def _may_try(self, answer: http.client.HTTPResponse) -> bool:
        challenge = choose(answer.headers.get_all("WWW-Authenticate") or [])
        if self._login is None or challenge is None or self._login.challenge is not None:
            return False
        if challenge.scheme == "basic" and not self.is_verified:
            raise HttpRefused(0, "its certificate is not trusted, so no password is sent openly")
        self._login.take(challenge)
        return True


@dataclass(slots=True, kw_only=True, eq=False)
class HttpBody:
    """An answer's body, for libav to read from.

    Attributes:
        answer: Its status and headers.
    """

    answer: http.client.HTTPResponse
    connection: http.client.HTTPConnection
    timeout_s: float
    _armed_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._armed_s = _CLOCK.monotonic_s()

    @property
    def content_type(self) -> str:
        """Media type without parameters, in lower case."""
        return (self.answer.getheader("Content-Type") or "").partition(";")[0].strip().lower()

    def arm(self) -> None:
        """Begin to count the time that the next picture may take."""
        self._armed_s = _CLOCK.monotonic_s()

    def read(self, size: int) -> bytes:
        """Return some bytes, none at the end. Raises OSError, TimeoutError after too long."""
        if _CLOCK.monotonic_s() - self._armed_s > self.timeout_s:
            raise TimeoutError("no picture within the time-out")
        try:
            return self.answer.read1(size)
        except http.client.HTTPException as error:
            raise ConnectionError(type(error).__name__) from None

    def read_all(self, *, most_bytes: int) -> bytes:
        """Return the whole body. Raises HttpRefused if it is longer than that."""
        with self:
            parts = bytearray()
            while chunk := self.read(65_536):
                parts += chunk
                if len(parts) > most_bytes:
                    raise HttpRefused(0, f"an answer of more than {most_bytes} bytes")
            return bytes(parts)

    def close(self) -> None:
        """End it. Safe to call twice."""
        _end(self.answer, self.connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _HeadDeadline:
    """Ends a connection whose answer has not begun in time.

    Time-outs of single reads do not do it: who sends a byte a second never runs into one.
    """

    def __init__(self, connection: http.client.HTTPConnection, *, seconds: float) -> None:
        self.is_over = False
        self._connection = connection
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> None:
        """The answer has begun, or never will."""
        self._timer.cancel()

    def _cut(self) -> None:
        self.is_over = True
        opened = self._connection.sock
        if opened is not None:
            with suppress(OSError):  # it is closed already
                opened.shutdown(socket.SHUT_RDWR)


def _end(answer: http.client.HTTPResponse, connection: http.client.HTTPConnection) -> None:
    answer.close()
    connection.close()
