"""The encoder in torch: compiled on the CPU, or in CUDA graphs at fixed batch sizes.

Only imported where it could be chosen: importing torch takes seconds.

Shape legend: N = pictures, B = batch budget, H, W = input in pixels, K = regions.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import structlog
import torch
from torch import Tensor, nn

from contracts.errors import ConfigError, ModelError
from contracts.frames import BgrImage
from vision.detect.backends.cuda_graphs import GraphRunner
from vision.detect.backends.port import (
    DeviceFull,
    DeviceLost,
    EncoderNames,
    FloatArray,
    Look,
    check_description,
    check_look,
)
from vision.detect.backends.torch_network import Looking, Seen, open_network
from vision.detect.fitting import GREY
from vision.detect.model_card import sha256_of

log = structlog.get_logger()

BUDGETS: Final = (1, 2, 4, 8, 16, 32)
"""Batch sizes on CUDA; a batch is filled up to the next of them."""
MOST_GRAPHS: Final = 24
"""Graphs that are kept; each holds its answers in the device's memory."""
USUAL_INPUT: Final = (224, 384)
"""Height and width that are prepared before the first frame comes: 16:9."""
COMPILERS: Final = ("c++", "g++", "clang++")
_FULL: Final = ("out of memory", "ALLOC_FAILED", "failed to allocate")


class TorchBackend:
    """One network on one device, at batch sizes that are prepared once each.

    Args:
        weights: Safetensors, as training writes them.
        name: ``torch`` or ``cuda``.
        device: Where it runs.
        dtype: Of backbone and pyramid; boxes come in single precision anyway.
        budgets: Batch sizes, ascending.
        compiler: Applied to the network, for instance ``torch.compile``.

    Raises:
        ModelError: The weights are missing, damaged or not an encoder's, or the network does not
            run here.
        DeviceFull: The device has no memory even for one picture.
        DeviceLost: The device cannot be used.
    """

    def __init__(
        self,
        weights: Path,
        *,
        name: str,
        device: str,
        dtype: torch.dtype = torch.float32,
        budgets: Sequence[int] = (1,),
        compiler: Callable[[Looking], Any] | None = None,
    ) -> None:
        self.name = name
        self.sha256 = sha256_of(weights) if weights.is_file() else ""
        self._where = str(weights)
        self._device = torch.device(device)
        self._budgets = tuple(budgets)
        looking, describing, encoder = open_network(weights, dtype=dtype)
        self.names = EncoderNames(
            classes=encoder.shape.classes,
            postures=encoder.shape.postures,
            embedding=encoder.shape.embedding,
            pyramid=encoder.shape.pyramid,
        )
        with _translated(self._where):
            self._looking: Any = looking.to(self._device)
            self._describing: nn.Module = describing.to(self._device)
        if compiler is not None:
            self._looking = compiler(looking)
        self._runners: dict[tuple[int, int, int], GraphRunner] = {}
        for budget in budgets:
            try:
                self._prepare(budget)
            except DeviceFull as error:
                if budget == budgets[0]:
                    raise
                log.warning("batch does not fit the device", batch_frames=budget, cause=str(error))
                self._budgets = tuple(smaller for smaller in budgets if smaller < budget)
                break
        self.batch_frames = self._budgets[-1]

    def look(self, pixels_NHW3: BgrImage) -> Look:
        """See ``EncoderBackend.look``."""
        count, height, width = pixels_NHW3.shape[:3]
        try:
            with _translated(self._where), torch.no_grad():
                seen = self._see(_filled(pixels_NHW3, budget_for(count, self._budgets)))
                scores, boxes, scene = self._on_host([one[:count] for one in seen[:3]])
        except DeviceFull:
            # What is recorded anew for a smaller batch needs the room.
            self._runners.clear()
            torch.cuda.empty_cache()
            raise

        def describe(regions_K5: FloatArray) -> tuple[FloatArray, FloatArray]:
            with _translated(self._where), torch.no_grad():
                regions = torch.from_numpy(regions_K5).to(self._device)
                described = self._describing(seen.fine, seen.deep, regions)
                embeddings, postures = self._on_host(described)
            check_description(embeddings, postures, self.names, where=self._where)
            return embeddings, postures

        look = Look(scores_NAC=scores, boxes_NA4=boxes, scene_NSD=scene, describe=describe)
        check_look(look, self.names, size=(count, height, width), where=self._where)
        return look

    def _prepare(self, budget: int) -> None:
        probe = self.look(np.full((budget, *USUAL_INPUT, 3), GREY, np.uint8))
        probe.describe(np.array([[0, 0, 0, *USUAL_INPUT[::-1]]], np.float32))

    def _see(self, pixels_BHW3: BgrImage) -> Seen:
        if self._device.type != "cuda":
            seen: Seen = self._looking(torch.from_numpy(pixels_BHW3).to(self._device))
            return seen
        budget, height, width = pixels_BHW3.shape[:3]
        size = (budget, height, width)
        if size not in self._runners:
            if len(self._runners) >= MOST_GRAPHS:
                self._runners.pop(next(iter(self._runners)))
            self._runners[size] = GraphRunner(self._looking, size, device=self._device)
        return self._runners[size].run(pixels_BHW3)

    def _on_host(self, tensors: Sequence[Tensor]) -> list[npt.NDArray[np.float32]]:
        """Return copies in this machine's memory; waits for the device once."""
        if self._device.type != "cuda":
            return [tensor.numpy() for tensor in tensors]
        copies = [
            torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True).copy_(
                tensor, non_blocking=True
            )
            for tensor in tensors
        ]
        torch.cuda.current_stream(self._device).synchronize()
        return [copy.numpy() for copy in copies]


