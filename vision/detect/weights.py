"""The model files of detector families; kept apart so that a check loads no model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts.errors import ConfigError
from contracts.settings import VisionSettings

SHIPPED: Final = Path(__file__).parents[1] / "weights"
"""Where the product's own weights lie."""
_READ_FOLDERS: Final = frozenset({"transformers"})
_WANTED: Final = {
    "torchvision": "the safetensors file of a torchvision model, named after the model",
    "transformers": "the folder with config.json, preprocessor_config.json and model.safetensors",
    "yolox": "an ONNX export of any YOLOX",
}
"""What ``vision.weights`` must name, by family."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderFiles:
    """The three files of one encoder, which training writes together.

    Attributes:
        encoder: ONNX, pictures to boxes.
        objects: ONNX, boxes to embeddings and postures.
        weights: Safetensors of both, for torch; may be absent where ONNX Runtime is enough.
        is_shipped: Whether they came with the product.
    """

    encoder: Path
    objects: Path
    weights: Path
    is_shipped: bool


def encoder_files(settings: VisionSettings) -> EncoderFiles:
    """Return the encoder's files: those that the settings name, or those that were shipped.

    ``vision.weights`` is their folder or any one of them.

    Raises:
        ConfigError: One that ONNX Runtime needs is not there.
    """
    named = settings.weights or SHIPPED
    folder = named.parent if named.suffix in (".onnx", ".safetensors") else named
    files = EncoderFiles(
        encoder=folder / "encoder.onnx",
        objects=folder / "objects.onnx",
        weights=folder / "encoder.safetensors",
        is_shipped=folder.resolve() == SHIPPED,
    )
    missing = [path.name for path in (files.encoder, files.objects) if not path.is_file()]
    if missing:
        raise ConfigError(
            f"vision.detector = 'encoder': {' and '.join(missing)} not found in {folder}; leave "
            "vision.weights empty for the weights that came with Vigil, or name the folder that "
            "training wrote"
        )
    return files


def check_weights(settings: VisionSettings) -> None:
    """Raise ConfigError unless the files that the family needs are there."""
    if settings.detector == "encoder":
        encoder_files(settings)
    elif settings.detector != "motion":
        weights_file(settings)


def weights_file(settings: VisionSettings) -> Path:
    """Return the model file, or the folder of a family that reads one, that the settings name.

    Raises:
        ConfigError: None is named, or it is not there.
    """
    where = f"vision.detector = {settings.detector!r}"
    if settings.weights is None:
        raise ConfigError(
            f"{where} needs a model file: set vision.weights to {_WANTED[settings.detector]} "
            "('vigil models list' names some and 'vigil models pull' fetches them), or use the "
            "family 'motion', which needs none"
        )
    is_there = (
        settings.weights.is_dir()
        if settings.detector in _READ_FOLDERS
        else settings.weights.is_file()
    )
    if not is_there:
        kind = "folder" if settings.detector in _READ_FOLDERS else "file"
        raise ConfigError(f"{where}: vision.weights = {settings.weights} is not a {kind}")
    return settings.weights
