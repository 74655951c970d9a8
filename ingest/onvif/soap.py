"""SOAP 1.2 as ONVIF speaks it: requests with a password digest, answers, faults. Pure.

Sources: SOAP 1.2 (W3C), WS-Security UsernameToken Profile 1.0 (OASIS), ONVIF Core 5.9 (faults).
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from ingest.onvif.xml_reader import Node, XmlRefused, read_xml

CONTENT_TYPE: Final = "application/soap+xml; charset=utf-8"
_SPACES: Final[Mapping[str, str]] = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://www.w3.org/2005/08/addressing",
    "tt": "http://www.onvif.org/ver10/schema",
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "tr2": "http://www.onvif.org/ver20/media/wsdl",
    "tev": "http://www.onvif.org/ver10/events/wsdl",
    "wsnt": "http://docs.oasis-open.org/wsn/b-2",
}
_ENVELOPE: Final = (
    "<s:Envelope {spaces}><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
)
_WSS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_DENIED: Final = ("NotAuthorized", "FailedAuthentication", "InvalidSecurity", "SenderNotAuthorized")
_UNKNOWN: Final = ("ActionNotSupported", "NotSupported", "OptionalActionNotImplemented")
_REASON_MAX: Final = 120


class SoapFault(Exception):  # noqa: N818  # named as SOAP does
    """The device answered that it will not, or cannot.

    Attributes:
        codes: Local names of its code and subcodes.
        reason: Its own words, shortened; printable characters only.
    """

    def __init__(self, codes: tuple[str, ...], reason: str) -> None:
        super().__init__(f"{'/'.join(codes)}: {reason}")
        self.codes = codes
        self.reason = reason

    @property
    def is_denied(self) -> bool:
        """Whether another user or password is wanted."""
        return any(code in _DENIED for code in self.codes)

    @property
    def is_unknown(self) -> bool:
        """Whether the device knows no such request."""
        return any(code in _UNKNOWN for code in self.codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What proves a password without sending it.

    Attributes:
        nonce: Random, new for each request.
        created_at: By the device's clock, which refuses what is minutes off.
    """

    user: str = field(repr=False)
    password: str = field(repr=False)
    nonce: bytes = field(repr=False)
    created_at: datetime

    def header(self) -> str:
        """Return the element ``Security``."""
        created = self.created_at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        secret = self.nonce + created.encode() + self.password.encode()
        digest = hashlib.sha1(secret, usedforsecurity=False).digest()  # the profile's own
        return (
            f'<w:Security xmlns:w="{_WSS}wssecurity-secext-1.0.xsd" s:mustUnderstand="1">'
            f"<w:UsernameToken><w:Username>{escape(self.user)}</w:Username>"
            f'<w:Password Type="{_WSS}username-token-profile-1.0#PasswordDigest">'
            f"{base64.b64encode(digest).decode()}</w:Password>"
            f'<w:Nonce EncodingType="{_WSS}soap-message-security-1.0#Base64Binary">'
            f"{base64.b64encode(self.nonce).decode()}</w:Nonce>"
            f'<u:Created xmlns:u="{_WSS}wssecurity-utility-1.0.xsd">{created}</u:Created>'
            "</w:UsernameToken></w:Security>"
        )


def request(body: str, *, header: str = "") -> bytes:
    """Return an envelope; ``body`` and ``header`` use the prefixes of ONVIF's documents."""
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _SPACES.items())
    text = _ENVELOPE.format(spaces=spaces, header=header, body=body)
    return f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()


def echo(node: Node) -> str:
    """Return an element as XML again: what an endpoint wants to see in each request to it."""
    attributes = "".join(f" {key}={quoteattr(value)}" for key, value in node.attributes.items())
    inner = escape(node.text) + "".join(echo(child) for child in node.children)
    return f"<{node.name} xmlns={quoteattr(node.space)}{attributes}>{inner}</{node.name}>"


def read_answer(content: bytes) -> Node:
    """Return the envelope's ``Body``.

    Raises:
        SoapFault: It holds a fault.
        XmlRefused: It is no SOAP answer.
    """
    envelope = read_xml(content)
    body = envelope.find("Body") if envelope.name == "Envelope" else None
    if body is None:
        raise XmlRefused("no SOAP envelope")
    fault = body.find("Fault")
    if fault is not None:
        raise SoapFault(_codes(fault), _reason(fault))
    return body


def plain(text: str, *, most: int = _REASON_MAX) -> str:
    """Return what a device said of itself as one short line of printable characters."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))[:most]


def _codes(fault: Node) -> tuple[str, ...]:
    values = [node.text for node in fault.all("Value")] or [fault.text_at("faultcode")]
    return tuple(plain(value.rpartition(":")[2], most=40) for value in values)


def _reason(fault: Node) -> str:
    return plain(fault.text_at("Reason", "Text") or fault.text_at("faultstring"))
