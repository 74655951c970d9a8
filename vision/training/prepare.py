"""Turns folders of videos and labelled stills into a corpus."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from contracts.errors import ConfigError
from contracts.frames import BgrImage
from vision.training import corpus, sources, videos
from vision.training.corpus import Object, Sample

TRAIN_FPS: Final = 4.0
TEST_FPS: Final = 2.0


def prepare(folders: Sequence[Path], out: Path) -> int:
    """Decode everything below the folders into ``out``; return the number of pictures.

    Raises:
        ConfigError: A folder is not there or has nothing, or a file in it cannot be read.
    """
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"{folder}: not a folder; name one with videos or labelled stills")
    return corpus.write(out, chain.from_iterable(map(_items, folders)))


def _items(folder: Path) -> Iterator[tuple[Sample, BgrImage]]:
    found = list(sources.stills(folder))
    for clip in sources.clips(folder, may_be_empty=bool(found)):
        fps = TEST_FPS if clip.is_held_out else TRAIN_FPS
        for time_s, pixels_HW3 in videos.pictures(clip.path, fps=fps):
            yield (
                Sample(
                    offset=0,
                    height=pixels_HW3.shape[0],
                    width=pixels_HW3.shape[1],
                    source=str(clip.path.relative_to(folder)),
                    group=clip.group,
                    licence=clip.licence,
                    time_s=time_s,
                    is_held_out=clip.is_held_out,
                    is_labelled=False,
                    kinds=tuple(sorted(clip.kinds)),
                ),
                pixels_HW3,
            )
    for still in found:
        pixels_HW3 = videos.still(still.path)
        small_HW3 = videos.fitted(pixels_HW3)
        yield (
            Sample(
                offset=0,
                height=small_HW3.shape[0],
                width=small_HW3.shape[1],
                source=str(still.path.relative_to(folder)),
                group=still.group,
                licence=still.licence,
                time_s=0.0,
                is_held_out=still.is_held_out,
                is_labelled=True,
                complete_for=tuple(sorted(map(sources.CLASSES.index, still.complete_for))),
                objects=_objects(still, scale=small_HW3.shape[1] / pixels_HW3.shape[1]),
            ),
            small_HW3,
        )


def _objects(still: sources.Still, *, scale: float) -> tuple[Object, ...]:
    found = []
    for x1, y1, x2, y2, label in still.boxes:
        name = sources.class_of(label)
        if name is not None and x2 > x1 and y2 > y1:
            found.append(
                Object(
                    box=(x1 * scale, y1 * scale, x2 * scale, y2 * scale),
                    label=sources.CLASSES.index(name),
                    score=1.0,
                )
            )
    return tuple(found)
