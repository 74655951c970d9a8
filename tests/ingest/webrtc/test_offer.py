import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.webrtc.offer import read_fragment, read_offer, with_public_address
from ingest.webrtc.signals import SDP_BYTES_MAX, SignalRefused
from tests.ingest.webrtc.offers import FINGERPRINT, SECRET, VIDEO, offer, with_lines

AUDIO = tuple(
    line.replace("m=video 9 UDP/TLS/RTP/SAVPF 96 102", "m=audio 9 UDP/TLS/RTP/SAVPF 111")
    for line in VIDEO
    if not line.startswith(("a=rtpmap", "a=fmtp"))
)


def refusal(text: str, *, is_publisher: bool = True) -> SignalRefused:
    with pytest.raises(SignalRefused) as caught:
        read_offer(text, is_publisher=is_publisher)
    return caught.value


def test_an_offer_of_a_browser_is_taken_h264_first() -> None:
    read = read_offer(offer(), is_publisher=True)

    assert read.codecs == ("H264", "VP8")
    assert "a=candidate:1 1 udp 2113937151 192.0.2.9" in read.sdp


@pytest.mark.parametrize(
    ("text", "status", "problem"),
    [
        pytest.param("", 400, "sdp-malformed", id="nothing"),
        pytest.param("hello", 400, "sdp-malformed", id="no SDP"),
        pytest.param('{"sdp": "v=0"}', 400, "sdp-malformed", id="JSON"),
        pytest.param("v=0\r\nx", 400, "sdp-malformed", id="a line without a value"),
        pytest.param("v=0\r\na=\x00", 400, "sdp-malformed", id="a control character"),
        pytest.param("v=0\r\nm=video", 400, "sdp-malformed", id="a media line cut off"),
        pytest.param("v=0\r\n", 422, "no-video", id="no section"),
        pytest.param("v=0\r\n" + "a=x\r\n" * 3000, 400, "sdp-malformed", id="too many lines"),
        pytest.param("v=0" + "x" * SDP_BYTES_MAX, 413, "body-too-large", id="too long"),
        pytest.param(offer(ice_pwd=""), 400, "sdp-malformed", id="no ICE password"),
        pytest.param(offer(ice_ufrag="a=ice-ufrag:a b"), 400, "sdp-malformed", id="odd ICE user"),
        pytest.param(offer(fingerprint=""), 400, "sdp-malformed", id="no fingerprint"),
        pytest.param(
            offer(fingerprint="a=fingerprint:md5 AB:CD"), 400, "sdp-malformed", id="a weak hash"
        ),
        pytest.param(offer(mid=""), 400, "sdp-malformed", id="no mid"),
        pytest.param(offer(rtcp_mux=""), 422, "offer-not-usable", id="no rtcp-mux"),
        pytest.param(
            offer().replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
            422,
            "offer-not-usable",
            id="not encrypted",
        ),
        pytest.param(offer(sendonly="a=recvonly"), 422, "no-video", id="it only receives"),
        pytest.param(offer(sendonly="a=inactive"), 422, "no-video", id="it does nothing"),
        pytest.param(
            offer().replace("m=video", "m=audio"), 422, "no-video", id="sound without video"
        ),
        pytest.param(with_lines(*VIDEO), 422, "offer-not-usable", id="two videos"),
        pytest.param(with_lines(*AUDIO, *AUDIO), 422, "offer-not-usable", id="two sounds"),
        pytest.param(
            with_lines("m=application 9 UDP/DTLS/SCTP webrtc-datachannel"),
            422,
            "offer-not-usable",
            id="a data channel",
        ),
        pytest.param(
            offer().replace("VP8", "AV1").replace("mode=1", "mode=0"),
            422,
            "codec-not-supported",
            id="codecs that are not taken",
        ),
        pytest.param(
            with_lines("a=candidate:what is this"), 400, "sdp-malformed", id="an odd candidate"
        ),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_reason(
    text: str, status: int, problem: str
) -> None:
    refused = refusal(text)

    assert (refused.answer.status, refused.answer.problem) == (status, problem)
    assert SECRET not in refused.answer.detail


def test_a_viewer_must_want_to_receive() -> None:
    assert refusal(offer(), is_publisher=False).answer.problem == "no-video"
    assert read_offer(offer(sendonly="a=recvonly"), is_publisher=False).codecs
    assert read_offer(offer(sendonly=""), is_publisher=False).codecs, "sendrecv is the default"


def test_sound_beside_the_video_is_allowed() -> None:
    assert read_offer(with_lines(*AUDIO), is_publisher=True).codecs == ("H264", "VP8")


def test_credentials_may_stand_in_the_session_part() -> None:
    text = offer(ice_ufrag="", ice_pwd="", fingerprint="").replace(
        "t=0 0\r\n",
        "t=0 0\r\na=ice-ufrag:vQas\r\n"
        f"a=ice-pwd:{SECRET}\r\na=fingerprint:sha-256 {FINGERPRINT}\r\n",
    )

    assert read_offer(text, is_publisher=True).codecs


def test_profiles_that_nobody_decodes_here_are_not_taken() -> None:
    high = offer().replace("42e01f", "640c1f").replace("a=rtpmap:96 VP8", "a=rtpmap:96 VP9")

    assert refusal(high).answer.problem == "codec-not-supported"


@pytest.mark.parametrize(
    "candidate",
    [
        "a=candidate:2 1 udp 2113937151 cb710594-de2e-4b3f.local 40522 typ host",
        "a=candidate:2 1 tcp 1518280447 192.0.2.9 9 typ host tcptype active",
        "a=candidate:2 1 udp 2113937151 224.0.0.1 40522 typ host",
        "a=candidate:2 1 udp 2113937151 0.0.0.0 40522 typ host",
        "a=candidate:2 1 udp 2113937151 media.example.com 40522 typ host",
    ],
)
def test_a_candidate_that_would_be_looked_up_or_cannot_be_reached_is_left_out(
    candidate: str,
) -> None:
    read = read_offer(with_lines(candidate, "a=end-of-candidates"), is_publisher=True)

    assert candidate not in read.sdp
    assert "end-of-candidates" not in read.sdp
    assert read.sdp.count("a=candidate") == 1


def test_no_more_candidates_are_tried_than_a_peer_can_have() -> None:
    many = [f"a=candidate:{n} 1 udp 1 192.0.2.{n % 200 + 1} 4000 typ host" for n in range(200)]

    assert read_offer(with_lines(*many), is_publisher=True).sdp.count("a=candidate") == 32


def test_a_fragment_gives_its_candidates() -> None:
    text = (
        "a=ice-ufrag:vQas\r\na=ice-pwd:x\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
        "a=candidate:1 1 udp 1 192.0.2.9 4000 typ host\r\na=end-of-candidates\r\n"
    )

    assert read_fragment(text) == ("candidate:1 1 udp 1 192.0.2.9 4000 typ host",)
    with pytest.raises(SignalRefused):
        read_fragment("v=0")


def test_the_public_address_is_offered_beside_the_own() -> None:
    answer = (
        "v=0\r\na=candidate:ab 1 udp 2130706431 10.0.0.2 4000 typ host\r\n"
        "a=candidate:ac 1 udp 2130706431 fd00::2 4001 typ host\r\n"
    )

    lines = with_public_address(answer, "203.0.113.7").splitlines()

    assert "a=candidate:ab1 1 udp 2130706431 203.0.113.7 4000 typ host" in lines
    assert len(lines) == 4
    assert with_public_address(answer, "") == answer


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_a_spoilt_offer_is_taken_or_refused_and_nothing_else(seed: int, changes: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # a test's
    text = with_lines(*AUDIO)
    for _ in range(changes):
        at = chance.randrange(len(text))
        piece = chance.choice(
            ["", "\r\n", "a=", " ", ":", "m=video", "\x00", chr(chance.randrange(0x3FF))]
        )
        text = text[:at] + piece + text[at + chance.randrange(8) :]
    with suppress(SignalRefused):
        assert read_offer(text, is_publisher=chance.random() < 0.5).codecs


SOUND = (
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 0",
    "a=ice-ufrag:vQas",
    f"a=ice-pwd:{SECRET}",
    f"a=fingerprint:sha-256 {FINGERPRINT}",
    "a=setup:actpass",
    "a=mid:1",
    "a=rtcp-mux",
    "a=rtpmap:0 PCMU/8000",
)
OPUS = "a=rtpmap:111 opus/48000/2"


@pytest.mark.parametrize(
    ("audio", "has_sound"),
    [
        pytest.param((*SOUND, OPUS, "a=sendonly"), True, id="it would send Opus"),
        pytest.param((*SOUND, OPUS), True, id="no direction is both"),
        pytest.param((*SOUND, "a=rtpmap:111 OPUS/48000/2"), True, id="names have no case"),
        pytest.param((*SOUND, OPUS, "a=recvonly"), False, id="it would hear, not send"),
        pytest.param((*SOUND, OPUS, "a=inactive"), False, id="it would neither"),
        pytest.param(SOUND, False, id="G.711 alone cannot be kept"),
        pytest.param((), False, id="no sound at all"),
    ],
)
def test_sound_is_what_could_be_kept_of_it(audio: tuple[str, ...], has_sound: bool) -> None:
    assert read_offer(with_lines(*audio), is_publisher=True).has_sound is has_sound
