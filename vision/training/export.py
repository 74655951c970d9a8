"""Writes the encoder as two ONNX graphs, which run without torch.

``encoder.onnx``: pixels (N, H, W, 3) uint8, blue, green, red -> scores (N, A, C), boxes (N, A, 4),
fine, deep, scene (N, S, D). ``objects.onnx``: fine, deep, regions (K, 5) -> embeddings (K, D),
postures (K, P), both after their last step. N, H, W and K are free; H and W multiples of 32.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Final

import msgspec
import onnx
import torch
from torch import Tensor, nn

from vision.encoder import Encoder, ObjectHead, scene_tokens

OPSET: Final = 18
_PICTURE: Final = (2, 96, 160, 3)


class _Look(nn.Module):
    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, pixels_NHW3: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        maps = self.encoder(pixels_NHW3.permute(0, 3, 1, 2).float())
        scene = scene_tokens(maps)
        return maps.logits_NAC.sigmoid(), maps.boxes_NA4, maps.fine, maps.deep, scene


class _Describe(nn.Module):
    def __init__(self, objects: ObjectHead) -> None:
        super().__init__()
        self.objects = objects

    def forward(self, fine: Tensor, deep: Tensor, regions_K5: Tensor) -> tuple[Tensor, Tensor]:
        embeddings_KD, postures_KP = self.objects(fine, deep, regions_K5)
        return embeddings_KD, postures_KP.softmax(dim=1)


def export(encoder: Encoder, objects: ObjectHead, folder: Path) -> tuple[Path, Path]:
    """Write both graphs into a folder; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = torch.zeros(_PICTURE, dtype=torch.uint8)
    looked, described = folder / "encoder.onnx", folder / "objects.onnx"
    torch.onnx.export(
        _Look(encoder).eval(),
        (pixels,),
        str(looked),
        input_names=["pixels"],
        output_names=["scores", "boxes", "fine", "deep", "scene"],
        dynamic_axes={
            "pixels": {0: "pictures", 1: "height", 2: "width"},
            "scores": {0: "pictures", 1: "anchors"},
            "boxes": {0: "pictures", 1: "anchors"},
            "fine": {0: "pictures", 2: "height4", 3: "width4"},
            "deep": {0: "pictures", 2: "height8", 3: "width8"},
            "scene": {0: "pictures"},
        },
        opset_version=OPSET,
        dynamo=False,
    )
    with torch.no_grad():
        maps = encoder.eval()(pixels.permute(0, 3, 1, 2).float())
    regions = torch.tensor([[0.0, 8, 8, 40, 80], [1.0, 20, 4, 60, 90]])
    torch.onnx.export(
        _Describe(objects).eval(),
        (maps.fine, maps.deep, regions),
        str(described),
        input_names=["fine", "deep", "regions"],
        output_names=["embeddings", "postures"],
        dynamic_axes={
            "fine": {0: "pictures", 2: "height4", 3: "width4"},
            "deep": {0: "pictures", 2: "height8", 3: "width8"},
            "regions": {0: "regions"},
            "embeddings": {0: "regions"},
            "postures": {0: "regions"},
        },
        opset_version=OPSET,
        dynamo=False,
    )
    for path in (looked, described):
        _annotate(path, encoder)
    return looked, described


def _annotate(path: Path, encoder: Encoder) -> None:
    """Put the network's shape (class and posture names) into the file, as the weights have it."""
    model = onnx.load(path)
    onnx.helper.set_model_props(
        model, {"encoder": msgspec.json.encode(asdict(encoder.shape)).decode()}
    )
    onnx.save(model, path)
