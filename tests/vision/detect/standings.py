"""Folders as those of shipped weights and of pulled models, and what was measured of them."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.vision.detect.onnx_files import write_constant_model
from vision.detect.model_card import ModelCard, sha256_of, write_card

YOLOX = "yolox_nano_coco"


def row(recall: float, *, ms: float = 20.0, sha256: str = "", **recalls: float) -> dict[str, Any]:
    """Return one detector's figures, the same recall for everything unless it is named."""
    same = dict.fromkeys(("upright", "lying", "vehicles"), recall)
    return {**same, **recalls, "ms": ms, "sha256": sha256}


def write_measured(folder: Path, **measured: dict[str, Any]) -> Path:
    """Write what was measured, the encoder being the one that was shipped."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "measured.json"
    path.write_text(json.dumps({"shipped": "encoder", "measured": measured}))
    return path


def ship(folder: Path, **measured: dict[str, Any]) -> Path:
    """Write files where an encoder's are and, if there are any, figures; return the folder."""
    folder.mkdir(parents=True)
    for name in ("encoder.onnx", "objects.onnx"):
        (folder / name).touch()
    if measured:
        write_measured(folder, **measured)
    return folder


def pull_yolox(data_dir: Path, *, name: str = YOLOX) -> tuple[Path, str]:
    """Put a tiny YOLOX that sees nobody where pulls put models; return file and checksum."""
    folder = data_dir / "models" / name
    folder.mkdir(parents=True)
    weights = write_constant_model(folder / "yolox_nano.onnx", np.zeros((1, 84, 85), np.float32))
    sha256 = sha256_of(weights)
    card = ModelCard(
        name=name,
        family="yolox",
        licence="Apache-2.0",
        source="https://models.example/yolox_nano.onnx",
        weights=weights.name,
        sha256={weights.name: sha256},
    )
    write_card(folder, card)
    return weights, sha256
