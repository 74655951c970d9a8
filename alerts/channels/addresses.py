"""Which addresses a webhook may reach: the guard against requests into our own network.

A URL is only a name. It is resolved once, each address is judged, and the connection goes to the
judged address: a second look-up could answer differently (DNS rebinding).
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Final

from contracts.errors import DeliveryError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[str]]
"""Returns the addresses, in text, of a host name and port. Raises OSError."""

_METADATA: Final = frozenset(
    {
        ipaddress.ip_address("169.254.169.254"),
        ipaddress.ip_address("fd00:ec2::254"),  # Amazon's, by IPv6
        ipaddress.ip_address("100.100.100.200"),  # Alibaba's
    }
)
"""Where clouds hand out credentials: never, whatever is allowed."""
_SHARED: Final = ipaddress.ip_network("100.64.0.0/10")
"""Carriers' and overlay networks' own (RFC 6598); Python calls it neither private nor global."""
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
"""An IPv4 address in its last four bytes (RFC 6052)."""


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the host's addresses as the system knows them, in its order of preference."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


def checked_addresses(addresses: Sequence[str], *, allow_private: bool) -> list[str]:
    """Return the addresses if each of them may be reached.

    Raises:
        DeliveryError: One may not (all are refused then), or there is none.
    """
    if not addresses:
        raise DeliveryError("webhook: its host has no address")
    for text in addresses:
        if not is_reachable(text, allow_private=allow_private):
            # The address is left out: it tells how the inner network is made.
            raise DeliveryError(
                "webhook: its host has a private, loopback or reserved address; set "
                "alerts.allow_private_webhooks if private ones are meant"
            )
    return list(addresses)


def is_reachable(text: str, *, allow_private: bool) -> bool:
    """Say whether a webhook may go to an address.

    Args:
        text: IPv4 or IPv6, in text.
        allow_private: Private, shared and loopback addresses as well. Link-local, multicast and
            metadata addresses never.
    """
    try:
        address = _unwrapped(ipaddress.ip_address(text))
    except ValueError:
        return False
    if address in _METADATA or address.is_multicast or address.is_unspecified:
        return False
    if address.is_link_local:
        return False
    if address.is_global:
        return True
    is_local = address.is_private or address in _SHARED
    is_reserved = address.is_reserved and not address.is_loopback
    return allow_private and is_local and not is_reserved


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address.teredo:
        inner = address.teredo[1]
    if inner is None and address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address
