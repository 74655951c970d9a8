"""What strangers hand us, one function each: it is read or refused in words, and nothing else.

A function takes any bytes and returns; what it raises is a fault of ours. Seeds are sound examples,
from which a fuzzer makes others.
"""

import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiortc.sdp import candidate_from_sdp

from api.rules_file import SceneRulesParser, dump_rules
from api.settings_file import load_settings
from api.wiring.cameras import load_rules
from contracts.clock import SystemClock
from contracts.errors import ConfigError
from ingest.onvif.device import OnvifDevice
from ingest.onvif.discovery import read_match
from ingest.onvif.events import PullPoint
from ingest.onvif.places import DevicePlace
from ingest.onvif.services import MEDIA, OnvifServices
from ingest.onvif.soap import SoapFault, read_answer
from ingest.onvif.xml_reader import Node, XmlRefused
from ingest.sources.challenges import Login, choose
from ingest.sources.hls import parse_playlist
from ingest.sources.http_body import HttpRefused
from ingest.sources.rtsp_messages import MessageTooLong, Splitter
from ingest.sources.scenes.yard_truth import YARD_RULES
from ingest.sources.usb import UsbDevice
from ingest.webrtc.offer import read_fragment, read_offer, without_secrets
from ingest.webrtc.signals import SignalRefused
from tests.ingest.webrtc.offers import SECRET, offer
from tests.onvif_device import BOMB, OUTSIDE, OnvifServer, envelope, fault, match
from tests.onvif_events import TalkingServer, message

Target = Callable[[bytes], None]


def whip_offer(content: bytes) -> None:
    """A WHIP or WHEP body."""
    text = content.decode(errors="replace")
    for is_publisher in (True, False):
        try:
            taken = read_offer(text, is_publisher=is_publisher)
        except SignalRefused:
            continue
        assert taken.codecs
        # What is handed on is itself an offer that is taken.
        assert read_offer(taken.sdp, is_publisher=is_publisher).codecs == taken.codecs
        assert "a=ice-pwd:***" in without_secrets(taken.sdp)


def whip_fragment(content: bytes) -> None:
    """A trickle body; what ICE's reader of candidates may raise is what its caller expects."""
    with suppress(SignalRefused):
        for line in read_fragment(content.decode(errors="replace")):
            with suppress(ValueError, AssertionError):
                candidate_from_sdp(line.removeprefix("candidate:"))


@dataclass(slots=True, kw_only=True, eq=False)
class ScriptedServices(OnvifServices):
    """A device whose every answer is the same."""

    content: bytes = field(default=b"")

    def ask(
        self, url: str, body: str, *, header: str = "", is_open: bool = False, extra_s: float = 0.0
    ) -> Node:
        del url, body, header, is_open, extra_s
        try:
            return read_answer(self.content)
        except XmlRefused as error:
            raise HttpRefused(0, str(error)) from None

    def service(self, space: str) -> str:
        return OnvifServices.service(self, space) or ("http://10.0.0.7/x" if space == MEDIA else "")


def onvif_answer(content: bytes) -> None:
    """The same answer to each question that a device, and its events, are asked."""
    url = "onvif://admin:hunter2@10.0.0.7"
    device = OnvifDevice(url=url, timeout_s=1.0, clock=SystemClock())
    services = ScriptedServices(
        place=DevicePlace.of(url), timeout_s=1.0, clock=SystemClock(), content=content
    )
    device.services = services
    with suppress(HttpRefused):
        assert "hunter2" not in repr(device.describe())
    point = PullPoint(services=services, camera_id="gate", clock=SystemClock())
    with suppress(HttpRefused, SoapFault):
        if point.open():
            for event in point.pull():
                assert event.topic.isprintable()


def onvif_discovery(content: bytes) -> None:
    """A datagram in answer to a question for devices."""
    found = read_match(content, sender="192.168.1.7")
    if found is not None:
        place = DevicePlace.of(found.url)
        assert (place.host, place.user) == ("192.168.1.7", "")


def settings_file(content: bytes) -> None:
    """A settings file."""
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        Path(file.name).write_bytes(content)
        with suppress(ConfigError):
            load_settings(environment={}, file=Path(file.name))


