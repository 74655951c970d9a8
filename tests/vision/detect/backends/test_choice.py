"""Which backend runs the encoder, and what is done about one that does not work or disagrees."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from contracts.clock import SystemClock
from contracts.errors import ConfigError, ModelError
from contracts.frames import BgrImage
from contracts.settings import VisionSettings
from tests.fakes.clock import ManualClock
from tests.vision.detect.fake_backend import FakeBackend
from vision.detect.backends.choice import choose, open_encoder
from vision.detect.backends.port import DeviceFull, EncoderBackend, Look


@dataclass(slots=True)
class _Timed(FakeBackend):
    """Takes so long for a look by the clock, and moves boxes by so many pixels."""

    clock: ManualClock | None = None
    look_s: float = 0.01
    shift_px: float = 0.0

    def look(self, pixels_NHW3: BgrImage) -> Look:
        look = FakeBackend.look(self, pixels_NHW3)
        if self.clock is not None:
            self.clock.advance(self.look_s)
        return replace(look, boxes_NA4=look.boxes_NA4 + np.float32(self.shift_px))


def chosen(*, device_s: float = 0.01, shift_px: float = 0.0) -> tuple[str, str | None]:
    clock = ManualClock()
    cpu = _Timed(name="onnxruntime", batch_frames=1, clock=clock, look_s=0.01)
    device = _Timed(name="cuda", batch_frames=8, clock=clock, look_s=device_s, shift_px=shift_px)
    backend, spare = choose(lambda: cpu, lambda: device, clock=clock)
    return backend.name, None if spare is None else spare().name


def test_a_device_that_is_faster_for_a_frame_is_taken_with_the_cpu_to_fall_back_on() -> None:
    assert chosen(device_s=0.04) == ("cuda", "onnxruntime")


def test_a_device_that_is_slower_is_not_taken() -> None:
    assert chosen(device_s=0.2) == ("onnxruntime", None)


def test_a_device_that_answers_otherwise_is_not_taken_however_fast() -> None:
    assert chosen(device_s=0.001, shift_px=1.5) == ("onnxruntime", None)


@pytest.mark.parametrize(
    "error", [ConfigError("no device"), ModelError("no weights"), DeviceFull("no room")]
)
def test_a_device_that_does_not_work_is_not_taken(error: Exception) -> None:
    def broken() -> EncoderBackend:
        raise error

    cpu = FakeBackend(name="onnxruntime")

    assert choose(lambda: cpu, broken, clock=ManualClock()) == (cpu, None)


def settings(folder: Path, backend: str) -> VisionSettings:
    return VisionSettings.model_validate(
        {"detector": "encoder", "weights": folder, "backend": backend}
    )


def test_the_settings_can_ask_for_onnx_runtime(encoder_folder: Path) -> None:
    backend, spare = open_encoder(settings(encoder_folder, "onnxruntime"), clock=SystemClock())

    assert backend.name == "onnxruntime"
    assert spare is None


@pytest.mark.no_gpu
def test_without_a_device_there_is_nothing_to_measure(encoder_folder: Path) -> None:
    backend, spare = open_encoder(settings(encoder_folder, "auto"), clock=ManualClock())

    assert backend.name == "onnxruntime"
    assert spare is None


@pytest.mark.no_gpu
def test_a_device_that_was_asked_for_and_is_not_there_is_an_error(encoder_folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"vision\.backend = 'cuda'"):
        open_encoder(settings(encoder_folder, "cuda"), clock=SystemClock())


@pytest.mark.slow
@pytest.mark.timeout(400)  # a compiler at work on a machine that may do other things too
def test_torch_is_compiled_where_it_is_asked_for(encoder_folder: Path) -> None:
    backend, spare = open_encoder(settings(encoder_folder, "torch"), clock=SystemClock())

    assert backend.name == "torch"
    assert spare is not None
    assert spare().name == "onnxruntime"


@pytest.mark.gpu
def test_a_cuda_device_is_measured_and_taken(encoder_folder: Path) -> None:
    backend, spare = open_encoder(settings(encoder_folder, "auto"), clock=SystemClock())

    assert backend.name == "cuda"
    assert spare is not None
