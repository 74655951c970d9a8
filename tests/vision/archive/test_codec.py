"""Stored tracks to bytes and back: nothing is rounded, nothing broken is believed."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.street_life import street
from tests.fakes.track_archives import archive_of, recorded
from vision.archive.codec import Unreadable, encode_segment, read_segments
from vision.archive.columns import StoredTracks, merged

PARTS = archive_of(street(6, count=8, until_s=60.0)).parts
WHOLE = recorded(street(6, count=8, until_s=60.0))
CONTENT = encode_segment(WHOLE)


def as_lists(tracks: StoredTracks) -> dict[str, object]:
    values = {one.name: getattr(tracks, one.name) for one in fields(tracks)}
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 12))
def test_what_comes_back_is_what_went_in(seed: int, count: int) -> None:
    stored = recorded(street(seed, count=count, until_s=20.0))

    [back] = read_segments(encode_segment(stored))

    assert isinstance(back, StoredTracks)
    assert as_lists(back) == as_lists(stored)


def test_segments_follow_each_other() -> None:
    content = b"".join(map(encode_segment, PARTS))

    read = [one for one in read_segments(content) if isinstance(one, StoredTracks)]

    assert as_lists(merged(read)) == as_lists(WHOLE)


def test_parts_put_together_are_the_whole() -> None:
    first = [one for one in PARTS if one.points]

    assert len(PARTS) > 3
    assert sum(one.points for one in first) == WHOLE.points
    assert WHOLE.frames == sum(one.frames for one in PARTS)


@given(st.integers(0, len(CONTENT) - 1))
def test_a_file_that_ends_early_says_so(length: int) -> None:
    read = list(read_segments(CONTENT[:length]))

    assert len(read) == (1 if length else 0)
    assert all(isinstance(one, Unreadable) and "the file ends" in one.reason for one in read)


@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_no_flipped_bit_is_believed(at: int, mask: int) -> None:
    content = bytearray(CONTENT)
    content[at] ^= mask

    [found] = read_segments(bytes(content))

    assert isinstance(found, Unreadable)


@given(st.binary(max_size=300))
def test_anything_may_be_read(content: bytes) -> None:
    assert all(isinstance(one, Unreadable) for one in read_segments(content))


@pytest.mark.parametrize(
    "wrong",
    [
        replace(WHOLE, frames_N=WHOLE.frames_N + np.int32(10_000)),
        replace(WHOLE, tracks_N=WHOLE.tracks_N[::-1].copy()),
        replace(WHOLE, labels=()),
        replace(WHOLE, ended_K=WHOLE.ended_K + 10_000),
        replace(WHOLE, states_N=WHOLE.states_N + np.int16(100)),
    ],
    ids=["frames", "order", "labels", "ends", "states"],
)
def test_columns_that_do_not_fit_are_refused_whatever_the_checksum(wrong: StoredTracks) -> None:
    [found] = read_segments(encode_segment(wrong))

    assert isinstance(found, Unreadable)


def test_a_point_takes_few_bytes() -> None:
    assert len(CONTENT) / WHOLE.points < 25
