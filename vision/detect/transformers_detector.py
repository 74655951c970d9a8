"""Object detectors published for the ``transformers`` package, from a local folder.

Import it only where such a detector is made: ``transformers`` takes seconds to import.

Shape legend: B = pictures of a batch, Q = queries, C = classes, K = boxes of one picture, 4 = box.
"""

import json
import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from transformers import AutoConfig, AutoImageProcessor, AutoModelForObjectDetection
from transformers.utils import logging as transformers_logging

from contracts.detections import Detections, FloatArray, IntArray, ModelIdentity
from contracts.errors import ConfigError, ModelError
from contracts.frames import BgrImage, Frame
from vision.detect.entrance import require_picture
from vision.detect.labels import our_name
from vision.detect.model_card import require_recorded, sha256_of
from vision.detect.results import require_finite, select

WEIGHTS_NAME: Final = "model.safetensors"
NEEDED: Final = ("config.json", "preprocessor_config.json", WEIGHTS_NAME)
"""What the folder must hold."""
SIGMOID_TYPES: Final = frozenset(
    {
        "conditional_detr", "d_fine", "dab_detr", "deformable_detr", "deimv2", "lw_detr",
        "rf_detr", "rt_detr", "rt_detr_v2",
    }
)  # fmt: skip
"""Model types (``model_type`` of config.json) whose classes are judged one by one."""
SOFTMAX_TYPES: Final = frozenset({"detr", "table-transformer", "yolos"})
"""Those whose last class is "no object"."""
MOST_IN_A_BATCH: Final = 8


class TransformersDetector:
    """Finds what a detector of the DETR kind was trained on; keeps no state.

    Only ``model.safetensors`` is read, never a pickle; no code of the folder is run and nothing
    is fetched. Pictures of one shape that follow each other are looked at in one batch.
    """

    def __init__(self, folder: Path, *, confidence: float = 0.1, threads: int = 1) -> None:
        """Load a model.

        Args:
            folder: With config.json, preprocessor_config.json and model.safetensors.
            confidence: Boxes below this are left out.
            threads: Of torch in this whole process, which has no other measure of them.

        Raises:
            ConfigError: The folder is not complete, or of a model type that is not known.
            ModelError: The files are not such a model, or not those that were fetched.
        """
        self._where = str(folder)
        self._confidence = confidence
        config = _read_config(folder)
        self._is_sigmoid = _is_sigmoid(config, folder=folder)
        self._sha256 = sha256_of(folder / WEIGHTS_NAME)
        require_recorded(folder / WEIGHTS_NAME, self._sha256)
        torch.set_num_threads(threads)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._processor, self._model = _load(folder, self._device)
        self._labels = _labels(self._model.config.id2label)
        self._name = f"{config['model_type']}:{folder.resolve().name}"

    @property
    def identity(self) -> ModelIdentity:
        """Model type and folder, and the checksum of the weights."""
        return ModelIdentity(name=self._name, sha256=self._sha256)

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes that the model knows, in our words."""
        return self._labels

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return what is in each frame.

        Raises:
            ModelError: The model fails, or its output is not a detector's.
            ValueError: A frame is no BGR picture.
        """
        found: list[Detections] = []
        pictures = [require_picture(frame) for frame in frames]
        for _, alike in groupby(pictures, key=lambda picture: picture.shape):
            group = list(alike)
            for first in range(0, len(group), MOST_IN_A_BATCH):
                found.extend(self._detect_batch(group[first : first + MOST_IN_A_BATCH]))
        return found

    def forget(self, camera_id: str) -> None:
        """Nothing is kept."""

    def _detect_batch(self, pictures: Sequence[BgrImage]) -> list[Detections]:
        logits_BQC, boxes_BQ4 = self._answer(pictures)
        require_outputs(
            logits_BQC,
            boxes_BQ4,
            pictures=len(pictures),
            classes=len(self._labels) + (0 if self._is_sigmoid else 1),
            where=self._where,
        )
        return [
            select(
                _corners(boxes_K4),
                *best_classes(logits_KC, is_sigmoid=self._is_sigmoid),
                labels=self._labels,
                confidence=self._confidence,
                where=self._where,
            )
            for logits_KC, boxes_K4 in zip(logits_BQC, boxes_BQ4, strict=True)
        ]

    def _answer(self, pictures: Sequence[BgrImage]) -> tuple[FloatArray, FloatArray]:
        """Return logits (B, Q, C) and boxes (B, Q, 4: centre and sides) as the model gives them."""
        rgb = [np.ascontiguousarray(picture[:, :, ::-1]) for picture in pictures]
        try:
            batch = self._processor(
                images=rgb, return_tensors="pt", input_data_format="channels_last"
            )
            with torch.inference_mode():
                output = self._model(pixel_values=batch["pixel_values"].to(self._device))
            return (
                output.logits.float().cpu().numpy(),
                output.pred_boxes.float().cpu().numpy(),
            )
        except (RuntimeError, ValueError, TypeError, AttributeError, IndexError) as error:
            height, width = pictures[0].shape[:2]
            raise ModelError(
                f"{self._where}: inference on {len(pictures)} picture(s) of {width}x{height} "
                f"failed: {_first_line(error)}"
            ) from error


