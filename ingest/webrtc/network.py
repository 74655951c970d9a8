"""Which addresses and ports media may use, and which servers may be asked; nobody by default."""

import asyncio
import ipaddress
import random
import re
from dataclasses import dataclass
from typing import Any, Final

from aioice.ice import get_host_addresses
from aiortc import RTCConfiguration, RTCIceServer, RTCIceTransport, RTCPeerConnection

from contracts.errors import ConfigError
from contracts.settings import WebRtcSettings

_PORTS: Final = re.compile(r"(\d{4,5})-(\d{4,5})")
_SERVER: Final = re.compile(
    r"(?P<scheme>stuns?|turns?):(?:(?P<user>[^:@]+):(?P<password>[^@]+)@)?(?P<host>[^@?]+)"
    r"(?P<query>\?transport=(?:udp|tcp))?"
)
_LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What the settings say, checked.

    Attributes:
        addresses: Own addresses to offer; empty means all of this machine.
        public_address: Offered as well; empty for none.
        ports: UDP ports to use; empty means any.
        servers: STUN and TURN servers. Hold secrets.
    """

    addresses: tuple[str, ...] = ()
    public_address: str = ""
    ports: range = range(0)
    servers: tuple[RTCIceServer, ...] = ()

    def own_addresses(self) -> list[str]:
        """Return the addresses to offer; loopback where the machine has no other."""
        if self.addresses:
            return list(self.addresses)
        return get_host_addresses(use_ipv4=True, use_ipv6=True) or [_LOOPBACK]

    def links(self) -> tuple[str, ...]:
        """Return the servers as HTTP ``Link`` values (RFC 9725, 4.6)."""
        return tuple(_link(server) for server in self.servers)


def read_network(settings: WebRtcSettings) -> Network:
    """Return what the settings mean.

    Raises:
        ConfigError: One of them has another form; a server's URL is not repeated.
    """
    ports = range(0)
    if settings.ports:
        match = _PORTS.fullmatch(settings.ports)
        first, last = (int(match[1]), int(match[2])) if match else (0, 0)
        if not 1024 <= first <= last <= 65535:
            raise ConfigError(
                "webrtc.ports must be <first>-<last> within 1024-65535, "
                f"got {settings.ports[:20]!r}"
            )
        ports = range(first, last + 1)
    return Network(
        addresses=tuple(_address(value, "webrtc.addresses") for value in settings.addresses),
        public_address=_address(settings.public_address, "webrtc.public_address")
        if settings.public_address
        else "",
        ports=ports,
        servers=tuple(_server(server.get_secret_value()) for server in settings.ice_servers),
    )


def new_connection(network: Network) -> RTCPeerConnection:
    """Return a peer connection that asks nobody but the servers of ``network``."""
    # An empty list, not None: None stands for a public server of Google's.
    return RTCPeerConnection(RTCConfiguration(iceServers=list(network.servers)))


def offer_own_addresses(transport: RTCIceTransport, network: Network) -> None:
    """Let a transport that has not gathered yet bind to the network's addresses only."""
    connection = transport._connection
    gather = connection.get_component_candidates

    async def gather_own(component: int, addresses: list[str], timeout: int = 5) -> Any:  # noqa: ANN401, ASYNC109  # as aioice's
        del addresses
        return await gather(component, network.own_addresses(), timeout)

    setattr(connection, "get_component_candidates", gather_own)  # noqa: B010  # a method, for mypy


class MediaLoop(asyncio.SelectorEventLoop):
    """An event loop whose UDP sockets take ports of a range where the caller leaves them open.

    Args:
        ports: Empty leaves it to the system.
    """

    def __init__(self, ports: range) -> None:
        super().__init__()
        self._ports = ports

    async def create_datagram_endpoint(  # type: ignore[override]
        self,
        protocol_factory: Any,  # noqa: ANN401  # as its parent's
        local_addr: tuple[str, int] | None = None,
        **options: Any,  # noqa: ANN401  # as its parent's
    ) -> Any:  # noqa: ANN401  # as its parent's
        """Open a UDP socket. Raises OSError if each port of the range is taken."""
        opened = super().create_datagram_endpoint
        if not self._ports or local_addr is None or local_addr[1] != 0:
            return await opened(protocol_factory, local_addr=local_addr, **options)
        for port in random.sample(self._ports, len(self._ports)):
            try:
                return await opened(protocol_factory, local_addr=(local_addr[0], port), **options)
            except OSError:
                continue
        raise OSError(
            f"every UDP port of {self._ports.start}-{self._ports.stop - 1} is taken (webrtc.ports)"
        )


def _address(value: str, name: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ConfigError(f"{name} must be an IP address, got {value[:60]!r}") from None


def _server(url: str) -> RTCIceServer:
    match = _SERVER.fullmatch(url)
    if match is None or (match["scheme"].startswith("turn") and not match["user"]):
        raise ConfigError(
            "webrtc.ice_servers: wanted stun:<host>[:<port>] or "
            "turn:<user>:<password>@<host>[:<port>][?transport=udp|tcp]"
        )
    return RTCIceServer(
        urls=f"{match['scheme']}:{match['host']}{match['query'] or ''}",
        username=match["user"],
        credential=match["password"],
    )


def _link(server: RTCIceServer) -> str:
    link = f'<{server.urls}>; rel="ice-server"'
    if server.username:
        link += f'; username="{server.username}"; credential="{server.credential}"'
        link += '; credential-type="password"'
    return link
