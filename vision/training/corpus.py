"""The prepared pictures: one file of pixels, one of what is known about them.

Shape legend: H, W = picture in pixels, 3 = blue, green, red, N = objects, 4 = x1, y1, x2, y2 in
pixels.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from contracts.errors import ConfigError
from contracts.frames import BgrImage

PIXELS_FILE: Final = "pixels.bin"
INDEX_FILE: Final = "index.json"
TAUGHT_FILE: Final = "teachers.json"
"""What the teachers saw, by number of the picture."""
DERIVED_FILES: Final = (TAUGHT_FILE, "people.npz")
"""What was found out about the pictures by their numbers; of no use for other pictures."""


class Object(msgspec.Struct, frozen=True, kw_only=True):
    """One object in a picture: box in pixels, class, and how sure its label is (1 = by hand)."""

    box: tuple[float, float, float, float]
    label: int
    score: float


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about one picture.

    Attributes:
        offset, height, width: Where its pixels are in the file.
        source, group: The file it comes from and the place it shows.
        time_s: In its video; 0 for stills.
        is_held_out: Kept from training.
        is_labelled: The objects are labels by hand, complete for ``complete_for``.
        complete_for: Class indices of which everything in the picture is known.
        kinds: What the source's labels say happens in it.
    """

    offset: int
    height: int
    width: int
    source: str
    group: str
    licence: str
    time_s: float
    is_held_out: bool
    is_labelled: bool
    complete_for: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    objects: tuple[Object, ...] = ()


@dataclass(frozen=True, slots=True)
class Corpus:
    """Prepared pictures, mapped into memory and shared between processes."""

    samples: list[Sample]
    _pixels: npt.NDArray[np.uint8]

    @classmethod
    def open(cls, folder: Path) -> "Corpus":
        """Open a prepared folder.

        Raises:
            ConfigError: It was not prepared, or its two files do not belong together.
        """
        index = folder / INDEX_FILE
        if not index.is_file():
            raise ConfigError(f"{folder}: no {INDEX_FILE}; run `python -m vision.training prepare`")
        try:
            samples = msgspec.json.decode(index.read_bytes(), type=list[Sample])
        except msgspec.MsgspecError as error:
            raise ConfigError(f"{index}: not an index of pictures: {error}") from error
        path = folder / PIXELS_FILE
        last = max((s.offset + s.height * s.width * 3 for s in samples), default=0)
        size = path.stat().st_size if path.is_file() else 0
        if not samples or last > size:
            raise ConfigError(
                f"{folder}: {PIXELS_FILE} has {size} bytes, needs {last} for {len(samples)} "
                "pictures; run `python -m vision.training prepare` again"
            )
        pixels = np.memmap(path, np.uint8, mode="r")
        return cls(samples, pixels)

    def pixels(self, sample: Sample) -> BgrImage:
        """Return a picture's pixels, shape (H, W, 3), read-only."""
        size = sample.height * sample.width * 3
        flat = self._pixels[sample.offset : sample.offset + size]
        return np.asarray(flat).reshape(sample.height, sample.width, 3)

    def part(self, *, held_out: bool) -> list[Sample]:
        """Return the samples of one side of the split."""
        return [sample for sample in self.samples if sample.is_held_out == held_out]


def write(folder: Path, items: Iterable[tuple[Sample, BgrImage]]) -> int:
    """Write pictures and index; return how many. ``offset`` of the samples is filled in here.

    What was there before is given up first, what teachers said of it as well: it would be read
    as a description of other pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (INDEX_FILE, *DERIVED_FILES):
        (folder / name).unlink(missing_ok=True)
    samples = []
    offset = 0
    with (folder / PIXELS_FILE).open("wb") as file:
        for sample, pixels_HW3 in items:
            file.write(np.ascontiguousarray(pixels_HW3).tobytes())
            samples.append(msgspec.structs.replace(sample, offset=offset))
            offset += pixels_HW3.size
    save(folder, samples)
    return len(samples)


def save(folder: Path, samples: Iterable[Sample]) -> None:
    """Replace the index; a reader sees the old one or the new one."""
    part = folder / f"{INDEX_FILE}.part"
    part.write_bytes(msgspec.json.encode(list(samples)))
    part.replace(folder / INDEX_FILE)


def by_source(samples: Iterable[Sample]) -> Iterator[tuple[str, list[Sample]]]:
    """Yield each source with its samples in order of time."""
    sources: dict[str, list[Sample]] = {}
    for sample in samples:
        sources.setdefault(sample.source, []).append(sample)
    for name, found in sources.items():
        yield name, sorted(found, key=lambda item: item.time_s)
