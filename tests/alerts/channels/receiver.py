"""A real HTTP server on loopback that answers as a test tells it to."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from standardwebhooks.webhooks import Webhook as Receiver

from tests.alerts.builders import SECRET

Answer = Callable[[BaseHTTPRequestHandler], None]


def status(code: int, **headers: str) -> Answer:
    """Answer with a status and headers (underscores become hyphens)."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


class WebhookReceiver:
    """Records what comes in, verified as Standard Webhooks says, and answers from a script.

    The last answer of the script is given again and again.
    """

    def __init__(self, *script: Answer, secret: str = SECRET) -> None:
        self.requests: list[dict[str, str]] = []
        self.events: list[dict[str, Any]] = []
        self.released = threading.Event()
        self._script = list(script or (status(204),))
        self._secret = secret
        self._lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                owner._take(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=hunter2"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in request.headers.items()}
        event = Receiver(self._secret).verify(body, headers)
        with self._lock:
            self.requests.append({**headers, "path": request.path})
            self.events.append(event)
            answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        answer(request)
