"""Stored tracks to bytes and back: columns as differences, each as narrow as it can be, deflated.

A file is any number of segments. Each says how long it is and carries a checksum, so that a file
whose end was never written still gives what lies before. Nothing is rounded here.

Layout of a segment: ``VTS1``, length of the body (u32), CRC-32 of the body (u32), body. Of a body:
length of its head (u32), head (JSON), deflated columns one after the other.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from contracts.codec import CodecError, decode, encode
from vision.archive.columns import STATES, FloatArray, IntArray, SmallArray, StoredTracks

MAGIC: Final = b"VTS1"
_FRAME: Final = struct.Struct("<4sII")
_LENGTH: Final = struct.Struct("<I")
_MICRO: Final = 1e6
_WIDTHS: Final = (1, 2, 4, 8)
_LARGEST: Final = 1 << 30
"""Bytes that one segment may unfold to; more is no segment of ours."""
_POINT_COLUMNS: Final = 13
"""Tracks, frames, four edges, confidences, states with sight, labels, four postures."""


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    """What stands before the columns.

    Attributes:
        rows: Number of frames, tracks and points.
        widths: Bytes of a value of each column.
    """

    camera: str
    run: str
    sitting: int
    names: tuple[str, ...]
    labels: tuple[str, ...]
    rows: tuple[int, int, int]
    widths: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Where a file stops being readable, and why."""

    offset: int
    reason: str


def encode_segment(tracks: StoredTracks, *, level: int = 6) -> bytes:
    """Return the bytes of one segment."""
    packed = [_packed(column) for column in _columns(tracks)]
    head = _Head(
        camera=tracks.camera_id,
        run=tracks.run_id,
        sitting=tracks.sitting,
        names=tracks.names,
        labels=tracks.labels,
        rows=(tracks.frames, len(tracks.names), tracks.points),
        widths=tuple(width for width, _ in packed),
    )
    top = encode(head)
    columns = zlib.compress(b"".join(content for _, content in packed), level)
    body = _LENGTH.pack(len(top)) + top + columns
    return _FRAME.pack(MAGIC, len(body), zlib.crc32(body)) + body


def read_segments(content: bytes) -> Iterator[StoredTracks | Unreadable]:
    """Yield the segments of a file in order; last, if it does not end well, where it stops."""
    offset = 0
    while offset < len(content):
        try:
            body = _body_at(content, offset)
            tracks = _decoded(body)
        except CodecError as error:
            yield Unreadable(offset=offset, reason=str(error))
            return
        yield tracks
        offset += _FRAME.size + len(body)


def _body_at(content: bytes, offset: int) -> bytes:
    if len(content) - offset < _FRAME.size:
        raise CodecError("the file ends within the head of a segment")
    magic, length, checksum = _FRAME.unpack_from(content, offset)
    if magic != MAGIC:
        raise CodecError("this is no segment of tracks")
    body = content[offset + _FRAME.size : offset + _FRAME.size + length]
    if len(body) < length:
        raise CodecError(f"the file ends {length - len(body)} bytes before the segment does")
    if zlib.crc32(body) != checksum:
        raise CodecError("its checksum does not fit")
    return body


def _decoded(body: bytes) -> StoredTracks:
    """Return the columns of a body.

    Raises:
        CodecError: It is not what ``encode_segment`` makes, whatever its checksum says.
    """
    try:
        [length] = _LENGTH.unpack_from(body)
        head = decode(body[_LENGTH.size : _LENGTH.size + length], _Head)
        sizes = _sizes(head)
        wanted = sum(count * width for count, width in zip(sizes, head.widths, strict=True))
        if wanted > _LARGEST or min(sizes) < 0 or not {*head.widths} <= {*_WIDTHS}:
            raise CodecError("its head promises what no segment holds")
        unfolder = zlib.decompressobj()
        content = unfolder.decompress(body[_LENGTH.size + length :], wanted + 1)
        if len(content) != wanted:
            raise CodecError(f"its columns have {len(content)} bytes, wanted {wanted}")
        columns: list[IntArray] = []
        start = 0
        for count, width in zip(sizes, head.widths, strict=True):
            columns.append(_unpacked(content[start : start + count * width], width))
            start += count * width
        return _checked(_assembled(head, columns))
    except (struct.error, zlib.error, ValueError, IndexError) as error:
        raise CodecError(f"its columns cannot be read ({error})") from error


def _sizes(head: _Head) -> list[int]:
    frames, tracks, points = head.rows
    if len(head.names) != tracks or len(head.widths) != 6 + 7 + _POINT_COLUMNS:
        raise CodecError("its head does not fit its columns")
    return [frames] * 6 + [tracks] * 7 + [points] * _POINT_COLUMNS


