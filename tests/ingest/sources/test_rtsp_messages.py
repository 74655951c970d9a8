import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sources.rtsp_messages import Message, MessageTooLong, Splitter

ANSWER = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-Length: 4\r\n\r\nv=0\n"
REQUEST = b"OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n"
FRAME = b"$\x00\x00\x06\x80RTSP/"
"""RTP, by its first bits."""
BROKEN_OFF = b"$\x00\x04\xb0" + bytes(600)
"""The half of a packet, 1200 bytes long by its own account."""


def parts(*chunks: bytes) -> list[Message | bytes]:
    splitter = Splitter()
    return [part for chunk in chunks for part in splitter.feed(chunk)]


def shape(found: list[Message | bytes]) -> list[str | bytes]:
    """Messages by their first line; media joined, however it was cut."""
    shaped: list[str | bytes] = []
    for part in found:
        if isinstance(part, Message):
            shaped.append(part.start)
        elif shaped and isinstance(shaped[-1], bytes):
            shaped[-1] += part
        else:
            shaped.append(part)
    return shaped


def test_an_answer_with_its_body() -> None:
    [answer] = parts(ANSWER)

    assert isinstance(answer, Message)
    assert (answer.status, answer.value("cseq"), answer.body) == (200, "3", b"v=0\n")
    assert answer.encode() == ANSWER


def test_media_between_messages_is_passed_on_whole() -> None:
    assert shape(parts(FRAME + ANSWER + FRAME + FRAME + REQUEST)) == [
        FRAME,
        "RTSP/1.0 200 OK",
        FRAME + FRAME,
        "OPTIONS * RTSP/1.0",
    ]


def packet(number: int, *, size: int = 400, first: int = 0x80) -> bytes:
    """Interleaved RTP that is full of dollar signs."""
    content = (bytes([first, 96, 0, number]) + b"$\x00\x01$\x00\x00" * size)[:size]
    return b"$\x00" + len(content).to_bytes(2, "big") + content


def test_garbage_between_packets_is_left_out_and_what_follows_is_found() -> None:
    found = shape(parts(FRAME + b"\x17\xf0 lost \x00\x01" + FRAME + ANSWER))

    assert found == [FRAME + FRAME, "RTSP/1.0 200 OK"]


@pytest.mark.parametrize("half", [BROKEN_OFF, packet(99, size=1200)[:604]], ids=["zeros", "RTP"])
def test_a_packet_that_breaks_off_takes_no_other_along(half: bytes) -> None:
    before, after = packet(1), b"".join(packet(number) for number in range(2, 9))

    found = shape(parts(before + half + bytes(range(1, 36)) * 3 + after))

    assert found == [before + after]


@given(cuts=st.lists(st.integers(1, 900), max_size=12))
def test_after_a_packet_that_breaks_off_all_is_well_again_however_it_comes(cuts: list[int]) -> None:
    after = [packet(number) for number in range(2, 14)]
    whole = packet(1) + BROKEN_OFF + bytes(range(1, 36)) * 3 + b"".join(after)
    chunks, at = [], 0
    for cut in [*cuts, len(whole)]:
        chunks.append(whole[at : at + cut])
        at += cut

    [found] = shape(parts(*chunks))

    assert isinstance(found, bytes)
    assert found.startswith(packet(1))
    assert found.endswith(b"".join(after[2:]))


def test_an_answer_after_garbage_is_found() -> None:
    assert shape(parts(b"\x00\x17" + ANSWER)) == ["RTSP/1.0 200 OK"]


def test_packets_that_are_no_rtp_are_passed_on_where_others_follow() -> None:
    odd = packet(1, first=0x10)

    assert shape(parts(odd + packet(2) + odd + ANSWER)) == [
        odd + packet(2) + odd,
        "RTSP/1.0 200 OK",
    ]


def test_a_whole_packet_is_not_held_back() -> None:
    assert parts(packet(1)) == [packet(1)]


def test_line_ends_before_an_answer_do_no_harm() -> None:
    assert shape(parts(b"\r\n\r\n" + ANSWER))[-1] == "RTSP/1.0 200 OK"


@given(cuts=st.lists(st.integers(1, 30), max_size=30))
def test_it_does_not_matter_how_the_bytes_come(cuts: list[int]) -> None:
    whole = ANSWER + FRAME + REQUEST + FRAME * 3 + ANSWER
    chunks, at = [], 0
    for cut in cuts:
        chunks.append(whole[at : at + cut])
        at += cut
    chunks.append(whole[at:])

    assert shape(parts(*chunks)) == shape(parts(whole))


@given(st.binary(max_size=3000))
def test_whatever_comes_nothing_breaks_and_nothing_is_doubled(noise: bytes) -> None:
    try:
        found = parts(noise)
    except MessageTooLong:
        return
    assert sum(len(p) for p in found if isinstance(p, bytes)) <= len(noise)


@pytest.mark.parametrize(
    "flood",
    [
        b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 9000,
        b"RTSP/1.0 200 OK\r\nContent-Length: 999999\r\n\r\n",
    ],
    ids=["a head without end", "a body that nobody needs"],
)
def test_floods_end_the_connection(flood: bytes) -> None:
    with pytest.raises(MessageTooLong):
        parts(flood)
