"""What of a peer's SDP is taken, before any code that opens sockets sees it. Pure.

Source: RFC 8866 (SDP), RFC 9725 (WHIP), RFC 8839 (ICE in SDP), RFC 8842 (DTLS in SDP).
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aiortc.sdp import H264Profile, parse_h264_profile_level_id

from ingest.webrtc.signals import SDP_BYTES_MAX, SignalRefused

CODECS: Final = ("H264", "VP8")
"""What is taken and given, the better first: only H.264 can be kept in MP4 clips."""
_H264_PROFILES: Final = (H264Profile.PROFILE_BASELINE, H264Profile.PROFILE_CONSTRAINED_BASELINE)
"""All that aiortc negotiates."""
_SENDING: Final = ("sendonly", "sendrecv")
_OPUS: Final = re.compile(r"a=rtpmap:\d+ opus/48000/2", re.I)
_SECTIONS_MAX: Final = 4
_CANDIDATES_MAX: Final = 32
_LINES_MAX: Final = 2_000
_LINE: Final = re.compile(r"[a-z]=[^\x00-\x1f\x7f]*")
_CANDIDATE: Final = re.compile(
    r"candidate:[A-Za-z0-9+/]{1,32} [1-9]\d{0,2} (?P<transport>[A-Za-z]+) \d{1,10} "
    r"(?P<host>[0-9A-Fa-f.:]+|[A-Za-z0-9.-]+) \d{1,5} typ [a-z]+( [\x21-\x7e]+)*"
)
_FINGERPRINT: Final = re.compile(r"sha-(256|384|512) ([0-9A-F]{2}:){31,63}[0-9A-F]{2}", re.I)
_CREDENTIAL: Final = re.compile(r"[A-Za-z0-9+/]{4,256}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An offer that can be answered.

    Attributes:
        sdp: With the candidates that are of use.
        codecs: Of ``CODECS``, those that the peer can do.
        has_sound: Whether it would send sound that can be kept: Opus.
    """

    sdp: str
    codecs: tuple[str, ...]
    has_sound: bool = False


def read_offer(text: str, *, is_publisher: bool) -> Offer:
    """Return the offer, or say what is wrong with it.

    Candidates that hide behind an mDNS name are left out: looking them up would send multicast
    into the network, and the peer is found by its own checks all the same.

    Args:
        text: As it came.
        is_publisher: Whether the peer wants to send video, rather than receive it.

    Raises:
        SignalRefused: 400 it is not SDP, 413 too long, 422 nothing that can be answered.
    """
    lines = _lines(text)
    session, sections = _split(lines)
    if len(sections) > _SECTIONS_MAX:
        raise _unfit(f"has {len(sections)} media sections; wanted: one video, and one audio if any")
    kinds = [section[0][2:].split(" ")[0] for section in sections]
    strange = sorted(set(kinds) - {"audio", "video"})
    if strange:
        raise _unfit(f"has a section of kind {strange[0][:20]!r}; wanted: video, and audio if any")
    if kinds.count("video") != 1:
        raise SignalRefused(
            422,
            "no-video" if "video" not in kinds else "offer-not-usable",
            f"the offer has {kinds.count('video')} video sections; wanted: one",
        )
    if kinds.count("audio") > 1:
        raise _unfit(f"has {kinds.count('audio')} audio sections; wanted: one at most")
    video = sections[kinds.index("video")]
    _check_direction(session + video, is_publisher=is_publisher)
    for section in sections:
        _check_security(session, section)
    codecs = _codecs(video)
    if not codecs:
        raise SignalRefused(
            422,
            "codec-not-supported",
            "the offer has no video codec that Vigil takes; wanted: H.264 (baseline or constrained "
            "baseline, packetization-mode=1) or VP8",
        )
    audio = sections[kinds.index("audio")] if "audio" in kinds else []
    return Offer(
        sdp="\r\n".join(_useful(lines)) + "\r\n",
        codecs=codecs,
        has_sound=_direction(session + audio) in _SENDING and any(map(_OPUS.fullmatch, audio)),
    )


def read_fragment(text: str) -> tuple[str, ...]:
    """Return the candidates of a trickle SDP fragment that can be of use.

    Source: RFC 8840, 9; RFC 9725, 4.3.2.

    Raises:
        SignalRefused: 400 it is none, 413 too long.
    """
    lines = _lines(text, begins="a=")
    return tuple(line[2:] for line in _useful(lines) if line.startswith("a=candidate:"))


def with_public_address(sdp: str, address: str) -> str:
    """Return an answer that offers each of its IPv4 host candidates at ``address`` as well."""
    found: list[str] = []
    for line in sdp.splitlines():
        found.append(line)
        parts = line.split(" ")
        if (
            line.startswith("a=candidate:")
            and parts[6:8] == ["typ", "host"]
            and ":" not in parts[4]
        ):
            foundation = f"{parts[0]}1"
            found.append(" ".join((foundation, *parts[1:4], address, *parts[5:])))
    return "\r\n".join(dict.fromkeys(found)) + "\r\n" if address else sdp


