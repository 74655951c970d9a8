"""Says what runs the encoder here, why, and what each way to run it costs (``vigil doctor``)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from contracts.clock import Clock
from contracts.detections import Detector
from contracts.errors import ConfigError, ModelError
from contracts.frames import Frame, FrameHeader
from contracts.settings import VisionSettings
from vision.detect.backends.choice import open_cuda, open_encoder, open_torch
from vision.detect.backends.driver import has_cuda_driver
from vision.detect.backends.measure import Agreement, agreement, in_turn_ms, sample_picture
from vision.detect.backends.onnx_runtime import OnnxBackend
from vision.detect.backends.port import EncoderBackend
from vision.detect.encoder import EncoderDetector
from vision.detect.weights import EncoderFiles, encoder_files
from vision.detect.yolox import YoloxDetector

_CAMERA_SIZE: Final = (640, 360)
"""Width and height of the frame that is looked at: what cameras are analysed at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathCost:
    """One way to run the encoder.

    Attributes:
        backend: Its name.
        ms_a_frame: From a frame of 640x360 to its detections, at its batch size; None if it does
            not run here.
        agreed: How far its answers are from ONNX Runtime's; None for that itself.
        problem: Why it does not run here.
    """

    backend: str
    ms_a_frame: float | None = None
    agreed: Agreement | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderReport:
    """What runs the encoder on this machine.

    Attributes:
        backend: What the product would use now.
        reason: Why.
        sha256: Of the weights that it runs.
        is_shipped: Whether they came with the product.
        paths: What was measured, in turn in one run.
        published_ms: The same frame with a published detector on one thread; None without one.
    """

    backend: str
    reason: str
    sha256: str
    is_shipped: bool
    paths: tuple[PathCost, ...]
    published_ms: float | None = None

    @property
    def share_of_published(self) -> float | None:
        """Time of the backend in use over that of the published detector."""
        own = next((path.ms_a_frame for path in self.paths if path.backend == self.backend), None)
        if own is None or not self.published_ms:
            return None
        return own / self.published_ms


def inspect_encoder(
    settings: VisionSettings,
    *,
    clock: Clock,
    published: Path | None = None,
    is_compiling: bool = False,
) -> EncoderReport:
    """Open what could run the encoder here, compare the answers and measure.

    Args:
        settings: Of vision.
        clock: For measuring.
        published: ONNX file of a YOLOX to compare with.
        is_compiling: Whether to measure torch on the CPU too, which compiles for most of a minute.

    Raises:
        ConfigError: The weights are not there, or the settings ask for a device that is not.
        ModelError: The weights are damaged.
    """
    files = encoder_files(settings)
    in_use, _ = open_encoder(settings, clock=clock)
    reference = OnnxBackend(files.encoder, files.objects, threads=settings.threads)
    opened: list[EncoderBackend] = [reference]
    failed: list[PathCost] = []
    for name, make in _others(files, settings, is_compiling=is_compiling):
        try:
            opened.append(in_use if in_use.name == name else make())
        except (ConfigError, ModelError) as error:
            failed.append(PathCost(backend=name, problem=str(error)))
    works = [_looking(EncoderDetector(one, confidence=0.3), one.batch_frames) for one in opened]
    if published is not None:
        works.append(_looking(YoloxDetector(published, threads=settings.threads), 1))
    spent_ms = in_turn_ms(works, clock=clock)
    paths = [
        PathCost(
            backend=backend.name,
            ms_a_frame=ms / backend.batch_frames,
            agreed=None if backend is reference else agreement(reference, backend),
        )
        for backend, ms in zip(opened, spent_ms, strict=False)
    ]
    return EncoderReport(
        backend=in_use.name,
        reason=_reason(settings, in_use),
        sha256=in_use.sha256,
        is_shipped=files.is_shipped,
        paths=(*paths, *failed),
        published_ms=None if published is None else spent_ms[-1],
    )


def _others(
    files: EncoderFiles, settings: VisionSettings, *, is_compiling: bool
) -> Sequence[tuple[str, Callable[[], EncoderBackend]]]:
    others: list[tuple[str, Callable[[], EncoderBackend]]] = []
    if is_compiling or settings.backend == "torch":
        others.append(("torch", partial(open_torch, files, threads=settings.threads)))
    if has_cuda_driver():
        others.append(("cuda", partial(open_cuda, files)))
    return others


def _reason(settings: VisionSettings, in_use: EncoderBackend) -> str:
    if settings.backend != "auto":
        return f"vision.backend asks for {settings.backend}"
    if not has_cuda_driver():
        return "no CUDA device, and the fastest on a CPU"
    return f"{in_use.name} measured better at this start"


def _looking(detector: Detector, frames: int) -> Callable[[], object]:
    width, height = _CAMERA_SIZE
    header = FrameHeader(
        camera_id="doctor",
        run_id="doctor",
        seq=0,
        captured_at=datetime(2000, 1, 1, tzinfo=UTC),
        monotonic_s=0.0,
        width=width,
        height=height,
    )
    pixels = cv2.resize(sample_picture(), _CAMERA_SIZE)
    picture = Frame(header=header, pixels_HW3=np.asarray(pixels, np.uint8))
    return partial(detector.detect, [picture] * frames)
