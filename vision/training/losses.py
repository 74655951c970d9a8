"""What the student is punished for.

Shape legend: N = views, A = anchor points, C = classes, D = channels, 4 = x1, y1, x2, y2.
"""

import torch
import torch.nn.functional as F  # noqa: N812  # its usual name
from torch import Tensor
from torchvision.ops import (  # type: ignore[import-untyped]  # the package has no types
    generalized_box_iou_loss,
)

FOCUS = 2.0
LEAST_WEIGHT = 0.1


def score_loss(logits_NAC: Tensor, wanted_NAC: Tensor) -> Tensor:
    """Quality focal loss (Li et al. 2020) against soft scores, per unit of wanted score."""
    distance = (wanted_NAC - logits_NAC.sigmoid()).abs() ** FOCUS
    entropy = F.binary_cross_entropy_with_logits(logits_NAC, wanted_NAC, reduction="none")
    return (distance * entropy).sum() / wanted_NAC.sum().clamp(min=1.0)


def box_loss(boxes_NA4: Tensor, wanted_NA4: Tensor, wanted_NAC: Tensor) -> Tensor:
    """Generalised IoU, weighted by how surely there is an object."""
    weight_NA = wanted_NAC.amax(dim=2)
    chosen = weight_NA >= LEAST_WEIGHT
    weight = weight_NA[chosen]
    lost = generalized_box_iou_loss(boxes_NA4[chosen], wanted_NA4[chosen], reduction="none")
    return torch.as_tensor((lost * weight).sum() / weight.sum().clamp(min=1.0))


def feature_loss(features_NAD: Tensor, taught_NAD: Tensor) -> Tensor:
    """One minus the correlation of each channel over all points (Cao et al. 2022, "PKD")."""
    student = _standard(features_NAD.flatten(0, 1))
    teacher = _standard(taught_NAD.flatten(0, 1))
    return (student - teacher).square().mean() / 2


def _standard(values_KD: Tensor) -> Tensor:
    centred = values_KD - values_KD.mean(dim=0)
    # Under the root: a channel that is the same everywhere would have an endless gradient.
    return torch.as_tensor(centred / (centred.square().mean(dim=0) + 1e-12).sqrt())
