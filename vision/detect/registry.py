"""The detector families by name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import structlog

from contracts.clock import SystemClock
from contracts.detections import ANY_LABEL, Detector
from contracts.errors import ConfigError
from contracts.settings import Settings, VisionSettings
from vision.detect.backends.choice import open_encoder
from vision.detect.detector_choice import AUTO, DetectorChoice, choose_detector
from vision.detect.encoder import EncoderDetector
from vision.detect.motion import MotionDetector
from vision.detect.published import make_torchvision, make_transformers
from vision.detect.weights import SHIPPED, weights_file
from vision.detect.witnessed import WitnessedDetector
from vision.detect.yolox import YoloxDetector
from vision.tracker import LOW_SHARE

log = structlog.get_logger()


def _make_motion(settings: VisionSettings) -> Detector:
    return MotionDetector(confidence=LOW_SHARE * settings.confidence)


def _make_yolox(settings: VisionSettings) -> Detector:
    weights = weights_file(settings)
    names = weights.with_suffix(".names")
    return YoloxDetector(
        weights,
        confidence=LOW_SHARE * settings.confidence,
        threads=settings.threads,
        names=names if names.is_file() else None,
    )


def _make_encoder(settings: VisionSettings) -> Detector:
    backend, spare = open_encoder(settings, clock=SystemClock())
    return EncoderDetector(backend, confidence=LOW_SHARE * settings.confidence, spare=spare)


FAMILIES: Final[Mapping[str, Callable[[VisionSettings], Detector]]] = {
    "encoder": _make_encoder,
    "motion": _make_motion,
    "torchvision": make_torchvision,
    "transformers": make_transformers,
    "yolox": _make_yolox,
}


DETECTOR_NAMES: Final = (AUTO, *sorted(FAMILIES))
"""What ``vision.detector`` can be."""


def open_detector(settings: Settings, *, shipped: Path = SHIPPED) -> Detector:
    """Return the detector that the settings stand for, and log which it is and why.

    Args:
        settings: Of vision, and the data folder with the pulled models.
        shipped: Folder of the weights that came with the product.

    Raises:
        ConfigError: The family's model file is not given or not there.
        ModelError: A model file, or what was written down about it, is damaged.
    """
    choice = choose_detector(settings.vision, data_dir=settings.data_dir, shipped=shipped)
    _log_choice(choice)
    detector = make_detector(choice.settings)
    if settings.vision.detector == AUTO and detector.labels != (ANY_LABEL,):
        return WitnessedDetector(detector, _make_motion(choice.settings))
    return detector


def _log_choice(choice: DetectorChoice) -> None:
    if choice.is_makeshift:
        log.warning(
            "a makeshift detector is at work",
            detector=choice.name,
            reason=choice.reason,
            remedy=choice.remedy,
        )
    else:
        log.info("detector chosen", detector=choice.name, reason=choice.reason)


def make_detector(settings: VisionSettings) -> Detector:
    """Return a detector of the family that the settings name; ``open_detector`` knows ``auto``.

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
