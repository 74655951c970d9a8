"""Published detectors that are known to open here, and where their publishers keep them.

An entry pins a checksum where the very bytes were examined. Entries of a hub are listed without:
their checksums are measured at the first pull and held from then on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    """One published detector.

    Attributes:
        name: Of its folder once it is fetched.
        family: Detector family that opens it.
        licence: SPDX name, as the publisher states it.
        source: ``hf:owner/repo`` or an https address.
        input_size: Width and height that pictures are scaled to, in pixels.
        size_bytes: Of what is fetched; None where it was not measured.
        weights: File that ``vision.weights`` must name; empty for the whole folder.
        sha256: Checksum of each file whose bytes are known.
        about: For people, one line.
    """

    name: str
    family: str
    licence: str
    source: str
    input_size: tuple[int, int]
    size_bytes: int | None
    about: str
    weights: str = ""
    sha256: Mapping[str, str] = field(default_factory=dict)


CATALOG: Final = (
    CatalogEntry(
        name="yolox_nano_coco",
        family="yolox",
        licence="Apache-2.0",
        source=(
            "https://raw.githubusercontent.com/Kazuhito00/YOLOX-ONNX-TFLite-Sample/"
            "3d4f1119d0694200671c08069ecb847aa0d8495a/model/yolox_nano.onnx"
        ),
        input_size=(416, 416),
        size_bytes=3_660_092,
        weights="yolox_nano.onnx",
        sha256={
            "yolox_nano.onnx": "695e750a5d5754bb5a8d5325643b59282191a7e7a564e435a415fd3c578eab14"
        },
        about="YOLOX-nano, 80 COCO classes; fast on a CPU, weak on small and lying people",
    ),
    CatalogEntry(
        name="dfine_nano",
        family="transformers",
        licence="Apache-2.0",
        source="hf:ustc-community/dfine-nano-coco",
        input_size=(640, 640),
        size_bytes=15_300_000,
        about="D-FINE nano, 80 COCO classes; the smallest of its kind",
    ),
    CatalogEntry(
        name="dfine_small",
        family="transformers",
        licence="Apache-2.0",
        source="hf:ustc-community/dfine-small-coco",
        input_size=(640, 640),
        size_bytes=41_500_000,
        about="D-FINE small, 80 COCO classes; wants a GPU or few cameras",
    ),
    CatalogEntry(
        name="rtdetr_v2_r18",
        family="transformers",
        licence="Apache-2.0",
        source="hf:PekingU/rtdetr_v2_r18vd",
        input_size=(640, 640),
        size_bytes=None,
        about="RT-DETRv2 on ResNet-18, 80 COCO classes; wants a GPU",
    ),
    CatalogEntry(
        name="rtdetr_v2_r50",
        family="transformers",
        licence="Apache-2.0",
        source="hf:PekingU/rtdetr_v2_r50vd",
        input_size=(640, 640),
        size_bytes=172_000_000,
        about="RT-DETRv2 on ResNet-50, 80 COCO classes; wants a GPU",
    ),
    CatalogEntry(
        name="rf_detr_nano",
        family="transformers",
        licence="Apache-2.0",
        source="hf:Roboflow/rf-detr-nano",
        input_size=(384, 384),
        size_bytes=None,
        about="RF-DETR nano, COCO classes; wants a GPU",
    ),
)
"""In order of size within a family."""


def find_entry(name: str) -> CatalogEntry | None:
    """Return the entry of this name, None if there is none."""
    return next((entry for entry in CATALOG if entry.name == name), None)
