"""A tiny encoder with random weights, exported as training exports it, and fake backends."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch

from contracts.errors import ModelError
from contracts.frames import BgrImage
from vision.detect.backends.onnx_runtime import OnnxBackend
from vision.detect.backends.port import DeviceFull, DeviceLost, EncoderNames, FloatArray, Look
from vision.encoder import Encoder, EncoderShape, ObjectHead
from vision.encoder_weights import save
from vision.training.export import export

CLASSES = ("person", "car", "dog")
POSTURES = ("upright", "bent", "lying")
SHAPE = EncoderShape(
    classes=CLASSES,
    postures=POSTURES,
    widths=(4, 8, 8, 16, 16),
    depths=(1, 1, 1, 1),
    pyramid=16,
    embedding=12,
)

NAMES = EncoderNames(classes=CLASSES, postures=POSTURES, embedding=12, pyramid=16)


def write_encoder(folder: Path, *, shape: EncoderShape = SHAPE, seed: int = 3) -> Path:
    """Write ``encoder.safetensors``, ``encoder.onnx`` and ``objects.onnx``; return the folder.

    Batch statistics are those of noise, and classes are as likely as not, so that the network
    answers differently to different pictures.
    """
    torch.manual_seed(seed)
    encoder, objects = Encoder(shape), ObjectHead(shape)
    for output in encoder.outputs:
        torch.nn.init.normal_(output.weight, std=0.5)  # type: ignore[arg-type]  # a Conv2d's
        torch.nn.init.zeros_(output.bias)  # type: ignore[arg-type]  # as above
    with torch.no_grad():
        for _ in range(4):
            maps = encoder.train()(torch.rand(2, 3, 64, 96) * 255)
            regions = torch.tensor([[0.0, 8, 8, 40, 56], [1, 20, 4, 60, 60]])
            objects.train()(maps.fine, maps.deep, regions)
    folder.mkdir(parents=True, exist_ok=True)
    save(folder / "encoder.safetensors", encoder.eval(), objects.eval())
    # Half precision weights are what torch loads: the graphs must hold the same numbers.
    for network in (encoder, objects):
        network.half().float()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tracer, about shapes that are free
        export(encoder, objects, folder)
    return folder


def backend_of(folder: Path) -> OnnxBackend:
    return OnnxBackend(folder / "encoder.onnx", folder / "objects.onnx")


def with_metadata(path: Path, text: str | None, *, into: Path) -> Path:
    """Write the model again with other metadata, or none."""
    model = onnx.load(path)
    del model.metadata_props[:]
    if text is not None:
        onnx.helper.set_model_props(model, {"encoder": text})
    onnx.save(model, into)
    return into


@dataclass(slots=True)
class FakeBackend:
    """Answers each picture by its first pixel, until its device fails as it is told.

    Attributes:
        room: Pictures that fit into its memory at once; more raise DeviceFull.
        looks_left: Looks before it is lost for good; None never.
        has_nan: Whether every look raises ModelError.
        batches: Sizes of what it looked at, if it is to keep them.
    """

    name: str = "fake"
    batch_frames: int = 8
    room: int = 8
    looks_left: int | None = None
    has_nan: bool = False
    batches: list[int] | None = None
    sha256: str = "f" * 64
    names: EncoderNames = NAMES

    def look(self, pixels_NHW3: BgrImage) -> Look:
        count = len(pixels_NHW3)
        if self.looks_left == 0:
            raise DeviceLost(f"{self.name}: told to be lost")
        if count > self.room:
            raise DeviceFull(f"{self.name}: told to have room for {self.room}")
        if self.has_nan:
            raise ModelError(f"{self.name}: told to answer nonsense")
        if self.looks_left is not None:
            self.looks_left -= 1
        if self.batches is not None:
            self.batches.append(count)
        scores = np.zeros((count, 21, 3), np.float32)
        scores[:, 0, 0] = pixels_NHW3[:, 0, 0, 0] / 255
        boxes = np.tile(np.array([4, 4, 20, 28], np.float32), (count, 21, 1))
        return Look(
            scores_NAC=scores,
            boxes_NA4=boxes,
            scene_NSD=np.full((count, 7, 16), 0.25, np.float32),
            describe=_describe,
        )


def _describe(regions_K5: FloatArray) -> tuple[FloatArray, FloatArray]:
    regions: Sequence[object] = list(regions_K5)
    embeddings = np.zeros((len(regions), 12), np.float32)
    embeddings[:, 0] = 1
    return embeddings, np.full((len(regions), 3), 1 / 3, np.float32)