def rules_file(content: bytes) -> None:
    """A rules file; what is read is written and read again."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        Path(file.name).write_bytes(content)
        with suppress(ConfigError):
            rules = load_rules(Path(file.name))
            assert SceneRulesParser("again").parse(dump_rules(rules)) == rules


def rtsp_messages(content: bytes) -> None:
    """What a camera sends over its RTSP connection, in two pieces."""
    splitter = Splitter()
    with suppress(MessageTooLong):
        for part in (content[: len(content) // 2], content[len(content) // 2 :]):
            for found in splitter.feed(part):
                if not isinstance(found, bytes):
                    _ = found.status, found.encode()


def playlist(content: bytes) -> None:
    """An HLS playlist."""
    with suppress(HttpRefused):
        parse_playlist(content.decode(errors="replace"))


def challenge(content: bytes) -> None:
    """A ``WWW-Authenticate`` header, answered."""
    found = choose(content.decode("latin-1").split("\n"))
    if found is not None:
        login = Login(user="admin", password=SECRET)
        login.take(found)
        assert SECRET not in login.header(method="GET", uri="/")


def addresses(content: bytes) -> None:
    """URLs of sources that are read by ourselves."""
    for kind in (DevicePlace, UsbDevice):
        with suppress(ValueError):
            kind.of(content.decode(errors="replace"))


def _answers() -> Sequence[bytes]:
    server = OnvifServer(media2="sound")
    server.named_host = "10.0.0.7"
    bodies = [
        getattr(server, name)("<tr2:ProfileToken>sub</tr2:ProfileToken>")
        for name in (
            "_GetSystemDateAndTime",
            "_GetDeviceInformation",
            "_GetServices",
            "_GetCapabilities",
            "_GetProfiles",
            "_2_GetProfiles",
            "_GetStreamUri",
            "_2_GetStreamUri",
            "_GetEventProperties",
        )
    ]
    talking = TalkingServer(named_host="10.0.0.7")
    bodies += [
        talking._CreatePullPointSubscription(""),
        message("tns1:VideoSource/MotionAlarm"),
        message("tns1:RuleEngine/TamperDetector/Tamper", "0", at="2026-03-02T08:15:00+14:00"),
    ]
    together = envelope("".join(bodies))
    return [together, *(envelope(body) for body in bodies), fault("a", "b", "c"), BOMB, OUTSIDE]


_SETTINGS: Final = b"""
log_level = "debug"
[ingest]
open_timeout_s = 2.5
[webrtc]
addresses = ["192.0.2.1"]
[[cameras]]
id = "gate"
url = "onvif://admin:hunter2@192.0.2.7?stream=sub"
rules_file = "gate.rules.json"
"""
_CANDIDATE: Final = (
    "a=ice-ufrag:vQas\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\n"
    "a=mid:0\r\na=candidate:1 1 udp 2113937151 192.0.2.9 40522 typ host generation 0\r\n"
    "a=candidate:2 1 tcp 1518280447 2001:db8::1 9 typ srflx raddr 10.0.0.1 rport 9 "
    "tcptype active\r\na=end-of-candidates\r\n"
)
TARGETS: Final[dict[str, tuple[Target, Callable[[], Sequence[bytes]]]]] = {
    "whip-offer": (
        whip_offer,
        lambda: [offer().encode(), offer(sendonly="a=recvonly").encode(), b"v=0\r\n"],
    ),
    "whip-fragment": (whip_fragment, lambda: [_CANDIDATE.encode()]),
    "onvif-answer": (onvif_answer, _answers),
    "onvif-discovery": (
        onvif_discovery,
        lambda: [match(xaddrs="http://192.168.1.7:8899/x https://[fe80::1]/y", relates_to="u")],
    ),
    "settings-file": (settings_file, lambda: [_SETTINGS]),
    "rules-file": (rules_file, lambda: [json.dumps(dump_rules(YARD_RULES)).encode()]),
    "rtsp-messages": (
        rtsp_messages,
        lambda: [
            b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 4\r\n\r\nv=0\n"
            b"$\x00\x00\x0c\x80\x60\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01",
            b"RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\n\r\n",
        ],
    ),
    "playlist": (
        playlist,
        lambda: [
            b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n"
            b'#EXT-X-MAP:URI="i.mp4"\n#EXTINF:2.0,\na.ts\n#EXT-X-ENDLIST\n',
            b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900000\nbig.m3u8\n",
        ],
    ),
    "challenge": (
        challenge,
        lambda: [
            b'Digest realm="camera", nonce="ab", qop="auth", algorithm=SHA-256\nBasic realm="x"'
        ],
    ),
    "addresses": (
        addresses,
        lambda: [
            b"onvif://admin:pass%20word@[fd00::7]:8000/onvif/x?stream=main&source=1",
            b"usb:/dev/video0?size=640x480&fps=30&format=h264",
        ],
    ),
}
"""By name: what is tried, and the seeds to begin with."""
