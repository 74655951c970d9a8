"""An ONVIF device on loopback: HTTP and multicast discovery, with the bad habits of real ones.

It reads requests by pattern and checks the password digest by itself, so that nothing of the
client is taken for granted.
"""

import base64
import hashlib
import io
import re
import socket
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Literal, Self

from tests.loopback import LoopbackHttp, QuietHandler
from tests.quirkcam.credentials import Gatekeeper

_JOIN_S = 5.0
_SPACES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://www.w3.org/2005/08/addressing" '
    'xmlns:tt="http://www.onvif.org/ver10/schema" '
    'xmlns:ter="http://www.onvif.org/ver10/error" '
    'xmlns:tns1="http://www.onvif.org/ver10/topics" '
    'xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" '
    'xmlns:wstop="http://docs.oasis-open.org/wsn/t-1"'
)
_VER = "http://www.onvif.org/ver"
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><b>&j;</b>"
).encode()
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY f SYSTEM "file:///etc/passwd">]><b>&f;</b>'


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeProfile:
    """A stream that the device says it has."""

    profile_id: str
    encoding: str = "H264"
    width: int = 640
    height: int = 360
    fps: str = "15"
    source: str = "source-1"
    url: str = "rtsp://127.0.0.1:554/sub"


MAIN = FakeProfile(profile_id="main", width=2560, height=1440, url="rtsp://127.0.0.1:554/main")
SUB = FakeProfile(profile_id="sub")


