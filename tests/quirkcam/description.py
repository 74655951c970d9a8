"""The SDP of a camera, tidy or not. Sources: RFC 8866; RFC 6184, 7798, 3640 for the parameters."""

import base64
from collections.abc import Sequence

from tests.quirkcam.media import Media
from tests.quirkcam.quirks import Quirks

CLOCK_HZ = 90_000
_VIDEO_TYPE = {"h264": 96, "hevc": 96, "mjpeg": 26}
_AUDIO = {"pcmu": (0, "PCMU/8000"), "pcma": (8, "PCMA/8000"), "aac": (97, "MPEG4-GENERIC/44100/1")}


def video_type(media: Media) -> int:
    """Return the RTP payload type of the picture."""
    return _VIDEO_TYPE[media.codec]


def audio_type(quirks: Quirks) -> int:
    """Return the RTP payload type of the sound."""
    return _AUDIO[quirks.audio][0]


def describe(media: Media, quirks: Quirks, *, host: str) -> str:
    """Return the SDP; controls are ``track1`` for the picture and ``track2`` for the sound."""
    lines = ["v=0"]
    if quirks.has_origin:
        lines.append(f"o=- 1 1 IN IP4 {host}")
    lines += ["s=quirkcam", f"c=IN IP4 {host}", "t=0 0", "a=control:*"]
    if quirks.odd_media:
        lines += ["m=application/TP-LINK 0 RTP/AVP smart/1/90000", "a=rtpmap:95 TP-LINK/90000"]
    lines += _section(
        f"m=video 0 RTP/AVP {video_type(media)}", _video(media, quirks), "track1", quirks
    )
    if quirks.audio != "none":
        kind, name = _AUDIO[quirks.audio]
        attributes = [f"a=rtpmap:{kind} {name}"]
        if quirks.audio == "aac":
            attributes.append(
                f"a=fmtp:{kind} streamtype=5;profile-level-id=1;mode=AAC-hbr;"
                "sizelength=13;indexlength=3;indexdeltalength=3;config=1208"
            )
        lines += _section(f"m=audio 0 RTP/AVP {kind}", attributes, "track2", quirks)
    space = "  " if quirks.trailing_spaces else ""
    return "".join(
        f"{line}{space if line.startswith(('a=rtpmap', 'a=fmtp')) else ''}\r\n" for line in lines
    )


def _section(media_line: str, attributes: list[str], control: str, quirks: Quirks) -> list[str]:
    tail = [f"a=control:{control}"]
    return (
        [media_line, *tail, *attributes]
        if quirks.control_first
        else [
            media_line,
            *attributes,
            *tail,
        ]
    )


def _video(media: Media, quirks: Quirks) -> list[str]:
    kind = video_type(media)
    lines = []
    if media.codec == "h264":
        lines.append(f"a=rtpmap:{kind} H264/{CLOCK_HZ}")
        profile = media.sets[0][1:4].hex()
        lines.append(
            f"a=fmtp:{kind} packetization-mode=1;profile-level-id={profile}"
            + (f";sprop-parameter-sets={_base64(media.sets)}" if quirks.has_sets_in_sdp else "")
        )
    elif media.codec == "hevc":
        lines.append(f"a=rtpmap:{kind} H265/{CLOCK_HZ}")
        if quirks.has_sets_in_sdp:
            vps, sps, pps = (_base64([nal]) for nal in media.sets)
            lines.append(f"a=fmtp:{kind} sprop-vps={vps};sprop-sps={sps};sprop-pps={pps}")
    else:
        lines.append(f"a=rtpmap:{kind} JPEG/{CLOCK_HZ}")
    if quirks.said_fps is not None:
        lines.append(f"a=framerate:{quirks.said_fps:g}")
    return lines


def _base64(nals: Sequence[bytes]) -> str:
    return ",".join(base64.b64encode(nal).decode() for nal in nals)
