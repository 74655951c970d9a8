"""A connection to a checked address on which everything together takes at most so long.

Time-outs of a single read do not bound an answer: a receiver that sends one byte a second never
runs into them, and holds its sender for ever.
"""

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

from alerts.channels.addresses import Resolver, checked_addresses
from contracts.clock import Clock


class Deadline:
    """A point in time that all operations of one attempt share."""

    def __init__(self, seconds: float, *, clock: Clock) -> None:
        self._clock = clock
        self._ends_s = clock.monotonic_s() + seconds

    def remaining_s(self, timeout_s: float | None) -> float:
        """Return how long the next operation may take. Raises httpcore.ReadTimeout at the end."""
        left_s = self._ends_s - self._clock.monotonic_s()
        if left_s <= 0:
            raise httpcore.ReadTimeout("the whole time of the attempt is over")
        return left_s if timeout_s is None else min(left_s, timeout_s)


class PinnedBackend(httpcore.NetworkBackend):
    """Connects a host name to its addresses once they are checked, in their order.

    The name itself stays what TLS verifies and what the ``Host`` header says.
    """

    def __init__(self, resolver: Resolver, *, deadline: Deadline, allow_private: bool) -> None:
        self._resolver = resolver
        self._deadline = deadline
        self._allow_private = allow_private
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers."""
        try:
            found = self._resolver(host, port)
        except OSError as error:
            raise httpcore.ConnectError("its host name cannot be resolved") from error
        addresses = checked_addresses(found, allow_private=self._allow_private)
        problem: Exception = httpcore.ConnectError("no address")
        for address in addresses:
            try:
                stream = self._inner.connect_tcp(
                    address,
                    port,
                    timeout=self._deadline.remaining_s(timeout),
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
                continue
            return DeadlineStream(stream, self._deadline)
        raise problem


class DeadlineStream(httpcore.NetworkStream):
    """A stream whose every operation is cut to what is left of the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there."""
        return self._inner.read(max_bytes, timeout=self._deadline.remaining_s(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        self._inner.write(buffer, timeout=self._deadline.remaining_s(timeout))

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Begin TLS; certificates are verified against the host name, not the address."""
        inner = self._inner.start_tls(
            ssl_context, server_hostname, timeout=self._deadline.remaining_s(timeout)
        )
        return DeadlineStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  # httpcore's
        """Return what the connection knows about itself."""
        return self._inner.get_extra_info(info)