def _columns(tracks: StoredTracks) -> list[npt.NDArray[Any]]:
    """Return all columns as whole numbers, in the order in which they are kept."""
    stream_F, rest_F = _split(tracks.stream_F)
    first_K, first_rest_K = _split(tracks.first_stream_K)
    return [
        tracks.seqs_F,
        stream_F,
        rest_F,
        tracks.captured_F - stream_F,
        *tracks.sizes_F2.T,
        tracks.first_captured_K,
        first_K,
        first_rest_K,
        *tracks.base_K3.T,
        tracks.ended_K,
        tracks.tracks_N,
        tracks.frames_N,
        *tracks.boxes_N4.T,
        tracks.confidences_N,
        2 * tracks.states_N + tracks.is_observed_N,
        tracks.labels_N,
        *tracks.postures_N4.T,
    ]


def _assembled(head: _Head, columns: Sequence[IntArray]) -> StoredTracks:
    seqs_F, stream_F, rest_F, shift_F, width_F, height_F = columns[:6]
    first_captured_K, first_K, first_rest_K, hits_K, misses_K, since_K, ended_K = columns[6:13]
    tracks_N, frames_N, x1_N, y1_N, x2_N, y2_N, confidences_N, seen_N, labels_N = columns[13:22]
    return StoredTracks(
        camera_id=head.camera,
        run_id=head.run,
        sitting=head.sitting,
        seqs_F=seqs_F,
        stream_F=_whole(stream_F, rest_F),
        captured_F=shift_F + stream_F,
        sizes_F2=np.stack([width_F, height_F], axis=1),
        names=head.names,
        labels=head.labels,
        first_captured_K=first_captured_K,
        first_stream_K=_whole(first_K, first_rest_K),
        base_K3=np.stack([hits_K, misses_K, since_K], axis=1),
        ended_K=ended_K,
        frames_N=frames_N.astype(np.int32),
        tracks_N=tracks_N.astype(np.int32),
        boxes_N4=_small([x1_N, y1_N, x2_N, y2_N]),
        confidences_N=confidences_N.astype(np.int16),
        states_N=(seen_N >> 1).astype(np.int16),
        is_observed_N=(seen_N & 1).astype(np.bool_),
        labels_N=labels_N.astype(np.int16),
        postures_N4=_small(columns[22:]),
    )


def _small(columns: Sequence[IntArray]) -> SmallArray:
    return np.stack([column.astype(np.int16) for column in columns], axis=1)


def _checked(tracks: StoredTracks) -> StoredTracks:
    """Refuse indices that lead nowhere and points out of order."""
    bounds = (
        (tracks.tracks_N, len(tracks.names)),
        (tracks.frames_N, tracks.frames),
        (tracks.labels_N, len(tracks.labels)),
        (tracks.states_N, len(STATES)),
    )
    is_within = all(
        len(column) == 0 or (column.min() >= 0 and column.max() < bound) for column, bound in bounds
    )
    steps_N = np.diff(tracks.tracks_N)
    is_in_order = (
        not (steps_N < 0).any() and not ((steps_N == 0) & (np.diff(tracks.frames_N) <= 0)).any()
    )
    ended_K = tracks.ended_K
    is_ended_here = len(ended_K) == 0 or (ended_K.min() >= -1 and ended_K.max() < tracks.frames)
    if not (tracks.frames and is_within and is_in_order and is_ended_here):
        raise CodecError("its points do not fit its frames and tracks")
    return tracks


def _packed(column: npt.NDArray[Any]) -> tuple[int, bytes]:
    """Return the bytes that a value takes, and the differences, byte planes one after another."""
    whole: IntArray = column.astype(np.int64)
    steps = np.diff(whole, prepend=np.int64(0))
    folded = ((steps << 1) ^ (steps >> 63)).view(np.uint64)
    largest = int(folded.max()) if len(folded) else 0
    width = next(width for width in _WIDTHS if largest < 1 << (8 * width))
    narrow = folded.astype(f"<u{width}")
    return width, narrow.view(np.uint8).reshape(-1, width).T.tobytes()


def _unpacked(content: bytes, width: int) -> IntArray:
    planes = np.frombuffer(content, np.uint8).reshape(width, -1)
    narrow = np.ascontiguousarray(planes.T).view(f"<u{width}").reshape(-1)
    folded = narrow.astype(np.uint64)
    steps = (folded >> np.uint64(1)).view(np.int64) ^ -(folded & np.uint64(1)).view(np.int64)
    return np.asarray(np.cumsum(steps), np.int64)


def _split(seconds: FloatArray) -> tuple[IntArray, IntArray]:
    """Return microseconds, and what is left in steps of the last binary place: small and exact."""
    seconds = np.ascontiguousarray(seconds, np.float64)
    micros = np.rint(np.nan_to_num(seconds) * _MICRO).astype(np.int64)
    nearest = micros / _MICRO
    return micros, seconds.view(np.int64) - nearest.view(np.int64)


def _whole(micros: IntArray, rest: IntArray) -> FloatArray:
    return ((micros / _MICRO).view(np.int64) + rest).view(np.float64)
