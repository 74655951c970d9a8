"""Incidents of recordings with known events: what is known is the event, not each claim.

A file is a sequence of records: the incident as it was reported, whether it really happened, and
the recording's source. It is written by ``python -m scripts.core_recordings``.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from contracts import codec
from contracts.errors import ConfigError
from contracts.incidents import Incident

HALVES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One revision of an incident of a recording.

    Attributes:
        incident: As it was reported.
        is_real: What it is about is labelled at that time.
        video: The recording, below its folder.
        source: What recordings of one camera have in common; no source is in both halves.
        may_train: Whether its licence lets shipped weights be trained on it; else it is for tests.
    """

    incident: Incident
    is_real: bool
    video: str
    source: str
    may_train: bool

    @property
    def half(self) -> int:
        """0 is trained on, 1 is held out."""
        if not self.may_train:
            return 1
        return zlib.crc32(self.source.encode()) % HALVES

    @property
    def part(self) -> str:
        """What it is for: ``train``, ``fit`` (trust, on what the network never saw) or ``test``.

        Of the half that is held out one half of the sources fits and the other tests; what weights
        may not be trained on is for tests.
        """
        if self.half == 0:
            return "train"
        is_second = zlib.crc32(self.source.encode()) // HALVES % HALVES
        return "test" if is_second or not self.may_train else "fit"


def write_recorded(path: Path, found: Iterable[Recorded]) -> int:
    """Write a file; return how many records are in it."""
    rows = [
        {
            "incident": codec.encode(one.incident),
            "is_real": one.is_real,
            "video": one.video,
            "source": one.source,
            "may_train": one.may_train,
        }
        for one in found
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(zlib.compress(msgspec.msgpack.encode(rows)))
    part.replace(path)
    return len(rows)


def read_recorded(path: Path) -> Iterator[Recorded]:
    """Yield the records of a file.

    Raises:
        ConfigError: The file cannot be read or is damaged.
    """
    try:
        rows = msgspec.msgpack.decode(zlib.decompress(path.read_bytes()))
        for row in rows:
            yield Recorded(
                incident=codec.decode(row["incident"], Incident),
                is_real=bool(row["is_real"]),
                video=str(row["video"]),
                source=str(row["source"]),
                may_train=bool(row["may_train"]),
            )
    except (
        OSError, zlib.error, msgspec.DecodeError, codec.CodecError, KeyError, TypeError
    ) as error:  # fmt: skip
        raise ConfigError(f"{path}: not readable as recorded incidents: {error}") from error
