"""An HTTP server on loopback that says nothing of its own, for the devices that tests play."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

_JOIN_S: Final = 5.0
_POLL_S: Final = 0.02


class QuietHandler(BaseHTTPRequestHandler):
    """What a request is answered by; it logs nothing."""

    def log_message(self, *_arguments: object) -> None:
        return


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_arguments: object) -> None:
        """A client that is gone is no news."""


class LoopbackHttp:
    """Serves on a free port from now until it is closed."""

    def __init__(self, handler: type[QuietHandler]) -> None:
        self._server = _Quiet(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_S,), daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(_JOIN_S)
        self._server.server_close()
