"""The encoder: one look at a picture gives objects, what they look like, and the whole scene.

A plain convolutional network in three steps: a backbone down to stride 32, a pyramid that brings
what is far away and what is near to strides 8, 16 and 32, and heads. Nothing in it is tied to a
size: any height and width that are multiples of 32 will do.

Shape legend: N = pictures, H, W = input in pixels (multiples of 32), A = anchor points of strides
8, 16 and 32 (H*W/64 + H*W/256 + H*W/1024), C = classes, K = regions, D = embedding, P = postures,
S = scene tokens.

Sources: residual and cross-stage-partial blocks (He et al. 2016; Wang et al. 2020), pyramid with
a path down and one up (Lin et al. 2017; Liu et al. 2018), anchor-free boxes as distances to the
four sides (Tian et al. 2019, "FCOS"). Dense convolutions throughout: depthwise ones have fewer
operations and were no faster on a CPU.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812  # its usual name
from torch import Tensor, nn
from torchvision.ops import roi_align  # type: ignore[import-untyped]  # the package has no types

STRIDES: Final = (8, 16, 32)
SCALE: Final = 1 / 64.0
MIDDLE: Final = 114.0
"""Pixels 0 to 255 come in as (pixel - 114) / 64; 114 is the grey of the letterbox."""
REGION: Final = (8, 4)
"""Rows and columns of a region that is cut from the feature maps: people are tall."""
SCENE_GRID: Final = (2, 3)
"""Rows and columns of the scene tokens; one more stands for the whole picture."""
LONGEST_SIDE_LOG: Final = 5.0
"""Distances are exp(x) strides, at most e^5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderShape:
    """Sizes of the network; stored with the weights.

    Attributes:
        widths: Channels at strides 2, 4, 8, 16, 32.
        depths: Blocks at strides 4, 8, 16, 32.
        pyramid: Channels of the pyramid.
        classes: What the detection head names.
        embedding: Length of an object's embedding, and of a scene token.
        postures: What the posture head names.
    """

    classes: tuple[str, ...]
    postures: tuple[str, ...]
    widths: tuple[int, int, int, int, int] = (16, 32, 64, 128, 192)
    depths: tuple[int, int, int, int] = (1, 2, 2, 1)
    pyramid: int = 64
    embedding: int = 64


class EncoderMaps(NamedTuple):
    """What the network gives for a batch of pictures.

    Attributes:
        logits_NAC: Class scores before the sigmoid.
        boxes_NA4: x1, y1, x2, y2 in pixels of the input, not clipped to it.
        fine: Features at stride 4, (N, widths[1], H/4, W/4).
        deep: Features at stride 8, (N, pyramid, H/8, W/8).
        pyramid: The three maps that the detection head reads, strides 8, 16, 32.
    """

    logits_NAC: Tensor
    boxes_NA4: Tensor
    fine: Tensor
    deep: Tensor
    pyramid: tuple[Tensor, Tensor, Tensor]


