"""The model file of a detector family that needs one; kept apart so that a check loads no model."""

from pathlib import Path

from contracts.errors import ConfigError
from contracts.settings import VisionSettings


def weights_file(settings: VisionSettings) -> Path:
    """Return the model file that the settings name.

    Raises:
        ConfigError: None is named, or it is not there.
    """
    where = f"vision.detector = {settings.detector!r}"
    if settings.weights is None:
        raise ConfigError(
            f"{where} needs a model file: set vision.weights to an ONNX export of any YOLOX "
            "(https://github.com/Megvii-BaseDetection/YOLOX, folder demo/ONNXRuntime, has them), "
            "or use the family 'motion', which needs none"
        )
    if not settings.weights.is_file():
        raise ConfigError(f"{where}: vision.weights = {settings.weights} is not a file")
    return settings.weights