def without_secrets(sdp: str) -> str:
    """Return an SDP that may be logged: no ICE password, no user name, no fingerprint."""
    return re.sub(r"(?m)^(a=(?:ice-pwd|ice-ufrag|fingerprint)):.*$", r"\1:***", sdp)


def _lines(text: str, *, begins: str = "v=0") -> list[str]:
    if len(text.encode(errors="replace")) > SDP_BYTES_MAX:
        raise SignalRefused(413, "body-too-large", f"an SDP may have at most {SDP_BYTES_MAX} bytes")
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if not lines[0].startswith(begins) or len(lines) > _LINES_MAX:
        raise _malformed(f"it begins with no {begins!r} or has more than {_LINES_MAX} lines")
    for number, line in enumerate(lines, start=1):
        if not _LINE.fullmatch(line):
            raise _malformed(f"line {number} is not of the form <letter>=<value>")
    return lines


def _split(lines: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Return the session's lines, and those of each media section."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            if len(line[2:].split(" ")) < 4:
                raise _malformed("a line m= lacks port, protocol or formats")
            parts.append([])
        parts[-1].append(line)
    return parts[0], parts[1:]


def _check_direction(lines: Sequence[str], *, is_publisher: bool) -> None:
    direction = _direction(lines)
    wanted = "sendonly" if is_publisher else "recvonly"
    if direction not in (wanted, "sendrecv"):
        raise SignalRefused(
            422, "no-video", f"the offer's video is {direction}; wanted: {wanted} or sendrecv"
        )


def _direction(lines: Sequence[str]) -> str:
    known = {"a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"}
    return next((line[2:] for line in reversed(lines) if line in known), "sendrecv")


def _check_security(session: Sequence[str], section: Sequence[str]) -> None:
    """See that the section has what ICE and DTLS need: without it nothing would be encrypted."""
    lines = [*session, *section]
    for name, form in (
        ("ice-ufrag", _CREDENTIAL),
        ("ice-pwd", _CREDENTIAL),
        ("fingerprint", _FINGERPRINT),
    ):
        values = [line.partition(":")[2].strip() for line in lines if line.startswith(f"a={name}:")]
        if not values or not all(form.fullmatch(value) for value in values):
            raise _malformed(f"a={name} lacks or has another form than its RFC says")
    if "UDP/TLS/RTP/SAVP" not in section[0] or "a=rtcp-mux" not in section:
        raise _unfit("wants media without DTLS-SRTP or without rtcp-mux")
    if not any(line.startswith("a=mid:") for line in section):
        raise _malformed("a=mid lacks in a media section")


def _codecs(video: Sequence[str]) -> tuple[str, ...]:
    names: dict[str, str] = {}
    parameters: dict[str, str] = {}
    for line in video:
        number, _, value = line.partition(":")[2].partition(" ")
        if line.startswith("a=rtpmap:"):
            names[number] = value.split("/")[0].upper()
        elif line.startswith("a=fmtp:"):
            parameters[number] = value.lower().replace(" ", "")
    found = {
        name
        for number, name in names.items()
        if name == "VP8" or (name == "H264" and _is_taken(parameters.get(number, "")))
    }
    return tuple(name for name in CODECS if name in found)


def _is_taken(parameters: str) -> bool:
    values = dict(part.partition("=")[::2] for part in parameters.split(";") if part)
    try:
        profile, _ = parse_h264_profile_level_id(values.get("profile-level-id", "42e01f"))
    except ValueError:
        return False
    return values.get("packetization-mode") == "1" and profile in _H264_PROFILES


def _useful(lines: Sequence[str]) -> Iterator[str]:
    """Leave out candidates that cannot or must not be tried, and the word that there are no more.

    A browser without the right to the camera hides all its candidates: "no more" would then end
    the connection before its checks have arrived.
    """
    candidates = 0
    for line in lines:
        if line == "a=end-of-candidates":
            continue
        if not line.startswith("a=candidate:"):
            yield line
            continue
        match = _CANDIDATE.fullmatch(line[2:])
        if match is None:
            raise _malformed("a line a=candidate has another form than RFC 8839 says")
        if match["transport"].lower() == "udp" and _is_address(match["host"]):
            candidates += 1
            if candidates <= _CANDIDATES_MAX:
                yield line


def _is_address(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return not (address.is_multicast or address.is_unspecified)


def _malformed(what: str) -> SignalRefused:
    return SignalRefused(400, "sdp-malformed", f"this is no SDP that can be read: {what}")


def _unfit(what: str) -> SignalRefused:
    return SignalRefused(422, "offer-not-usable", f"the offer {what}")
