"""Families whose packages take seconds to import: loaded when one of them is asked for."""

import importlib
from typing import Any, Final

from contracts.detections import Detector
from contracts.errors import ConfigError
from contracts.settings import VisionSettings
from vision.detect.weights import weights_file
from vision.tracker import LOW_SHARE

_EXTRA: Final = "pip install 'transformers>=5.23,<6' (the extra 'models' of the package)"


def make_transformers(settings: VisionSettings) -> Detector:
    """Return a detector of the ``transformers`` package from the folder that the settings name.

    Raises:
        ConfigError: The folder is not there or not complete, or the package is not installed.
        ModelError: The files are not a detector's.
    """
    folder = weights_file(settings)
    module = _module("vision.detect.transformers_detector", family="transformers")
    made: Detector = module.TransformersDetector(
        folder, confidence=LOW_SHARE * settings.confidence, threads=settings.threads
    )
    return made


def make_torchvision(settings: VisionSettings) -> Detector:
    """Return a detector of torchvision from the safetensors file that the settings name.

    Names of classes are read from ``<weights>.names`` if that file is there.

    Raises:
        ConfigError: The file is not there, or of no model that torchvision has.
        ModelError: The file is not the state of such a model.
    """
    weights = weights_file(settings)
    names = weights.with_suffix(".names")
    module = _module("vision.detect.torchvision_detector", family="torchvision")
    made: Detector = module.TorchvisionDetector(
        weights,
        confidence=LOW_SHARE * settings.confidence,
        threads=settings.threads,
        names=names if names.is_file() else None,
    )
    return made


def _module(name: str, *, family: str) -> Any:  # noqa: ANN401  # a module that is imported late
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"vision.detector = {family!r} needs the package {error.name}, which is not "
            f"installed: {_EXTRA}"
        ) from error
