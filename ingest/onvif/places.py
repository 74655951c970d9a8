"""Where an ONVIF device is, and that it is in a private network."""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit, urlunsplit

from ingest.sources.http_body import HttpRefused

SCHEMES: Final = {"onvif": "http", "onvifs": "https"}
_PORTS: Final = {"http": 80, "https": 443}
PATH: Final = "/onvif/device_service"
"""What ONVIF Core 5.1.1 wants every device to answer at."""
_SHARED: Final = ipaddress.ip_network("100.64.0.0/10")
_METADATA: Final = frozenset(
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192")
)
"""Where clouds hand out credentials."""

Resolver = Callable[[str, int], Sequence[str]]
"""Returns a host's addresses, in text. Raises OSError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePlace:
    """What an ``onvif://user:password@host:port/path?stream=main`` says.

    Attributes:
        scheme: ``http`` or ``https``.
        host: As given.
        path: Of the device service.
        wanted: ``stream`` (``sub``, ``main``), ``profile`` or ``source``, as given.
    """

    scheme: str
    host: str
    port: int
    path: str = PATH
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    wanted: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, url: str) -> Self:
        """Return what a URL says. Raises ValueError, which does not repeat it."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("it cannot be parsed") from None
        if parts.scheme not in SCHEMES or not parts.hostname:
            raise ValueError("no host is named")
        wanted = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if unknown := set(wanted) - {"stream", "profile", "source"}:
            raise ValueError(f"{len(unknown)} unknown parameters (known: stream, profile, source)")
        if wanted.get("stream", "sub") not in ("sub", "main"):
            raise ValueError("stream must be sub or main")
        scheme = SCHEMES[parts.scheme]
        return cls(
            scheme=scheme,
            host=parts.hostname,
            port=port or _PORTS[scheme],
            path=parts.path if parts.path not in ("", "/") else PATH,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            wanted=wanted,
        )

    def at(self, address: str) -> str:
        """Return the URL of the device service at an address, with user and password."""
        return self.joined(address, "")

    def joined(self, address: str, reference: str) -> str:
        """Return the URL of a service that the device named, on the device itself.

        Devices behind NAT, in containers or after a change of network name hosts that are not
        theirs, and what names another host is no reason to call it: the host stays, and a port is
        believed only of a device that knows its own host.
        """
        try:
            parts = urlsplit(reference.strip())
            port = parts.port if parts.hostname in (self.host, address) else None
            is_served = parts.scheme in _PORTS
        except ValueError:
            parts, port, is_served = urlsplit(""), None, False
        scheme = parts.scheme if port is not None and is_served else self.scheme
        path = parts.path or self.path
        return urlunsplit(
            SplitResult(scheme, self._authority(address, port or self.port), path, parts.query, "")
        )

    def stream(self, reference: str) -> str:
        """Return the URL of a stream that the device named: its host, our credentials.

        Raises:
            HttpRefused: It is no RTSP URL.
        """
        try:
            parts = urlsplit(reference.strip())
            port = parts.port
        except ValueError:
            raise HttpRefused(0, "it names a stream that cannot be parsed") from None
        if parts.scheme not in ("rtsp", "rtsps"):
            found = parts.scheme[:20] if parts.scheme.isalnum() else "nothing"
            raise HttpRefused(0, f"it names a stream by {found}; wanted: RTSP")
        authority = self._authority(self.host, port)
        return urlunsplit(SplitResult(parts.scheme, authority, parts.path, parts.query, ""))

    def _authority(self, host: str, port: int | None) -> str:
        userinfo = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@"
        shown = f"[{host}]" if ":" in host else host
        return f"{userinfo if self.user else ''}{shown}{f':{port}' if port else ''}"


def main_stream_of(url: str) -> str:
    """Return the URL of the main stream beside the sub-stream; empty if the URL names one itself.

    Raises:
        ValueError: It is no ONVIF URL; it is not repeated.
    """
    wanted = DevicePlace.of(url).wanted
    if "stream" in wanted or "profile" in wanted:
        return ""
    return f"{url}{'&' if wanted else '?'}stream=main"


def names_itself(reference: str, place: DevicePlace, address: str) -> bool:
    """Say whether a URL that a device named has the device's own host."""
    try:
        return urlsplit(reference.strip()).hostname in (place.host, address)
    except ValueError:
        return False


def resolve(host: str, port: int) -> Sequence[str]:
    """Return a host's addresses as the system knows them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


def private_address(host: str, port: int, *, resolver: Resolver = resolve) -> str:
    """Return the host's address if it is in a private network; connect to that and no other.

    Raises:
        HttpRefused: It is a public, multicast or metadata address.
        OSError: The name is not known.
    """
    for text in resolver(host, port):
        if is_private(text):
            return text
    raise HttpRefused(
        0, "its address is in no private network; ONVIF is spoken to private addresses only"
    )


def is_private(text: str) -> bool:
    """Say whether an address may be a camera's: private, shared, link-local or this machine."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address in _METADATA or address.is_multicast or address.is_unspecified:
        return False
    if address.is_loopback or address.is_link_local:
        return True
    return (address.is_private or address in _SHARED) and not address.is_reserved
