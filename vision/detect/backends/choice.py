"""Chooses what runs the encoder."""

from collections.abc import Callable
from functools import partial

from contracts.settings import VisionSettings
from vision.detect.backends.onnx_runtime import OnnxBackend
from vision.detect.backends.port import EncoderBackend
from vision.detect.weights import encoder_files

Spare = Callable[[], EncoderBackend] | None


def open_encoder(settings: VisionSettings) -> tuple[EncoderBackend, Spare]:
    """Return the backend that the settings ask for and what makes its replacement.

    Raises:
        ConfigError: The weights are not there.
        ModelError: They are damaged.
    """
    files = encoder_files(settings)
    onnx = partial(OnnxBackend, files.encoder, files.objects, threads=settings.threads)
    return onnx(), None
