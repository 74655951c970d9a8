"""The encoder in torch as backends run it: weights folded, one function from pixels to answers.

Shape legend: N = pictures, H, W = input in pixels, A = anchor points, C = classes, S = scene
tokens, D = embedding.
"""

import copy
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from vision.encoder import Encoder, ObjectHead, scene_tokens
from vision.encoder_weights import load


class Seen(NamedTuple):
    """What the network gives for a batch; all float32."""

    scores_NAC: Tensor
    boxes_NA4: Tensor
    scene_NSD: Tensor
    fine: Tensor
    deep: Tensor


class Looking(nn.Module):
    """Pixels (N, H, W, 3), uint8, blue, green, red, to ``Seen``.

    Backbone and pyramid may run in half precision. Where a rounding error would be one of pixels,
    in the last convolution that gives the boxes' sides, and all after it, single precision stays.
    """

    def __init__(self, encoder: Encoder, *, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self._dtype = dtype
        outputs = [_Single(copy.deepcopy(output)) for output in encoder.outputs]
        self._encoder = fold(encoder.eval()).to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]  # accepts both at once
        self._encoder.outputs = nn.ModuleList(outputs)

    def forward(self, pixels_NHW3: Tensor) -> Seen:
        """Look. Memory of the pixels is that of channels last already."""
        maps = self._encoder(pixels_NHW3.permute(0, 3, 1, 2).to(self._dtype))
        pyramid = tuple(level.float() for level in maps.pyramid)
        return Seen(
            scores_NAC=maps.logits_NAC.sigmoid(),
            boxes_NA4=maps.boxes_NA4,
            scene_NSD=scene_tokens(maps._replace(pyramid=pyramid)),
            fine=maps.fine.float(),
            deep=maps.deep.float(),
        )


class Describing(nn.Module):
    """Maps and regions (K, 5) to embeddings (K, D) and shares of postures (K, P)."""

    def __init__(self, objects: ObjectHead) -> None:
        super().__init__()
        self._objects = fold(objects.eval())

    def forward(self, fine: Tensor, deep: Tensor, regions_K5: Tensor) -> tuple[Tensor, Tensor]:
        """Describe."""
        embeddings_KD, postures_KP = self._objects(fine, deep, regions_K5)
        return embeddings_KD, postures_KP.softmax(dim=1)


class _Single(nn.Module):
    """A module whose input is taken to single precision."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self._module = module.float()

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self._module(x.float())
        return answer


def open_network(weights: Path, *, dtype: torch.dtype) -> tuple[Looking, Describing, Encoder]:
    """Load the weights for inference; the encoder is returned for its shape.

    Raises:
        ModelError: They are missing, damaged or not an encoder's.
    """
    encoder, objects = load(weights)
    return Looking(encoder, dtype=dtype).eval(), Describing(objects).eval(), encoder


def fold(network: nn.Module) -> nn.Module:
    """Put batch statistics into the convolutions before them; the network must be in ``eval``."""
    for part in network.modules():
        if not isinstance(part, nn.Sequential):
            continue
        for index in range(len(part) - 1):
            convolution, norm = part[index], part[index + 1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                part[index] = fuse_conv_bn_eval(convolution, norm)
                part[index + 1] = nn.Identity()
    return network