def require_outputs(
    logits_BQC: FloatArray, boxes_BQ4: FloatArray, *, pictures: int, classes: int, where: str
) -> None:
    """Raise ModelError unless the outputs are those of a detector.

    Args:
        logits_BQC: Class scores; C counts "no object" where the model has it.
        boxes_BQ4: Centre and sides in shares of the picture.
        pictures: How many were given.
        classes: How many C must be.
        where: The model's folder.
    """
    queries = logits_BQC.shape[1] if logits_BQC.ndim == 3 else 0
    wanted = ((pictures, queries, classes), (pictures, queries, 4))
    if not queries or (logits_BQC.shape, boxes_BQ4.shape) != wanted:
        raise ModelError(
            f"{where}: outputs must have shapes ({pictures}, queries, {classes}) and "
            f"({pictures}, queries, 4), got {logits_BQC.shape} and {boxes_BQ4.shape}; do "
            "config.json and model.safetensors belong together?"
        )
    require_finite(logits_BQC, what="class scores", where=where)
    require_finite(boxes_BQ4, what="coordinates of boxes", where=where)


def best_classes(logits_KC: FloatArray, *, is_sigmoid: bool) -> tuple[FloatArray, IntArray]:
    """Return the confidence and index of the best class of each box.

    Args:
        logits_KC: Finite.
        is_sigmoid: Classes are judged one by one; otherwise they share out 1, and the last of
            them, which stands for "no object", is not returned.
    """
    logits_KC = logits_KC.astype(np.float64)
    if is_sigmoid:
        shares_KC = 0.5 * (1 + np.tanh(0.5 * logits_KC))
    else:
        powers_KC = np.exp(logits_KC - logits_KC.max(axis=1, keepdims=True))
        shares_KC = (powers_KC / powers_KC.sum(axis=1, keepdims=True))[:, :-1]
    return shares_KC.max(axis=1).astype(np.float32), shares_KC.argmax(axis=1)


def _corners(boxes_K4: FloatArray) -> FloatArray:
    half_K2 = boxes_K4[:, 2:] / 2
    return np.hstack([boxes_K4[:, :2] - half_K2, boxes_K4[:, :2] + half_K2])


def _read_config(folder: Path) -> dict[str, Any]:
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise ConfigError(
            f"{folder}: is no folder of a transformers detector: {', '.join(missing)} not found; "
            "wanted: " + ", ".join(NEEDED) + " ('vigil models pull hf:OWNER/REPO' fetches them)"
        )
    try:
        document = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / 'config.json'}: is not valid JSON: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("model_type"), str):
        raise ModelError(f"{folder / 'config.json'}: names no model_type; is it complete?")
    return document


def _is_sigmoid(config: dict[str, Any], *, folder: Path) -> bool:
    model_type = config["model_type"]
    if model_type not in SIGMOID_TYPES | SOFTMAX_TYPES:
        raise ConfigError(
            f"{folder / 'config.json'}: model_type {model_type!r} is no object detector that is "
            f"known here; known are {', '.join(sorted(SIGMOID_TYPES | SOFTMAX_TYPES))}"
        )
    return model_type in SIGMOID_TYPES


def _load(folder: Path, device: torch.device) -> tuple[Any, Any]:
    """Return processor and model; both have no types worth the name."""
    # Its progress bars and advice are not for the log of a service.
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # it has no types
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it has no types
    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    path = os.fspath(folder)
    processors: Any = AutoImageProcessor
    try:
        config = AutoConfig.from_pretrained(path, **local)
        # A checkpoint is whole; the backbone's own is not to be fetched on top of it.
        if getattr(config, "use_pretrained_backbone", False):
            config.use_pretrained_backbone = False
        processor = processors.from_pretrained(path, **local)
        model, report = AutoModelForObjectDetection.from_pretrained(
            path, config=config, use_safetensors=True, output_loading_info=True, **local
        )
    except Exception as error:  # the package and safetensors raise roots of their own
        raise ModelError(
            f"{folder}: transformers cannot load it: {_first_line(error)}; are the files complete?"
        ) from error
    lacking = sorted(report["missing_keys"])
    if lacking:
        raise ModelError(
            f"{folder / WEIGHTS_NAME}: lacks {len(lacking)} of the model's tensors, for instance "
            f"{lacking[0]}; do config.json and model.safetensors belong together?"
        )
    return processor, model.to(device).eval()


def _labels(names: dict[int, str]) -> tuple[str, ...]:
    """Return our names by index; an index that is not named gets its number."""
    count = max(names) + 1 if names else 0
    return tuple(our_name(names.get(index, f"class {index}")) for index in range(count))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
