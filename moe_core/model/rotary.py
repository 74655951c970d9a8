"""Position as rotation, and norms.

Shape legend: B = sequences, S = tokens, R = half of the rotated channels.

Sources: Su et al. 2021, "RoFormer" (interleaved pairs); Zhang and Sennrich 2019, "Root mean square
layer normalization".
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

EPSILON = 1e-6


class Rotation(NamedTuple):
    """Cosines and sines of each position, shape (B, S, R)."""

    cos: Tensor
    sin: Tensor

    def back(self) -> "Rotation":
        """Return the rotation that undoes this one."""
        return Rotation(self.cos, -self.sin)


def rotation_of(positions_BS: Tensor, *, width: int, theta: float) -> Rotation:
    """Return the rotation of positions, which may be any numbers: event time, not the index.

    Args:
        positions_BS: Integers or floats; compared as differences only.
        width: Channels that are rotated.
        theta: Base; the longest wave is ``2 pi theta``.
    """
    steps_R = torch.arange(0, width, 2, device=positions_BS.device, dtype=torch.float32) / width
    angles = positions_BS[..., None].float() * theta**-steps_R
    return Rotation(angles.cos(), angles.sin())


def rotate(x: Tensor, rotation: Rotation) -> Tensor:
    """Rotate the trailing channels of ``x``, (B, S, heads, channels); the others pass."""
    width = 2 * rotation.cos.shape[-1]
    plain, turned = x[..., :-width], x[..., -width:].float()
    cos, sin = (part.unsqueeze(2) for part in rotation)
    even, odd = turned[..., 0::2], turned[..., 1::2]
    pairs = torch.stack([even * cos - odd * sin, odd * cos + even * sin], dim=-1)
    return torch.cat([plain, pairs.flatten(-2).to(x.dtype)], dim=-1)


def unit_rms(x: Tensor) -> Tensor:
    """Return ``x`` scaled to a root mean square of one over its channels."""
    return x * torch.rsqrt(x.float().square().mean(-1, keepdim=True) + EPSILON).to(x.dtype)


class RmsNorm(nn.Module):
    """Scales to a root mean square of one, then by a learned weight for each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return (self.weight * unit_rms(x.float())).to(x.dtype)
