"""A camera on loopback that plays a file over RTSP 1.0, with every bad habit as a switch.

    with QuirkCam(clip, quirks=Quirks(has_sets_in_sdp=False)) as camera:
        av.open(camera.url, options={"rtsp_transport": "tcp"})

Every client gets the media from its beginning. Sources: RFC 2326, 3550.
"""

import socket
import threading
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.quirkcam.carriers import HOST
from tests.quirkcam.media import Media, read_media
from tests.quirkcam.player import Sent
from tests.quirkcam.quirks import STANDARD, Quirks, Scheme
from tests.quirkcam.session import Session

_JOIN_S: Final = 5.0
_REMEMBERED: Final = 100_000
Address = tuple[str, int]


class QuirkCam:
    """Serves one medium at ``url`` until the ``with`` block ends.

    Attributes:
        url: With the credentials that it wants, if it wants any.
        bare_url: The same without them.
        quirks: May be exchanged while it runs; holds for the connections that come then.
        connections_total: TCP connections accepted so far.
        plays_total: PLAY requests granted so far.
        pictures_total: Pictures sent so far, to all sessions together.
        idle_total: Sessions cut because nobody kept them alive.
        refusals_total: Requests with wrong credentials.
        requests: How often each method was asked for.
    """

    def __init__(
        self,
        media: Path | Media,
        *,
        user: str = "",
        password: str = "",
        scheme: Scheme = "digest",
        speed: float = 1.0,
        is_looped: bool = True,
        port: int = 0,
        quirks: Quirks = STANDARD,
        route: Callable[[Address], Address] | None = None,
    ) -> None:
        """Read the media. ``speed`` is a factor on real time; timestamps stay those of the file.

        Args:
            media: H.264, H.265 or Motion JPEG.
            user, password: Wanted from clients if ``user`` is not empty.
            scheme: How they are wanted.
            speed: 1 sends in real time, 10 ten times as fast.
            is_looped: Begin again at the end (timestamps go on); else say BYE and close.
            port: 0 takes a free one.
            quirks: What it does wrong.
            route: Where UDP for a client's address goes: through a proxy, for instance.
        """
        self.media = read_media(media) if isinstance(media, Path) else media
        self.user, self.password, self.scheme = user, password, scheme
        self.speed = speed
        self.is_looped = is_looped
        self.quirks = quirks
        self.route = route or (lambda address: address)
        self.connections_total = 0
        self.plays_total = 0
        self.pictures_total = 0
        self.idle_total = 0
        self.requests: Counter[str] = Counter()
        self._refused = 0
        self._lock = threading.Lock()
        self._sessions: set[Session] = set()
        self._sent: deque[Sent] = deque(maxlen=_REMEMBERED)
        self._listener = socket.create_server((HOST, port))
        self._is_refusing = threading.Event()
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="quirk-accept", daemon=True)
        self.port: int = self._listener.getsockname()[1]
        self.bare_url = f"rtsp://{HOST}:{self.port}/live"
        self.url = self.url_through(self.port)

    def url_through(self, port: int) -> str:
        """Return the URL with credentials on another port, a proxy's; mind ``bare_url`` then."""
        userinfo = f"{self.user}:{self.password}@" if self.user else ""
        return f"rtsp://{userinfo}{HOST}:{port}/live"

    def stand_behind(self, port: int) -> str:
        """Take the port of a proxy as one's own in all answers; the URL with credentials."""
        self.bare_url = f"rtsp://{HOST}:{port}/live"
        self.url = self.url_through(port)
        return self.url

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_stopped.set()
        # A close alone does not wake a thread that waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(_JOIN_S)
        self._listener.close()
        self.drop_connections()

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        with self._lock:
            return len(self._sessions)

    @property
    def sessions_playing(self) -> int:
        """Connections that are being played to now."""
        with self._lock:
            return sum(session.is_playing for session in self._sessions)

    @property
    def refusals_total(self) -> int:
        with self._lock:
            return self._refused + sum(session.refusals for session in self._sessions)

    def glass_at(self, number: int, *, before: datetime) -> datetime | None:
        """Return when the picture with that time code was last before the lens, before ``before``.

        In a loop the same picture comes again and again.
        """
        with self._lock:
            times = [sent.at for sent in self._sent if sent.number == number and sent.at <= before]
        return max(times, default=None)

    def drop_connections(self) -> None:
        """Cut every open connection, as a camera that restarts does."""
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.close()

    def refuse_connections(self) -> None:
        """From now on end every new connection at once, until ``accept_connections``."""
        self._is_refusing.set()

    def accept_connections(self) -> None:
        """Take new connections again."""
        self._is_refusing.clear()

    def note_play(self) -> None:
        with self._lock:
            self.plays_total += 1

    def note_idle(self) -> None:
        with self._lock:
            self.idle_total += 1

    def note_request(self, method: str) -> None:
        with self._lock:
            self.requests[method] += 1

    def note_sent(self, sent: Sent) -> None:
        with self._lock:
            self._sent.append(sent)
            self.pictures_total += 1

    def forget(self, session: Session) -> None:
        with self._lock:
            self._refused += session.refusals
            self._sessions.discard(session)

    def _accept(self) -> None:
        while not self._is_stopped.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._is_refusing.is_set():
                client.close()
                continue
            session = Session(client, self)
            with self._lock:
                self.connections_total += 1
                self._sessions.add(session)
            session.start()
