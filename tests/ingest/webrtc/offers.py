"""An SDP offer as a browser makes it, for tests to spoil."""

from typing import Final

FINGERPRINT: Final = ":".join(["AB"] * 32)
SECRET: Final = "vErYsEcReTiCePaSsWoRd123"  # noqa: S105  # a test's
"""The ICE password of the offer."""

VIDEO: Final = (
    "m=video 9 UDP/TLS/RTP/SAVPF 96 102",
    "c=IN IP4 0.0.0.0",
    "a=rtcp:9 IN IP4 0.0.0.0",
    "a=candidate:1 1 udp 2113937151 192.0.2.9 40522 typ host generation 0 network-cost 999",
    "a=ice-ufrag:vQas",
    f"a=ice-pwd:{SECRET}",
    f"a=fingerprint:sha-256 {FINGERPRINT}",
    "a=setup:actpass",
    "a=mid:0",
    "a=sendonly",
    "a=rtcp-mux",
    "a=rtpmap:96 VP8/90000",
    "a=rtpmap:102 H264/90000",
    "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
)
SESSION: Final = (
    "v=0",
    "o=- 4192107663331884417 2 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0",
)


def offer(**replaced: str) -> str:
    """The offer; each key names the beginning of a line (``_`` for ``:``) and what stands there.

    An empty value leaves the line out.
    """
    lines: list[str] = []
    for line in (*SESSION, *VIDEO):
        name = line.partition(":")[0].removeprefix("a=").replace("-", "_")
        wanted = replaced.get(name, line)
        if wanted:
            lines.append(wanted)
    return "\r\n".join(lines) + "\r\n"


def with_lines(*more: str) -> str:
    """The offer with further lines at its end."""
    return offer() + "".join(f"{line}\r\n" for line in more)
