"""Which ONVIF devices are in the networks of this machine: asked by multicast, for some seconds.

Sources: WS-Discovery (April 2005, as ONVIF has it), SOAP-over-UDP 1.1, ONVIF Core 7.3.
"""

import ipaddress
import select
import socket
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from aioice.ice import get_host_addresses

from contracts.clock import Clock
from ingest.onvif.places import PATH, is_private
from ingest.onvif.soap import plain
from ingest.onvif.xml_reader import Node, XmlRefused, read_xml

GROUP: Final = ("239.255.255.250", 3702)
WAIT_S: Final = 3.0
"""Devices answer within 0.5 s, those behind a bad radio link later."""
_AGAIN_S: Final = 0.5
"""A datagram may be lost: it is sent twice."""
_DATAGRAM_MAX: Final = 65_535
_DEVICES_MAX: Final = 512
_SCOPE: Final = "onvif://www.onvif.org/"
_NAMES_MAX: Final = 80
_DISCOVERY: Final = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_ADDRESSING: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_TYPES: Final = (
    ("dn:NetworkVideoTransmitter", "http://www.onvif.org/ver10/network/wsdl"),
    ("dn:Device", "http://www.onvif.org/ver10/device/wsdl"),
)
"""Each device is one of the two; few answer to a question for both at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDevice:
    """A device that answered, by what it says of itself, which anybody can say.

    Attributes:
        address: From which the answer came.
        url: Of its device service there, without credentials: ``onvif://address[:port]``, with a
            path if that is another than ONVIF wants.
        advice: What to do next, or what is odd.
    """

    address: str
    url: str
    name: str = ""
    hardware: str = ""
    location: str = ""
    advice: tuple[str, ...] = ()


def discover(
    *,
    clock: Clock,
    wait_s: float = WAIT_S,
    group: tuple[str, int] = GROUP,
    interfaces: Sequence[str] | None = None,
) -> tuple[FoundDevice, ...]:
    """Ask and listen.

    Args:
        clock: For the wait.
        wait_s: How long to listen.
        group: Address and port asked.
        interfaces: Own IPv4 addresses to ask from; None takes all but loopback.

    Returns:
        By address; none where no network takes multicast.
    """
    if interfaces is None:
        interfaces = get_host_addresses(use_ipv4=True, use_ipv6=False)
    asked = {f"urn:uuid:{uuid.uuid4()}": kind for kind in _TYPES}
    opened = [one for address in interfaces if (one := _open(address)) is not None]
    found: dict[str, FoundDevice] = {}
    try:
        for content, sender in _answers(opened, asked, group=group, clock=clock, wait_s=wait_s):
            device = read_match(content, sender=sender, asked=list(asked))
            if device is not None and len(found) < _DEVICES_MAX:
                found.setdefault(device.url, device)
    finally:
        for one in opened:
            one.close()
    return tuple(sorted(found.values(), key=lambda one: (_number(one.address), one.url)))


def read_match(
    content: bytes, *, sender: str, asked: Sequence[str] | None = None
) -> FoundDevice | None:
    """Return the device that an answer speaks of; None for what is no answer of a camera.

    Args:
        content: One datagram.
        sender: The address that it came from: the device is believed to be there, and nowhere else.
        asked: Message ids that it may answer; None for any.
    """
    if not is_private(sender):
        return None
    try:
        envelope = read_xml(content)
    except XmlRefused:
        return None
    related = envelope.text_at("Header", "RelatesTo").rpartition(":")[2]
    if related and asked is not None and related not in {one.rpartition(":")[2] for one in asked}:
        return None
    match = envelope.find("Body", "ProbeMatches", "ProbeMatch")
    return None if match is None else _device(match, sender)


def _device(match: Node, sender: str) -> FoundDevice | None:
    scopes = [unquote(scope) for scope in match.text_at("Scopes").split()]
    types = match.text_at("Types")
    is_camera = "NetworkVideoTransmitter" in types or any(
        scope.lower().startswith(_SCOPE) for scope in scopes
    )
    if not is_camera:
        return None
    advice: list[str] = []
    named = [address for address in match.text_at("XAddrs").split() if _is_http(address)]
    own = [address for address in named if urlsplit(address).hostname == sender]
    if not own:
        advice.append(
            f"it names another address than the one it answers from ({sender}): set its network"
        )
    if ipaddress.ip_address(sender).is_link_local:
        advice.append("it has got no address by DHCP: give it one")
    url = _url(next(iter(own or named), ""), sender, has_port=bool(own))
    advice.append(f"look at it: vigil probe, with VIGIL_SOURCE={_with_login(url)}")
    return FoundDevice(
        address=sender,
        url=url,
        name=_scope(scopes, "name"),
        hardware=_scope(scopes, "hardware"),
        location=_scope(scopes, "location"),
        advice=tuple(advice),
    )


def _url(reference: str, sender: str, *, has_port: bool) -> str:
    parts = urlsplit(reference)
    scheme = "onvifs" if parts.scheme == "https" else "onvif"
    host = f"[{sender}]" if ":" in sender else sender
    usual = {"onvif": 80, "onvifs": 443}[scheme]
    port = parts.port if has_port and parts.port not in (None, usual) else None
    path = plain(parts.path, most=200).replace(" ", "%20")
    return f"{scheme}://{host}{f':{port}' if port else ''}{'' if path == PATH else path}"


def _with_login(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://user:password@{rest}"


def _is_http(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _scope(scopes: Iterable[str], name: str) -> str:
    begin = f"{_SCOPE}{name}/"
    found = [scope[len(begin) :] for scope in scopes if scope.lower().startswith(begin)]
    return plain(", ".join(found), most=_NAMES_MAX)


def _number(address: str) -> tuple[int, int]:
    found = ipaddress.ip_address(address)
    return found.version, int(found)


def _open(address: str) -> socket.socket | None:
    """Return a socket of one interface; None where it takes no multicast."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        opened.bind((address, 0))
    except OSError:
        opened.close()
        return None
    opened.setblocking(False)  # noqa: FBT003  # socket's
    return opened


