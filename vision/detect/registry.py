"""The detector families by name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from contracts.detections import Detector
from contracts.errors import ConfigError
from contracts.settings import VisionSettings
from vision.detect.motion import MotionDetector
from vision.detect.yolox import YoloxDetector
from vision.tracker import LOW_SHARE


def _make_motion(settings: VisionSettings) -> Detector:
    return MotionDetector(confidence=LOW_SHARE * settings.confidence)


def _make_yolox(settings: VisionSettings) -> Detector:
    weights = _weights(settings)
    names = weights.with_suffix(".names")
    return YoloxDetector(
        weights,
        confidence=LOW_SHARE * settings.confidence,
        threads=settings.threads,
        names=names if names.is_file() else None,
    )


FAMILIES: Final[Mapping[str, Callable[[VisionSettings], Detector]]] = {
    "motion": _make_motion,
    "yolox": _make_yolox,
}


def make_detector(settings: VisionSettings) -> Detector:
    """Return the detector that the settings ask for.

    It reports boxes somewhat below ``settings.confidence`` as well: they continue a track, and
    begin none. Names of classes are read from ``<weights>.names`` if that file is there.

    Raises:
        ConfigError: The family is not known, or its model file is not given or not there.
        ModelError: The model file is not what the family promises.
    """
    if settings.detector not in FAMILIES:
        raise ConfigError(
            f"vision.detector = {settings.detector!r}: families are {sorted(FAMILIES)}"
        )
    return FAMILIES[settings.detector](settings)


def _weights(settings: VisionSettings) -> Path:
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
