"""Any detection model of torchvision, from a safetensors file.

Import it only where such a detector is made: torchvision takes seconds to import.

Shape legend: H, W = picture in pixels, K = boxes of one picture, 4 = x1, y1, x2, y2.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torchvision.models import (  # type: ignore[import-untyped]  # the package has no types
    detection,
    get_model,
    get_model_weights,
    list_models,
)

from contracts.detections import Detections, ModelIdentity
from contracts.errors import ConfigError, ModelError
from contracts.frames import BgrImage, Frame
from vision.detect.entrance import require_picture
from vision.detect.labels import our_name, read_labels
from vision.detect.model_card import require_recorded, sha256_of
from vision.detect.results import MOST_BOXES, select

BACKGROUND: Final = "background"
"""Class 0 of every detection model of torchvision."""
_ARCHITECTURE_KEY: Final = "architecture"
_MOST_NAMED: Final = 3
_WATCHED: Final = frozenset({"backbone", "head", "rpn.head", "roi_heads.box_predictor"})
"""Parts whose answers are not yet filtered by a threshold."""
_COUNTER: Final = "num_batches_tracked"
"""Of batch normalisation in training; published states were saved without."""
_PUBLISHED_WITHOUT_EPSILON: Final = frozenset(
    {
        "fasterrcnn_resnet50_fpn", "keypointrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn",
        "retinanet_resnet50_fpn",
    }
)  # fmt: skip
"""Trained with an epsilon of 0 in batch normalisation; torchvision sets it when it loads them."""


class TorchvisionDetector:
    """Finds what a detector of torchvision was trained on, one frame at a time; keeps no state."""

    def __init__(
        self,
        weights: Path,
        *,
        confidence: float = 0.1,
        threads: int = 1,
        names: Path | None = None,
    ) -> None:
        """Load a model.

        Args:
            weights: Safetensors file with the model's state. The model is the one that the
                file's metadata name as ``architecture``, otherwise the one of the file's stem,
                for instance ``ssdlite320_mobilenet_v3_large.safetensors``.
            confidence: Boxes below this are left out.
            threads: Of torch in this whole process, which has no other measure of them.
            names: Class names without the background, one a line; torchvision's own (COCO, 91)
                without it.

        Raises:
            ConfigError: The architecture is not known, or the names cannot be read.
            ModelError: The file is not the state of such a model, or not what was fetched.
        """
        self._where = str(weights)
        self._confidence = confidence
        self._sha256 = sha256_of(weights)
        require_recorded(weights, self._sha256)
        torch.set_num_threads(threads)
        state, architecture = _read_state(weights)
        self._labels = _labels(architecture, names)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = _build(architecture, state, classes=len(self._labels), where=self._where)
        self._model.to(self._device)
        self._damaged: list[str] = []
        self._watch_for_nan()
        self._name = f"torchvision:{architecture}"

    @property
    def identity(self) -> ModelIdentity:
        """The architecture and the file's checksum."""
        return ModelIdentity(name=self._name, sha256=self._sha256)

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes that the model knows, in our words; the first is the background."""
        return self._labels

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return what is in each frame.

        Raises:
            ModelError: The model fails, or its output is not a detector's.
            ValueError: A frame is no BGR picture.
        """
        return [self._detect_one(require_picture(frame)) for frame in frames]

    def forget(self, camera_id: str) -> None:
        """Nothing is kept."""

    def _detect_one(self, pixels_HW3: BgrImage) -> Detections:
        height, width = pixels_HW3.shape[:2]
        boxes_K4, confidences_K, class_ids_K = self._answer(pixels_HW3)
        if self._damaged:
            where, self._damaged = self._damaged[0], []
            raise ModelError(
                f"{self._where}: {where} answered NaN or infinite numbers on a picture of "
                f"{width}x{height}, wanted finite ones; the file is damaged or overflows"
            )
        if boxes_K4.ndim == 2 and boxes_K4.shape[1] == 4:
            boxes_K4 = boxes_K4 / np.array([width, height] * 2, np.float32)
        return select(
            boxes_K4,
            confidences_K,
            class_ids_K,
            labels=self._labels,
            confidence=self._confidence,
            where=self._where,
        )

    def _answer(self, pixels_HW3: BgrImage) -> tuple[Any, Any, Any]:
        """Return boxes (K, 4, pixels), confidences and classes as the model gives them."""
        planes = np.ascontiguousarray(pixels_HW3[:, :, ::-1].transpose(2, 0, 1))
        try:
            picture = torch.from_numpy(planes).to(self._device).float().div_(255)
            with torch.inference_mode():
                [found] = self._model([picture])
            return tuple(found[key].cpu().numpy() for key in ("boxes", "scores", "labels"))
        except (RuntimeError, ValueError, TypeError, KeyError, AssertionError) as error:
            height, width = pixels_HW3.shape[:2]
            raise ModelError(
                f"{self._where}: inference on a picture of {width}x{height} failed: "
                f"{_first_line(error)}"
            ) from error

    def _watch_for_nan(self) -> None:
        """Note numbers that are not finite; the model's own threshold would make them silence."""
        for name, part in self._model.named_modules():
            if name in _WATCHED:
                part.register_forward_hook(self._noting(name))

    def _noting(self, name: str) -> Any:  # noqa: ANN401  # a hook of torch, which has no type for it
        def note(_part: torch.nn.Module, _given: object, answer: object) -> None:
            if not all(bool(torch.isfinite(tensor).all()) for tensor in _tensors(answer)):
                self._damaged.append(name)

        return note


