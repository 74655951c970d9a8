from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.clips import make_clip
from ingest.recorder.boxes import whole_length
from tests.fakes.clips import walker_path
from tests.ingest.recorder.stretches import footage_of


def box(kind: str, size: int = 16) -> bytes:
    return size.to_bytes(4, "big") + kind.encode() + bytes(size - 8)


HEAD = box("ftyp") + box("moov")
FRAGMENT = box("moof") + box("mdat", 40)


def test_a_whole_file_is_whole() -> None:
    content = make_clip(footage_of(walker_path()))

    assert whole_length(BytesIO(content)) == len(content)


@given(cut=st.integers(0, len(HEAD + FRAGMENT * 3)))
def test_a_torn_fragment_is_left_out(cut: int) -> None:
    content = (HEAD + FRAGMENT * 3)[:cut]

    fragments = max(0, cut - len(HEAD)) // len(FRAGMENT)
    wanted = len(HEAD) + fragments * len(FRAGMENT) if fragments else 0
    assert whole_length(BytesIO(content)) == wanted


@pytest.mark.parametrize(
    "content",
    [
        b"",
        HEAD,
        box("ftyp") + FRAGMENT,  # nothing says what it is
        HEAD + box("mdat"),
        b"\0\0\0\4moov" + FRAGMENT,
        b"not an MP4 at all, but long enough",
    ],
)
def test_what_does_not_play_has_no_length(content: bytes) -> None:
    assert whole_length(BytesIO(content)) == 0


def test_sizes_of_64_bits_are_understood() -> None:
    large = (1).to_bytes(4, "big") + b"mdat" + (32).to_bytes(8, "big") + bytes(16)

    content = HEAD + box("moof") + large

    assert whole_length(BytesIO(content)) == len(content)
    assert whole_length(BytesIO(content[:-1])) == 0


@given(st.binary(max_size=200))
def test_no_bytes_confuse_it(content: bytes) -> None:
    assert 0 <= whole_length(BytesIO(content)) <= len(content)
