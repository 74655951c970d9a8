import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sources.rtsp_messages import Message, MessageTooLong, Splitter

ANSWER = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-Length: 4\r\n\r\nv=0\n"
REQUEST = b"OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n"
FRAME = b"$\x00\x00\x05RTSP/"


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


def test_garbage_between_packets_is_passed_on_and_what_follows_is_found() -> None:
    found = shape(parts(FRAME + b"\x17\xf0 lost \x00\x01" + FRAME + ANSWER))

    assert found == [FRAME + b"\x17\xf0 lost \x00\x01" + FRAME, "RTSP/1.0 200 OK"]


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
