"""The web app behind a real server on a free port of loopback, in a thread."""

import socket
import threading
from types import TracebackType
from typing import Self

from fastapi import FastAPI

from api.server import make_server


class RunningServer:
    """Serves while the ``with`` block runs; ``url`` is where."""

    def __init__(self, app: FastAPI) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.server = make_server(app, host="127.0.0.1", port=0)
        self._thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [self._listening]}, name="web server"
        )

    def __enter__(self) -> Self:
        # The socket listens already: a request waits until the server is there.
        self._thread.start()
        return self

    def stop(self, *, timeout_s: float) -> bool:
        """Tell the server to stop; say whether it did in time."""
        self.server.should_exit = True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stopped = self.stop(timeout_s=10)
        self._listening.close()
        assert stopped, "the server did not stop"
