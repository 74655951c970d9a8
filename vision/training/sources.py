"""Where pictures for training come from, what may be trained on, and which are held out.

A source is one place: everything a camera saw, or one photographer's still. Held out is a whole
source, never a part of it: otherwise a test would ask about rooms that were learnt by heart.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contracts.errors import ConfigError
from vision.detect.labels import COCO

CLASSES: Final = (
    "person", "bicycle", "motorcycle", "car", "bus", "truck", "dog", "cat", "bag",
)  # fmt: skip
"""What the encoder names, in the order of its outputs."""
PERSON: Final = CLASSES.index("person")
BAGS: Final = frozenset({"bag", "backpack", "handbag", "suitcase"})
VIDEO_LIST: Final = "ground_truth_video.json"
STILL_LIST: Final = "labels.json"
VIDEO_SUFFIXES: Final = (".mp4", ".mkv", ".avi", ".mov", ".webm")
HELD_OUT_OF: Final = 5
"""Two sources in so many are held out, chosen by the hash of their names."""
TRAINABLE: Final = ("CC BY 4.0", "CC0", "MIT", "repository MIT", "BSD", "Apache-2.0")
"""How the licence of a clip that weights may be trained on begins."""
HELD_OUT_FOLDERS: Final = ("fall/", "intel/one_by_one")
"""Held out although their licence allows training: the only falls with labels, and the only room
with visits of different people; learnt by heart they would measure nothing."""
DERIVED_FOLDERS: Final = ("abandoned/", "audio_video/", "lowlight/", "tamper/", "fight/streams/")
"""Made from other clips of the same collection: their frames would count twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """A labelled picture on disk.

    Attributes:
        boxes: x1, y1, x2, y2 in pixels and the label of each object.
        complete_for: Classes of which every object is labelled.
    """

    path: Path
    group: str
    licence: str
    is_held_out: bool
    boxes: tuple[tuple[float, float, float, float, str], ...]
    complete_for: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A video on disk and what its labels say happens in it."""

    path: Path
    group: str
    licence: str
    is_held_out: bool
    kinds: frozenset[str] = frozenset()


def class_of(label: str) -> str | None:
    """Return the encoder's class for a label of a data set, None if it has none."""
    if label in BAGS:
        return "bag"
    return label if label in CLASSES else None


def of_ours(coco_AC: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return scores of the encoder's classes (A, 9) from those of COCO's (A, 80)."""
    return np.stack([coco_AC[:, rows].max(axis=1) for rows in _COCO_ROWS], axis=1)


def is_held_out(group: str) -> bool:
    """Say whether a source is kept out of training; the same on every machine."""
    digest = hashlib.sha256(group.encode()).hexdigest()
    return int(digest, 16) % HELD_OUT_OF in (0, 2)


def clips(folder: Path, *, may_be_empty: bool = False) -> list[Clip]:
    """Return the videos of a folder.

    With a list of ground truth in it, licences and sources come from there, and what may not be
    trained on is held out. Without one, each video is its own source.

    Raises:
        ConfigError: The folder has no video and may not be empty, or the list is not readable.
    """
    listed = folder / VIDEO_LIST
    if listed.is_file():
        records = _read(listed)["videos"]
        found = [_listed_clip(folder, record) for record in records]
        return [clip for clip in found if clip is not None]
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES)
    if not paths and not may_be_empty:
        raise ConfigError(f"{folder}: no video in it ({', '.join(VIDEO_SUFFIXES)})")
    return [
        Clip(path=path, group=path.stem, licence="yours", is_held_out=is_held_out(path.stem))
        for path in paths
    ]


def stills(folder: Path) -> Iterator[Still]:
    """Yield the labelled pictures below a folder; none if it has no list of labels."""
    for listed in sorted(folder.rglob(STILL_LIST)):
        content = _read(listed)
        complete = frozenset(filter(None, map(class_of, content["complete_for"])))
        for item in content["images"]:
            use = str(item.get("use") or content.get("use", ""))
            group = f"{content['set']}:{item.get('group', item['file'])}"
            yield Still(
                path=listed.parent / "images" / item["file"],
                group=group,
                licence=str(content["licence"]),
                is_held_out=not use.startswith("train") or _is_test_still(content["set"], group),
                boxes=tuple((*map(float, box[:4]), str(box[4])) for box in item["boxes"]),  # type: ignore[misc]  # four numbers and a label, by the format
                complete_for=complete,
            )


def _is_test_still(name: str, group: str) -> bool:
    """Hold out part of the one set of stills that is labelled exhaustively."""
    return name == "coco256" and is_held_out(group)


def _listed_clip(folder: Path, record: dict[str, Any]) -> Clip | None:
    name = str(record["video"])
    if name.startswith(DERIVED_FOLDERS):
        return None
    licence = str(record["licence"])
    group = group_of(name, str(record.get("note") or ""))
    closed = not licence.startswith(TRAINABLE) or name.startswith(HELD_OUT_FOLDERS)
    closed = closed or "CC BY-NC" in licence or "MOTChallenge" in licence
    return Clip(
        path=folder / name,
        group=group,
        licence=licence,
        is_held_out=closed or (name.startswith("fight/") and is_held_out(group)),
        kinds=frozenset(str(event["type"]) for event in record["events"]),
    )


def group_of(name: str, note: str) -> str:
    """Return the source of a clip by what its record says."""
    found = re.search(r"source (https?://\S+)", note)
    if found:
        return found.group(1)
    return name if not name.startswith("fight/") else "fight:unknown source"


def _read(path: Path) -> Any:  # noqa: ANN401  # JSON
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: not a readable JSON file: {error}") from error


_COCO_ROWS: Final = [
    [index for index, name in enumerate(COCO) if class_of(name) == wanted] for wanted in CLASSES
]
