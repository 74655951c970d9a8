"""The HTTP server process around the app."""

import socket

import uvicorn
from fastapi import FastAPI

from api.sse import FeedStream

_GRACE_S = 5
"""Running answers (a clip on its way) may take this long after the server was told to stop."""


class VigilServer(uvicorn.Server):
    """Ends live streams when it is told to stop: uvicorn waits for open answers for ever."""

    def __init__(self, config: uvicorn.Config, *, stream: FeedStream) -> None:
        super().__init__(config)
        self._stream = stream

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then everything else."""
        self._stream.close()
        await super().shutdown(sockets)


def make_server(
    app: FastAPI, *, host: str, port: int, is_behind_proxy: bool = False
) -> VigilServer:
    """Return a server for an app of ``make_app``; ``run()`` or ``serve()`` starts it.

    Args:
        app: From ``make_app``.
        host: Address to listen on.
        port: 0 takes a free one; or pass bound sockets to ``run(sockets=[...])``.
        is_behind_proxy: Believe ``X-Forwarded-For`` and ``-Proto`` from a proxy on this machine.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=is_behind_proxy,
        timeout_graceful_shutdown=_GRACE_S,
    )
    return VigilServer(config, stream=app.state.stream)