def _answers(
    opened: Sequence[socket.socket],
    asked: dict[str, tuple[str, str]],
    *,
    group: tuple[str, int],
    clock: Clock,
    wait_s: float,
) -> Iterable[tuple[bytes, str]]:
    began_s = clock.monotonic_s()
    sends_s = [0.0, min(_AGAIN_S, wait_s / 2)]
    while opened and (passed_s := clock.monotonic_s() - began_s) < wait_s:
        if sends_s and passed_s >= sends_s[0]:
            sends_s.pop(0)
            _send(opened, asked, group)
        until_s = min([wait_s, *sends_s]) - passed_s
        readable, _, _ = select.select(opened, [], [], max(0.0, until_s))
        for one in readable:
            try:
                content, sender = one.recvfrom(_DATAGRAM_MAX)
            except OSError:
                continue
            yield content, sender[0]


def _send(
    opened: Sequence[socket.socket], asked: dict[str, tuple[str, str]], group: tuple[str, int]
) -> None:
    for message_id, (kind, space) in asked.items():
        for one in opened:
            try:
                one.sendto(probe_message(message_id, kind, space), group)
            except OSError:
                continue  # this network takes none


def probe_message(message_id: str, kind: str, space: str) -> bytes:
    """Return the question for devices of one type."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        f'xmlns:a="{_ADDRESSING}" xmlns:d="{_DISCOVERY}" xmlns:dn="{space}"><s:Header>'
        f"<a:MessageID>{message_id}</a:MessageID>"
        '<a:To s:mustUnderstand="1">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>'
        f'<a:Action s:mustUnderstand="1">{_DISCOVERY}/Probe</a:Action>'
        f"</s:Header><s:Body><d:Probe><d:Types>{kind}</d:Types></d:Probe></s:Body></s:Envelope>"
    ).encode()
