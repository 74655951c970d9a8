"""The corpus of the reasoning core: incidents as vision would report them, with what is true.

A corpus is a folder of shards. A shard is compressed MessagePack: a list of records, one for each
revision of each incident. Ways are kept as columns of whole numbers, which compress well and give
back exactly what was put in.

Shape legend: N = points of a track, 4 = x1, y1, x2, y2.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from contracts import codec
from contracts.errors import ConfigError, VigilError
from contracts.incidents import Incident
from contracts.tracks import Track, TrackPoint
from moe_core.training.world.truth import GRID, Truth

SUFFIX: Final = ".shard"
_LEVEL: Final = 6
_MICROSECOND: Final = timedelta(microseconds=1)


class CorpusError(VigilError):
    """A shard is not what a reader expects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One revision of an incident, and what is true of it."""

    incident: Incident
    truth: Truth


class _Points(msgspec.Struct, array_like=True, frozen=True):
    """A track's points: columns, each point less the one before it."""

    count: int
    seqs: bytes
    times: bytes
    moments: bytes
    boxes: bytes
    is_exact: bool
    confidences: bytes
    observed: bytes
    postures: list[tuple[float, ...]]


class _Record(msgspec.Struct, array_like=True, frozen=True):
    """One sample: what its points are taken out of, and the points."""

    incident: bytes
    truth: bytes
    points: list[_Points]
    true_points: list[_Points]


def write_shard(path: Path, samples: Iterable[Sample]) -> int:
    """Write a shard, whole or not at all; return its size in bytes."""
    records = [_packed(sample) for sample in samples]
    content = zlib.compress(msgspec.msgpack.encode(records), _LEVEL)
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)
    return len(content)


def read_shard(path: Path) -> Iterator[Sample]:
    """Yield the samples of one shard, in the order in which they were written.

    Raises:
        CorpusError: It is damaged, or no shard.
    """
    try:
        content = zlib.decompress(path.read_bytes())
        records = msgspec.msgpack.decode(content, type=list[_Record])
    except (OSError, zlib.error, msgspec.MsgspecError) as error:
        raise CorpusError(f"{path}: no shard of a corpus: {error}") from error
    for record in records:
        yield _unpacked(record)


def shards(folder: Path) -> list[Path]:
    """Return the shards of a corpus in order, those of folders in it too.

    Raises:
        ConfigError: There are none.
    """
    found = sorted(folder.rglob(f"*{SUFFIX}"))
    if not found:
        raise ConfigError(f"{folder}: no corpus; write one with `python -m scripts.core_corpus`")
    return found


def read_corpus(folder: Path) -> Iterator[Sample]:
    """Yield all samples of a corpus, shard by shard."""
    for path in shards(folder):
        yield from read_shard(path)


def _packed(sample: Sample) -> _Record:
    incident, truth = sample.incident, sample.truth
    return _Record(
        incident=codec.encode(replace(incident, tracks=_bare(incident.tracks))),
        truth=codec.encode(replace(truth, objects=_bare(truth.objects))),
        points=[_columns(track) for track in incident.tracks],
        true_points=[_columns(track) for track in truth.objects],
    )


def _unpacked(record: _Record) -> Sample:
    incident = codec.decode(record.incident, Incident)
    truth = codec.decode(record.truth, Truth)
    return Sample(
        incident=replace(incident, tracks=_whole(incident.tracks, record.points)),
        truth=replace(truth, objects=_whole(truth.objects, record.true_points)),
    )


def _bare(tracks: tuple[Track, ...]) -> tuple[Track, ...]:
    """Return the tracks with nothing but their first point, which says when they begin."""
    return tuple(replace(track, points=track.points[:1]) for track in tracks)


def _whole(tracks: tuple[Track, ...], points: list[_Points]) -> tuple[Track, ...]:
    return tuple(
        replace(track, points=_points(track, columns))
        for track, columns in zip(tracks, points, strict=True)
    )


def _columns(track: Track) -> _Points:
    points = track.points
    boxes_N4 = np.array([point.box for point in points], np.float64)
    steps_N4 = np.rint(boxes_N4 * GRID)
    is_exact = bool((steps_N4 / GRID == boxes_N4).all())
    first = points[0].captured_at
    moments = [(point.captured_at - first) // _MICROSECOND for point in points]
    return _Points(
        count=len(points),
        seqs=_deltas(np.array([point.seq for point in points])),
        times=np.array([point.monotonic_s for point in points], np.float64).tobytes(),
        moments=_deltas(np.array(moments)),
        boxes=_deltas(steps_N4) if is_exact else boxes_N4.tobytes(),
        is_exact=is_exact,
        confidences=np.array([point.confidence for point in points], np.float64).tobytes(),
        observed=np.array([point.is_observed for point in points], np.uint8).tobytes(),
        postures=[point.postures for point in points] if any(p.postures for p in points) else [],
    )


def _points(track: Track, columns: _Points) -> tuple[TrackPoint, ...]:
    count = columns.count
    if columns.is_exact:
        boxes_N4 = np.cumsum(np.frombuffer(columns.boxes, np.int64).reshape(4, count), 1).T / GRID
    else:
        boxes_N4 = np.frombuffer(columns.boxes, np.float64).reshape(count, 4)
    first = track.points[0].captured_at
    postures = columns.postures or [()] * count
    return tuple(
        TrackPoint(
            seq=seq,
            monotonic_s=time_s,
            captured_at=first + timedelta(microseconds=moment),
            box=(box[0], box[1], box[2], box[3]),
            confidence=confidence,
            is_observed=bool(seen),
            postures=posture,
        )
        for seq, time_s, moment, box, confidence, seen, posture in zip(
            np.cumsum(np.frombuffer(columns.seqs, np.int64)).tolist(),
            np.frombuffer(columns.times, np.float64).tolist(),
            np.cumsum(np.frombuffer(columns.moments, np.int64)).tolist(),
            boxes_N4.tolist(),
            np.frombuffer(columns.confidences, np.float64).tolist(),
            columns.observed,
            postures,
            strict=True,
        )
    )


def _deltas(values: npt.NDArray[Any]) -> bytes:
    """Return each row less the one before it, column by column."""
    whole = values.astype(np.int64)
    return np.ascontiguousarray(
        np.diff(whole, axis=0, prepend=np.zeros_like(whole[:1])).T
    ).tobytes()
