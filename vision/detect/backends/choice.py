"""Chooses what runs the encoder: by the settings, or by measuring where there is a choice.

Without a CUDA device there is none: compiled torch takes 1.7 times the processor time of ONNX
Runtime on a CPU (docs/results/vision-runtime.md), and compiling takes most of a minute at each
start. ``vigil doctor --measure`` measures all of them anyway.
"""

from collections.abc import Callable
from functools import partial

import structlog

from contracts.clock import Clock
from contracts.errors import ConfigError, ModelError
from contracts.settings import VisionSettings
from vision.detect.backends.driver import has_cuda_driver
from vision.detect.backends.measure import agreement, ms_a_frame
from vision.detect.backends.onnx_runtime import OnnxBackend
from vision.detect.backends.port import EncoderBackend
from vision.detect.weights import EncoderFiles, encoder_files

log = structlog.get_logger()

OpenBackend = Callable[[], EncoderBackend]


def open_encoder(
    settings: VisionSettings, *, clock: Clock
) -> tuple[EncoderBackend, OpenBackend | None]:
    """Return the backend to use, and what makes its replacement should its device fail.

    Args:
        settings: Of vision.
        clock: For measuring.

    Raises:
        ConfigError: The weights are not there, or the settings ask for a device that is not.
        ModelError: The weights are damaged.
    """
    files = encoder_files(settings)
    on_onnx = partial(OnnxBackend, files.encoder, files.objects, threads=settings.threads)
    if settings.backend == "torch":
        return open_torch(files, threads=settings.threads), on_onnx
    if settings.backend == "cuda":
        return open_cuda(files), on_onnx
    if settings.backend == "auto" and has_cuda_driver():
        return choose(on_onnx, partial(open_cuda, files), clock=clock)
    return on_onnx(), None


def choose(
    on_cpu: OpenBackend, on_device: OpenBackend, *, clock: Clock
) -> tuple[EncoderBackend, OpenBackend | None]:
    """Return the faster of the two, and the one on the CPU as the replacement of the other.

    A device that does not work, or answers otherwise than the CPU does, is not used.

    Raises:
        ModelError: The one on the CPU does not work.
    """
    cpu = on_cpu()
    try:
        device = on_device()
        agreed = agreement(cpu, device)
        cpu_ms, device_ms = ms_a_frame([cpu, device], clock=clock)
    except (ConfigError, ModelError) as error:
        log.warning("device not used, the encoder runs on the CPU", cause=str(error))
        return cpu, None
    is_better = agreed.is_good and device_ms < cpu_ms
    log.info(
        "backend of the encoder chosen by measuring",
        backend=device.name if is_better else cpu.name,
        ms_a_frame={cpu.name: round(cpu_ms, 2), device.name: round(device_ms, 2)},
        cosine=round(agreed.cosine, 5),
        box_px=round(agreed.box_px, 2),
    )
    return (device, on_cpu) if is_better else (cpu, None)


def open_torch(files: EncoderFiles, *, threads: int) -> EncoderBackend:
    """Return torch on the CPU. Raises ModelError if its weights are missing or damaged."""
    from vision.detect.backends.torch_backend import (  # noqa: PLC0415  # takes seconds to import
        open_on_cpu,
    )

    return open_on_cpu(files.weights, threads=threads)


def open_cuda(files: EncoderFiles) -> EncoderBackend:
    """Return torch on CUDA.

    Raises:
        ConfigError: There is no device.
        ModelError: The weights are missing or damaged, or the device does not work.
    """
    from vision.detect.backends.torch_backend import (  # noqa: PLC0415  # takes seconds to import
        open_on_cuda,
    )

    return open_on_cuda(files.weights)
