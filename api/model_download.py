"""Fetches one file over https: goes on where it was cut off, and measures the checksum.

What is fetched lies under ``<name>.part`` until it is whole and has the right checksum.
"""

import contextlib
import errno
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx

from contracts.clock import Clock
from contracts.errors import ConfigError, ModelError, StorageFull, TransportUnavailable
from vision.detect.model_card import sha256_of

MOST_BYTES: Final = 4_000_000_000
"""Largest file that is fetched unless somebody says otherwise."""
MOST_REDIRECTS: Final = 5
ATTEMPTS: Final = 4
"""How often a connection that breaks off is made again without progress being lost."""
RETRY_S: Final = 1.0
_TIMEOUT_S: Final = 20.0
_PART: Final = ".part"
_TAG: Final = ".etag"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there and the size of the file, if it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """One file to fetch.

    Attributes:
        name: What it is called here.
        url: https address.
        sha256: What its checksum must be, empty if nobody knows.
    """

    name: str
    url: str
    sha256: str = ""


class _Broken(TransportUnavailable):
    """The connection broke off; what has arrived is kept."""


class Downloader:
    """Fetches files over one client.

    Only https is spoken, also after a redirect. Proxies and certificate authorities are those of
    the environment (``HTTPS_PROXY``, ``SSL_CERT_FILE``).

    Args:
        clock: For the wait before another attempt.
        most_bytes: Largest file that is fetched.
        trust: Certificates that are trusted; those of the system if None.
    """

    def __init__(
        self, *, clock: Clock, most_bytes: int = MOST_BYTES, trust: ssl.SSLContext | None = None
    ) -> None:
        self._clock = clock
        self._most_bytes = most_bytes
        self._client = httpx.Client(
            verify=True if trust is None else trust, timeout=_TIMEOUT_S, follow_redirects=False
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def fetch(self, file: RemoteFile, folder: Path, *, progress: Progress) -> str:
        """Fetch a file into the folder and return its checksum; one that is there is kept.

        Raises:
            ConfigError: The address is not https, refused, or of a file that is too large.
            TransportUnavailable: The server cannot be reached, or the connection keeps breaking
                off; the next call goes on from there.
            ModelError: What came has another checksum; it is removed.
            StorageFull: The disk is full; the next call goes on from there.
        """
        path = folder / file.name
        if not path.is_file():
            self._fetch_part(file, path, progress)
        part = _part(path)
        arrived = path if path.is_file() else part
        measured = sha256_of(arrived)
        if file.sha256 and measured != file.sha256:
            _remove(arrived)
            raise ModelError(
                f"{_shown(file.url)}: sha256 is {measured}, wanted {file.sha256}: the file "
                "was changed or damaged on its way; nothing was kept"
            )
        if arrived is part:
            part.rename(path)
            _tag_file(part).unlink(missing_ok=True)
        return measured

    def read_text(self, url: str, *, most_bytes: int = 5_000_000) -> str:
        """Return a small document, for instance a hub's answer.

        Raises:
            ConfigError: As for ``fetch``.
            TransportUnavailable: As for ``fetch``.
        """
        content = bytearray()
        with self._answer(url, {}) as response:
            _require_success(response, url)
            with _as_broken(url):
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > most_bytes:
                        raise ConfigError(f"{_shown(url)}: answers more than {most_bytes} bytes")
        return content.decode("utf-8", errors="replace")

    def _fetch_part(self, file: RemoteFile, path: Path, progress: Progress) -> None:
        part = _part(path)
        failures = 0
        while True:
            before = part.stat().st_size if part.is_file() else 0
            try:
                self._continue(file, part, progress)
            except TransportUnavailable as error:
                now = part.stat().st_size if part.is_file() else 0
                failures = 1 if now > before else failures + 1
                if not now and not isinstance(error, _Broken):
                    raise
                if failures >= ATTEMPTS:
                    raise TransportUnavailable(
                        f"{error}; {now} bytes have arrived, the same command goes on from there"
                    ) from error
                self._clock.sleep(RETRY_S)
            else:
                return

    def _continue(self, file: RemoteFile, part: Path, progress: Progress) -> None:
        """Ask for what is missing and append it."""
        done = _usable_bytes(part, is_pinned=bool(file.sha256))
        headers = {"Accept-Encoding": "identity"}
        if done:
            headers["Range"] = f"bytes={done}-"
            if tag := _tag(part):
                headers["If-Range"] = tag
        with self._answer(file.url, headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and done:
                _remove(part)
                raise _Broken(f"{_shown(file.url)}: has changed since it was begun")
            _require_success(response, file.url)
            if response.status_code != httpx.codes.PARTIAL_CONTENT:
                done = 0
            elif _first_byte(response) != done:
                _remove(part)
                raise _Broken(f"{_shown(file.url)}: answered another part than was asked for")
            total = _total(response, done)
            self._require_size(file.url, total or 0)
            with _as_full(part):
                _remember_tag(part, response.headers.get("etag", ""))
                self._append(file.url, response, part, done=done, progress=progress, total=total)
        if total is not None and part.stat().st_size < total:
            raise _Broken(f"{_shown(file.url)}: the connection ended too early")

    def _append(
        self,
        url: str,
        response: httpx.Response,
        part: Path,
        *,
        done: int,
        progress: Progress,
        total: int | None,
    ) -> None:
        with part.open("ab" if done else "wb", buffering=0) as output, _as_broken(url):
            progress(done, total)
            for chunk in response.iter_bytes():
                done += len(chunk)
                self._require_size(url, done)
                output.write(chunk)
                progress(done, total)

    def _require_size(self, url: str, size: int) -> None:
        if size > self._most_bytes:
            raise ConfigError(
                f"{_shown(url)}: has {size} bytes or more, at most {self._most_bytes} are "
                "fetched; --max-bytes allows more"
            )

    @contextlib.contextmanager
    def _answer(self, url: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        """Yield the answer at the end of redirects, its body not yet read."""
        for _ in range(MOST_REDIRECTS + 1):
            _require_https(url)
            with contextlib.ExitStack() as stack:
                try:
                    response = stack.enter_context(self._client.stream("GET", url, headers=headers))
                except (httpx.TransportError, httpx.InvalidURL) as error:
                    raise TransportUnavailable(
                        f"no connection to {_host(url)}: {_first_line(error)}"
                    ) from error
                if response.status_code not in _REDIRECTS:
                    yield response
                    return
                target = urljoin(url, response.headers.get("location", ""))
                if urlsplit(target).scheme != "https":
                    raise ConfigError(
                        f"{_shown(url)}: redirects to {_shown(target)}; only https is "
                        "followed, since nobody vouches for what comes over anything else"
                    )
                url = target
        raise ConfigError(f"{_shown(url)}: more than {MOST_REDIRECTS} redirects")


def _part(path: Path) -> Path:
    return path.with_name(path.name + _PART)


def _tag_file(part: Path) -> Path:
    return part.with_name(part.name + _TAG)


def _tag(part: Path) -> str:
    file = _tag_file(part)
    return file.read_text(encoding="latin-1") if file.is_file() else ""


def _remember_tag(part: Path, tag: str) -> None:
    """Keep a strong tag: with it the server says whether the rest is of the same file."""
    if tag and not tag.startswith("W/"):
        _tag_file(part).write_text(tag, encoding="latin-1")
    else:
        _tag_file(part).unlink(missing_ok=True)


def _usable_bytes(part: Path, *, is_pinned: bool) -> int:
    """Return how much may be kept: without tag and checksum nobody knows of what file it is."""
    if not part.is_file() or not (is_pinned or _tag(part)):
        return 0
    return part.stat().st_size


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _tag_file(path).unlink(missing_ok=True)


def _first_byte(response: httpx.Response) -> int | None:
    """Return where a partial answer begins (RFC 9110, section 14.4), None if it does not say."""
    unit, _, place = response.headers.get("content-range", "").partition(" ")
    first = place.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdecimal() else None


def _total(response: httpx.Response, done: int) -> int | None:
    length = response.headers.get("content-length", "")
    return done + int(length) if length.isdecimal() else None


def _require_https(url: str) -> None:
    if urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
        raise ConfigError(f"{_shown(url)}: only https addresses are fetched")


def _require_success(response: httpx.Response, url: str) -> None:
    status = response.status_code
    if status in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        return
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS:
        raise TransportUnavailable(f"{_shown(url)}: answers {status}, try again later")
    advice = {
        401: "it wants a sign-in: accept its terms in a browser and copy the files by hand",
        403: "it is refused: accept its terms in a browser and copy the files by hand",
        404: "there is nothing at this address",
    }.get(status, "it cannot be fetched")
    raise ConfigError(f"{_shown(url)}: answers {status}, {advice}")


@contextlib.contextmanager
def _as_broken(url: str) -> Iterator[None]:
    try:
        yield
    except httpx.TransportError as error:
        raise _Broken(f"{_shown(url)}: the connection broke off ({_first_line(error)})") from error


@contextlib.contextmanager
def _as_full(part: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise ConfigError(f"{part}: cannot be written ({error.strerror})") from error
        raise StorageFull(
            f"{part}: the disk is full; make room and give the same command again, it goes on "
            "from there"
        ) from error


def _shown(url: str) -> str:
    """Return an address that may be shown: a signature in its query or a user are left out."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(an address that cannot be parsed)"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _host(url: str) -> str:
    return urlsplit(url).hostname or _shown(url)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
