"""A tiny encoder with random weights, exported as training exports it."""

import warnings
from pathlib import Path

import onnx
import torch

from tests.vision.detect.fake_backend import CLASSES, POSTURES
from vision.detect.backends.onnx_runtime import OnnxBackend
from vision.encoder import Encoder, EncoderShape, ObjectHead
from vision.encoder_weights import save
from vision.training.export import export

SHAPE = EncoderShape(
    classes=CLASSES,
    postures=POSTURES,
    widths=(4, 8, 8, 16, 16),
    depths=(1, 1, 1, 1),
    pyramid=16,
    embedding=12,
)


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
