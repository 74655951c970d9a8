"""Names of the classes that published detectors know."""

from pathlib import Path
from typing import Final

from contracts.errors import ConfigError

# fmt: off
COCO: Final = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat",
    "traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat",
    "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack",
    "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball",
    "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket",
    "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
    "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair",
    "couch", "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote",
    "keyboard", "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "book",
    "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)
# fmt: on
"""The 80 classes of COCO 2017 in the order of its detectors."""

_OURS: Final = {
    "aeroplane": "airplane", "bike": "bicycle", "cell_phone": "cell phone", "cycle": "bicycle",
    "cyclist": "bicycle", "diningtable": "dining table", "human": "person", "lorry": "truck",
    "man": "person", "motorbike": "motorcycle", "pedestrian": "person", "people": "person",
    "pottedplant": "potted plant", "sofa": "couch", "tvmonitor": "tv", "woman": "person",
}  # fmt: skip
"""Words of other data sets (Pascal VOC, KITTI, CrowdHuman) for what rules name as COCO does."""

_BY_COUNT: Final = {1: ("person",), len(COCO): COCO}


def our_name(name: str) -> str:
    """Return the word that rules use for a class that a published model names."""
    plain = " ".join(name.strip().lower().split())
    return _OURS.get(plain, plain)


def default_labels(count: int, *, where: str) -> tuple[str, ...]:
    """Return the usual names of a detector with so many classes.

    Raises:
        ConfigError: There is no usual set of that size; a names file is needed.
    """
    if count not in _BY_COUNT:
        raise ConfigError(
            f"{where}: the model has {count} classes and their names are not known; put them, one "
            f"a line, into {Path(where).with_suffix('.names')}"
        )
    return _BY_COUNT[count]


def read_labels(path: Path, *, count: int) -> tuple[str, ...]:
    """Return the names in a file, one a line; blank lines do not count.

    Raises:
        ConfigError: It cannot be read, or has another number of names than the model classes.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as a list of class names: {error}") from error
    names = tuple(line.strip() for line in lines if line.strip())
    if len(names) != count:
        raise ConfigError(f"{path}: has {len(names)} names, the model has {count} classes")
    return names