def _tensors(answer: object) -> list[torch.Tensor]:
    """Return the floating-point tensors of a nested answer."""
    if isinstance(answer, torch.Tensor):
        return [answer] if answer.is_floating_point() else []
    parts = list(answer.values()) if isinstance(answer, dict) else answer
    if not isinstance(parts, list | tuple):
        return []
    return [tensor for part in parts for tensor in _tensors(part)]


def _read_state(weights: Path) -> tuple[dict[str, torch.Tensor], str]:
    """Return the tensors of the file and the architecture that it is for."""
    if weights.suffix != ".safetensors":
        raise ConfigError(
            f"{weights}: wanted a .safetensors file; .pt, .pth, .bin and .pkl are pickles, which "
            "can run code when they are opened"
        )
    try:
        with safe_open(str(weights), framework="pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no mapping
    except (SafetensorError, OSError, ValueError) as error:
        size = weights.stat().st_size if weights.is_file() else 0
        raise ModelError(
            f"{weights}: no safetensors file that can be read ({size} bytes): "
            f"{_first_line(error)}; is the file complete?"
        ) from error
    architecture = metadata.get(_ARCHITECTURE_KEY, weights.stem)
    known = list_models(module=detection)
    if architecture not in known:
        raise ConfigError(
            f"{weights}: {architecture!r} is no detection model of torchvision; name the file "
            f"after one of {', '.join(known)}"
        )
    return state, architecture


def _labels(architecture: str, names: Path | None) -> tuple[str, ...]:
    if names is not None:
        lines = names.read_text(encoding="utf-8").splitlines() if names.is_file() else []
        count = sum(1 for line in lines if line.strip())
        return (BACKGROUND, *(our_name(name) for name in read_labels(names, count=count)))
    categories = get_model_weights(architecture).DEFAULT.meta["categories"]
    return (BACKGROUND, *(our_name(name) for name in categories[1:]))


def _build(
    architecture: str, state: dict[str, torch.Tensor], *, classes: int, where: str
) -> torch.nn.Module:
    wild = [
        name
        for name, tensor in state.items()
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all())
    ]
    if wild:
        raise ModelError(
            f"{where}: {len(wild)} of {len(state)} tensors hold NaN or infinite numbers, for "
            f"instance {wild[0]}; the file is damaged, fetch it again"
        )
    model: torch.nn.Module = get_model(
        architecture,
        weights=None,
        weights_backbone=None,
        num_classes=classes,
        **_bounds(architecture),
    )
    wanted, given = _shapes(model.state_dict()), _shapes(state)
    if wanted != given:
        raise ModelError(_difference(wanted, given, architecture, classes=classes, where=where))
    model.load_state_dict(state, strict=False)
    is_published = not any(name.endswith(_COUNTER) for name in state)
    if is_published and architecture in _PUBLISHED_WITHOUT_EPSILON:
        for part in model.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.eps = 0.0
    return model.eval()


def _shapes(state: dict[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {
        name: tuple(tensor.shape) for name, tensor in state.items() if not name.endswith(_COUNTER)
    }


def _bounds(architecture: str) -> dict[str, int]:
    """Return the option that bounds the boxes of one picture; two-stage models name it else."""
    two_stage = architecture.startswith(("fasterrcnn", "maskrcnn", "keypointrcnn"))
    return {"box_detections_per_img" if two_stage else "detections_per_img": MOST_BOXES}


def _difference(
    wanted: dict[str, tuple[int, ...]],
    given: dict[str, tuple[int, ...]],
    architecture: str,
    *,
    classes: int,
    where: str,
) -> str:
    lacking, foreign = sorted(set(wanted) - set(given)), sorted(set(given) - set(wanted))
    other = [name for name in wanted if name in given and wanted[name] != given[name]]
    parts = [
        f"{len(found)} {word} ({', '.join(found[:_MOST_NAMED])})"
        for found, word in ((lacking, "missing"), (foreign, "unknown"))
        if found
    ]
    parts += [f"{name} is {given[name]}, wanted {wanted[name]}" for name in other[:_MOST_NAMED]]
    return (
        f"{where}: not the state of a {architecture} with {classes} classes (background "
        f"included): {'; '.join(parts)}; other classes need a .names file beside it"
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