def open_on_cpu(weights: Path, *, threads: int) -> TorchBackend:
    """Return the network on the CPU, compiled where there is a C++ compiler, else as it is.

    Compiling takes the better part of a minute, and again for each other input size.

    Raises:
        ModelError: As ``TorchBackend`` does.
    """
    torch.set_num_threads(threads)
    if any(map(shutil.which, COMPILERS)):
        try:
            return TorchBackend(weights, name="torch", device="cpu", compiler=_compiled)
        except ModelError:
            raise
        except Exception as error:  # noqa: BLE001  # a compiler fails in any way it likes
            log.warning("torch cannot compile here, running as it is", cause=str(error)[:200])
    return TorchBackend(weights, name="torch", device="cpu")


def open_on_cuda(weights: Path) -> TorchBackend:
    """Return the network on the first CUDA device, in half precision, in graphs.

    Raises:
        ConfigError: torch finds no CUDA device.
        ModelError: As ``TorchBackend`` does.
    """
    if not torch.cuda.is_available():
        raise ConfigError(
            "vision.backend = 'cuda': torch finds no CUDA device (driver missing, or a build of "
            "torch without CUDA); set vision.backend to auto"
        )
    return TorchBackend(weights, name="cuda", device="cuda", dtype=torch.bfloat16, budgets=BUDGETS)


def budget_for(count: int, budgets: Sequence[int]) -> int:
    """Return the smallest budget that holds so many pictures.

    Raises:
        ValueError: None does.
    """
    for budget in budgets:
        if count <= budget:
            return budget
    raise ValueError(f"{count} pictures at once, the largest batch is {budgets[-1]}")


def device_error(error: RuntimeError, *, where: str) -> ModelError | None:
    """Return what a device's failure means, None if it is none.

    torch has a class for a full device and none for most others: libraries beneath it speak by
    their text only.
    """
    text = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    if isinstance(error, torch.OutOfMemoryError) or any(word in str(error) for word in _FULL):
        return DeviceFull(f"{where}: {text}")
    if isinstance(error, torch.AcceleratorError) or "CUDA" in str(error) or "cuDNN" in str(error):
        return DeviceLost(f"{where}: {text}")
    return None


@contextmanager
def _translated(where: str) -> Iterator[None]:
    """Raise what a device's failure means in its place."""
    try:
        yield
    except RuntimeError as error:
        meant = device_error(error, where=where)
        if meant is None:
            raise
        raise meant from error


def _compiled(looking: Looking) -> Any:  # noqa: ANN401  # whatever torch makes of it
    return torch.compile(looking, dynamic=False)


def _filled(pixels_NHW3: BgrImage, budget: int) -> BgrImage:
    """Return the batch with empty pictures up to the budget."""
    count = len(pixels_NHW3)
    if count == budget:
        return pixels_NHW3
    filled_BHW3 = np.full((budget, *pixels_NHW3.shape[1:]), GREY, np.uint8)
    filled_BHW3[:count] = pixels_NHW3
    return filled_BHW3