def _unit(wide_in: int, wide_out: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(wide_in, wide_out, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(wide_out),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two 3x3 convolutions beside an identity."""

    def __init__(self, wide: int) -> None:
        super().__init__()
        self.first = _unit(wide, wide)
        self.second = nn.Sequential(
            nn.Conv2d(wide, wide, 3, 1, 1, bias=False), nn.BatchNorm2d(wide)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return F.relu(x + self.second(self.first(x)))


class CrossStage(nn.Module):
    """Residual blocks on half of the channels; every step of the way is kept and mixed."""

    def __init__(self, wide: int, depth: int) -> None:
        super().__init__()
        self.part = wide // 2
        self.split = _unit(wide, wide, 1)
        self.blocks = nn.ModuleList(Residual(self.part) for _ in range(depth))
        self.mix = _unit(self.part * (depth + 2), wide, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        parts = list(self.split(x).split(self.part, dim=1))
        for block in self.blocks:
            parts.append(block(parts[-1]))
        mixed: Tensor = self.mix(torch.cat(parts, dim=1))
        return mixed


class Encoder(nn.Module):
    """Backbone, pyramid and detection head."""

    def __init__(self, shape: EncoderShape) -> None:
        super().__init__()
        self.shape = shape
        two, four, eight, sixteen, thirtytwo = shape.widths
        wide = shape.pyramid
        self.stem = _unit(3, two, 3, 2)
        self.stage4 = nn.Sequential(_unit(two, four, 3, 2), CrossStage(four, shape.depths[0]))
        self.stage8 = nn.Sequential(_unit(four, eight, 3, 2), CrossStage(eight, shape.depths[1]))
        self.stage16 = nn.Sequential(
            _unit(eight, sixteen, 3, 2), CrossStage(sixteen, shape.depths[2])
        )
        self.stage32 = nn.Sequential(
            _unit(sixteen, thirtytwo, 3, 2), CrossStage(thirtytwo, shape.depths[3])
        )
        self.lateral8 = _unit(eight, wide, 1)
        self.lateral16 = _unit(sixteen, wide, 1)
        self.lateral32 = _unit(thirtytwo, wide, 1)
        self.down16 = CrossStage(wide, 1)
        self.down8 = CrossStage(wide, 1)
        self.step16 = _unit(wide, wide, 3, 2)
        self.up16 = CrossStage(wide, 1)
        self.step32 = _unit(wide, wide, 3, 2)
        self.up32 = CrossStage(wide, 1)
        self.towers = nn.ModuleList(_unit(wide, wide) for _ in STRIDES)
        self.outputs = nn.ModuleList(nn.Conv2d(wide, len(shape.classes) + 4, 1) for _ in STRIDES)
        for output in self.outputs:
            # A rare class begins rare: sigmoid(-4.6) = 0.01.
            nn.init.normal_(output.weight, std=0.01)  # type: ignore[arg-type]  # a Conv2d's
            nn.init.constant_(output.bias[: len(shape.classes)], -4.6)  # type: ignore[index]
            nn.init.constant_(output.bias[len(shape.classes) :], 0.5)  # type: ignore[index]

    def forward(self, pixels_N3HW: Tensor) -> EncoderMaps:
        """Look at pictures: blue, green, red, 0 to 255, any floating type.

        Raises:
            ValueError: Height or width is no multiple of 32.
        """
        height, width = pixels_N3HW.shape[2:]
        if height % STRIDES[-1] or width % STRIDES[-1]:
            raise ValueError(f"sides must be multiples of {STRIDES[-1]}, got {width}x{height}")
        fine = self.stage4(self.stem((pixels_N3HW - MIDDLE) * SCALE))
        at8 = self.stage8(fine)
        at16 = self.stage16(at8)
        low32 = self.lateral32(self.stage32(at16))
        low16 = self.down16(self.lateral16(at16) + F.interpolate(low32, scale_factor=2.0))
        deep = self.down8(self.lateral8(at8) + F.interpolate(low16, scale_factor=2.0))
        high16 = self.up16(low16 + self.step16(deep))
        high32 = self.up32(low32 + self.step32(high16))
        pyramid = (deep, high16, high32)
        logits, boxes = [], []
        count = len(self.shape.classes)
        for level, features in enumerate(pyramid):
            # Corners need more digits than half precision has: 300 pixels would be 299 or 301.
            raw = self.outputs[level](self.towers[level](features)).float()
            flat = raw.flatten(2).transpose(1, 2)
            logits.append(flat[..., :count])
            boxes.append(_boxes(flat[..., count:], STRIDES[level], raw.shape[2], raw.shape[3]))
        return EncoderMaps(torch.cat(logits, 1), torch.cat(boxes, 1), fine, deep, pyramid)


class ObjectHead(nn.Module):
    """What an object looks like: an embedding of who it is and scores of how it holds itself."""

    def __init__(self, shape: EncoderShape) -> None:
        super().__init__()
        wide = shape.pyramid
        self.mix = nn.Sequential(
            _unit(shape.widths[1] + shape.pyramid, wide), _unit(wide, wide), _unit(wide, wide)
        )
        strips = REGION[0] // 2
        self.embed = nn.Linear(wide * strips, shape.embedding)
        self.posture = nn.Linear(wide * strips, len(shape.postures))

    def forward(self, fine: Tensor, deep: Tensor, regions_K5: Tensor) -> tuple[Tensor, Tensor]:
        """Describe regions.

        Args:
            fine: Map of the encoder at stride 4.
            deep: Map of the encoder at stride 8.
            regions_K5: Picture's index in the batch, then x1, y1, x2, y2 in pixels of the input.

        Returns:
            Unit vectors (K, D), and posture scores (K, P) before the softmax.
        """
        cut = [
            roi_align(maps, regions_K5, REGION, spatial_scale=1 / stride, sampling_ratio=2,
                      aligned=True)
            for maps, stride in ((fine, 4), (deep, 8))
        ]  # fmt: skip
        return self.describe(torch.cat(cut, dim=1))

    def describe(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Do the same with features that were cut out before, (K, channels, 8, 4)."""
        mixed = self.mix(features)
        # Head, trunk, thighs and feet are compared each with its own kind: strips of two rows.
        flat = F.avg_pool2d(mixed, (2, REGION[1])).flatten(1)
        return F.normalize(self.embed(flat), dim=1), self.posture(flat)


def scene_tokens(maps: EncoderMaps) -> Tensor:
    """Return the scene as unit vectors (N, S, pyramid): a grid of 2 x 3 and the whole, last."""
    coarse = maps.pyramid[2]
    indices_N = torch.arange(coarse.shape[0], device=coarse.device).to(coarse.dtype)
    first_N1 = torch.zeros_like(indices_N)[:, None]
    last_N2 = torch.cat([first_N1 + coarse.shape[3], first_N1 + coarse.shape[2]], dim=1)
    regions_N5 = torch.cat([indices_N[:, None], first_N1, first_N1, last_N2], dim=1)
    cells = roi_align(coarse, regions_N5, SCENE_GRID, sampling_ratio=2, aligned=True)
    whole = coarse.mean(dim=(2, 3))[:, None]
    tokens = torch.cat([cells.flatten(2).transpose(1, 2), whole], dim=1)
    return F.normalize(tokens, dim=2)


def anchor_points(height: int, width: int) -> Tensor:
    """Return x, y in pixels and stride of each anchor point of an input, shape (A, 3)."""
    parts = []
    for stride in STRIDES:
        y, x = torch.meshgrid(
            torch.arange(height // stride), torch.arange(width // stride), indexing="ij"
        )
        points = torch.stack([x, y], dim=-1).reshape(-1, 2).float()
        parts.append(torch.cat([(points + 0.5) * stride, torch.full((len(points), 1), stride)], 1))
    return torch.cat(parts)


def _boxes(raw_NA4: Tensor, stride: int, rows: int, columns: int) -> Tensor:
    """Return corners from the logarithms of the distances to left, top, right and bottom."""
    y, x = torch.meshgrid(
        torch.arange(rows, device=raw_NA4.device),
        torch.arange(columns, device=raw_NA4.device),
        indexing="ij",
    )
    points = (torch.stack([x, y], dim=-1).reshape(-1, 2).to(raw_NA4.dtype) + 0.5) * stride
    sides = raw_NA4.clamp(max=LONGEST_SIDE_LOG).exp() * stride
    return torch.cat([points - sides[..., :2], points + sides[..., 2:]], dim=-1)