@dataclass(kw_only=True, eq=False)
class OnvifServer:
    """A device until the block ends.

    Attributes:
        auth: ``wss`` wants the digest of WS-Security, ``http`` that of HTTP.
        clock_ahead: The device's clock minus ours; it refuses digests 5 s off its own.
        named_host: Of the addresses that it names itself by.
        has_services: False for one of before 2011, which knows ``GetCapabilities`` only.
        media2: ``none``, ``sound``, or ``broken``: named, and each request is a fault.
        answer: Sent instead of any other.
        is_silent: It takes connections and says nothing.
        drip_s: It sends a byte so often.
        redirect: Where it sends its visitors.
        asked: Local names of the requests, in order.
    """

    user: str = ""
    password: str = ""
    auth: Literal["wss", "http"] = "wss"
    clock_ahead: timedelta = timedelta()
    has_clock: bool = True
    named_host: str = "127.0.0.1"
    has_services: bool = True
    media2: Literal["none", "sound", "broken"] = "none"
    profiles: Sequence[FakeProfile] = (MAIN, SUB)
    answer: bytes | None = None
    is_silent: bool = False
    drip_s: float = 0.0
    redirect: str = ""
    asked: list[str] = field(default_factory=list)
    refused: int = 0
    heads: list[str] = field(default_factory=list)
    is_stopped: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        device = self
        self._gate = Gatekeeper(user=self.user, password=self.password, scheme="digest")

        class Answer(QuietHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
                if device.is_silent:
                    device.is_stopped.wait()
                    return
                status, more, answer = device.met(content, self.headers.get("Authorization", ""))
                self.send_response(status)
                self.send_header("Content-Type", "application/soap+xml; charset=utf-8")
                self.send_header("Content-Length", str(len(answer)))
                for name, value in more.items():
                    self.send_header(name, value)
                self.end_headers()
                device.send(answer, self.wfile)

        self._server = LoopbackHttp(Answer)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.is_stopped.set()
        self._server.close()

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def url(self) -> str:
        userinfo = f"{self.user}:{self.password}@" if self.user else ""
        return f"onvif://{userinfo}127.0.0.1:{self.port}"

    def met(self, content: str, authorization: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body for a request with an ``Authorization`` header."""
        given = {"authorization": authorization}
        if self.auth == "http" and (challenges := self._gate.check("POST", given)):
            self.refused += 1
            return 401, dict(challenge.split(": ", 1) for challenge in challenges), b""
        if self.redirect:
            return 302, {"Location": self.redirect}, b""
        status, answer = self.answer_to(content)
        return status, {}, answer

    def send(self, answer: bytes, client: io.BufferedIOBase) -> None:
        if not self.drip_s:
            client.write(answer)
        for at in range(len(answer) if self.drip_s else 0):
            client.write(answer[at : at + 1])
            if self.is_stopped.wait(self.drip_s):
                return

    def answer_to(self, content: str) -> tuple[int, bytes]:
        """Status and body for a request."""
        head, _, body = content.partition("Body>")
        match = re.match(r"\s*<(?:\w+:)?(\w+)", body)
        name = match[1] if match else ""
        self.asked.append(name)
        self.heads.append(head)
        if self.answer is not None:
            return 200, self.answer
        if name != "GetSystemDateAndTime" and not self._is_proven(head):
            self.refused += 1
            return 400, fault("Sender", "NotAuthorized", "Sender not Authorized")
        space = (re.search(r"<tr2:", body) and "2_") or ""
        found = getattr(self, f"_{space}{name}", None)
        if found is None or (space and self.media2 == "broken"):
            return 500, fault("Receiver", "ActionNotSupported", "Optional Action Not Implemented")
        return 200, envelope(found(body))

    def _is_proven(self, head: str) -> bool:
        if not self.user or self.auth == "http":
            return True
        given = dict(re.findall(r"<\w+:(Username|Password|Nonce|Created)\b[^>]*>([^<]*)<", head))
        if set(given) != {"Username", "Password", "Nonce", "Created"}:
            return False
        made_at = datetime.strptime(given["Created"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        if abs(made_at - self.now()) > timedelta(seconds=5):
            return False
        secret = base64.b64decode(given["Nonce"]) + given["Created"].encode()
        digest = hashlib.sha1(secret + self.password.encode(), usedforsecurity=False).digest()
        return bool(
            given["Username"] == self.user
            and given["Password"] == base64.b64encode(digest).decode()
        )

    def now(self) -> datetime:
        return datetime.now(UTC) + self.clock_ahead

    def _named(self, path: str) -> str:
        port = self.port if self.named_host == "127.0.0.1" else 80
        return f"http://{self.named_host}:{port}{path}"

    def _GetSystemDateAndTime(self, _body: str) -> str:  # noqa: N802  # ONVIF's names
        if not self.has_clock:
            return "<x:GetSystemDateAndTimeResponse xmlns:x='urn:x'/>"
        now = self.now()
        return (
            "<x:GetSystemDateAndTimeResponse xmlns:x='urn:x'><x:SystemDateAndTime>"
            "<tt:DateTimeType>Manual</tt:DateTimeType><tt:UTCDateTime>"
            f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
            f"<tt:Second>{now.second}</tt:Second></tt:Time>"
            f"<tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month>"
            f"<tt:Day>{now.day}</tt:Day></tt:Date></tt:UTCDateTime>"
            "</x:SystemDateAndTime></x:GetSystemDateAndTimeResponse>"
        )

    def _GetDeviceInformation(self, _body: str) -> str:  # noqa: N802
        return (
            "<x:GetDeviceInformationResponse xmlns:x='urn:x'>"
            "<x:Manufacturer>Acme\n</x:Manufacturer><x:Model>Dome 4</x:Model>"
            "<x:FirmwareVersion>1.2</x:FirmwareVersion><x:SerialNumber>S-77</x:SerialNumber></x:GetDeviceInformationResponse>"
        )

    def _GetServices(self, _body: str) -> str:  # noqa: N802
        known = {
            f"{_VER}10/device/wsdl": "/onvif/device_service",
            f"{_VER}10/media/wsdl": "/onvif/media",
            f"{_VER}10/events/wsdl": "/onvif/events",
        }
        if self.media2 != "none":
            known[f"{_VER}20/media/wsdl"] = "/onvif/media2"
        listed = "".join(
            f"<x:Service><x:Namespace>{space}</x:Namespace><x:XAddr>{self._named(path)}</x:XAddr>"
            "</x:Service>"
            for space, path in known.items()
        )
        return f"<x:GetServicesResponse xmlns:x='urn:x'>{listed}</x:GetServicesResponse>"

    def _GetCapabilities(self, _body: str) -> str:  # noqa: N802
        return (
            "<x:GetCapabilitiesResponse xmlns:x='urn:x'><x:Capabilities>"
            f"<tt:Events><tt:XAddr>{self._named('/onvif/events')}</tt:XAddr></tt:Events>"
            f"<tt:Media><tt:XAddr>{self._named('/onvif/media')}</tt:XAddr></tt:Media>"
            "</x:Capabilities></x:GetCapabilitiesResponse>"
        )

    def _GetProfiles(self, _body: str) -> str:  # noqa: N802
        return self._profiles("VideoSourceConfiguration", "VideoEncoderConfiguration", "")

    def _2_GetProfiles(self, _body: str) -> str:  # noqa: N802
        return self._profiles("VideoSource", "VideoEncoder", "Configurations")

    def _profiles(self, source: str, encoder: str, around: str) -> str:
        listed = ""
        for one in self.profiles:
            inner = (
                f"<tt:{source}><tt:SourceToken>{one.source}</tt:SourceToken></tt:{source}>"
                f"<tt:{encoder}><tt:Encoding>{one.encoding}</tt:Encoding><tt:Resolution>"
                f"<tt:Width>{one.width}</tt:Width><tt:Height>{one.height}</tt:Height>"
                f"</tt:Resolution><tt:RateControl><tt:FrameRateLimit>{one.fps}"
                f"</tt:FrameRateLimit><tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl>"
                f"</tt:{encoder}>"
            )
            wrapped = f"<x:{around}>{inner}</x:{around}>" if around else inner
            listed += (
                f'<x:Profiles token="{one.profile_id}" fixed="true">'
                f"<tt:Name>{one.profile_id}</tt:Name>"
                f"{wrapped}</x:Profiles>"
            )
        return f"<x:GetProfilesResponse xmlns:x='urn:x'>{listed}</x:GetProfilesResponse>"

    def _url_of(self, body: str) -> str:
        match = re.search(r"ProfileToken>([^<]*)<", body)
        token = match[1] if match else ""
        url = next(one.url for one in self.profiles if one.profile_id == token)
        return url.replace("&", "&amp;")

    def _GetStreamUri(self, body: str) -> str:  # noqa: N802
        return (
            "<x:GetStreamUriResponse xmlns:x='urn:x'><x:MediaUri>"
            f"<tt:Uri>{self._url_of(body)}\n</tt:Uri></x:MediaUri></x:GetStreamUriResponse>"
        )

    def _2_GetStreamUri(self, body: str) -> str:  # noqa: N802
        return f"<x:GetStreamUriResponse xmlns:x='urn:x'><x:Uri>{self._url_of(body)}</x:Uri></x:GetStreamUriResponse>"  # noqa: E501

    def _GetEventProperties(self, _body: str) -> str:  # noqa: N802
        return (
            "<x:GetEventPropertiesResponse xmlns:x='urn:x'><wstop:TopicSet>"
            '<tns1:VideoSource><MotionAlarm wstop:topic="true"/><GlobalSceneChange>'
            '<ImagingService wstop:topic="true"/></GlobalSceneChange></tns1:VideoSource>'
            "</wstop:TopicSet></x:GetEventPropertiesResponse>"
        )


def envelope(body: str, *, header: str = "") -> bytes:
    """A SOAP answer."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope {_SPACES}>'
        f"<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def fault(code: str, subcode: str, reason: str) -> bytes:
    """A SOAP fault."""
    return envelope(
        f"<s:Fault><s:Code><s:Value>s:{code}</s:Value><s:Subcode><s:Value>ter:{subcode}</s:Value>"
        f'</s:Subcode></s:Code><s:Reason><s:Text xml:lang="en">{reason}</s:Text></s:Reason>'
        "</s:Fault>"
    )


def match(
    *,
    xaddrs: str,
    relates_to: str = "",
    types: str = "dn:NetworkVideoTransmitter",
    scopes: str = "",
) -> bytes:
    """What a device answers to a question for devices."""
    known = scopes or (
        "onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/Acme%20Dome "
        "onvif://www.onvif.org/hardware/D4 onvif://www.onvif.org/location/north%20gate"
    )
    return envelope(
        '<d:ProbeMatches xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">'
        "<d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:1</a:Address>"
        f"</a:EndpointReference><d:Types>{types}</d:Types><d:Scopes>{known}</d:Scopes>"
        f"<d:XAddrs>{xaddrs}</d:XAddrs></d:ProbeMatch></d:ProbeMatches>",
        header=f"<a:RelatesTo>{relates_to}</a:RelatesTo>" if relates_to else "",
    )


class DiscoveryResponder:
    """Answers to questions for devices by multicast on loopback, until the block ends.

    Args:
        answers: Made of the question's message id.
    """

    GROUP = "239.255.255.250"

    def __init__(self, *answers: str) -> None:
        self._xaddrs = answers
        self.questions: list[bytes] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((self.GROUP, 0))
        joined = struct.pack("4s4s", socket.inet_aton(self.GROUP), socket.inet_aton("127.0.0.1"))
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
        self._socket.settimeout(0.1)
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def group(self) -> tuple[str, int]:
        return self.GROUP, int(self._socket.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_stopped.set()
        self._thread.join(_JOIN_S)
        self._socket.close()

    def _serve(self) -> None:
        while not self._is_stopped.is_set():
            try:
                question, sender = self._socket.recvfrom(65_535)
            except TimeoutError:
                continue
            self.questions.append(question)
            found = re.search(rb"MessageID>([^<]*)<", question)
            related = found[1].decode() if found else ""
            for xaddrs in self._xaddrs:
                self._socket.sendto(match(xaddrs=xaddrs, relates_to=related), sender)
            self._socket.sendto(b"\x00 no XML", sender)
