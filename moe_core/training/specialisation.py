"""What experts have become: how evenly they are asked, and whether they know rule families.

Shape legend: E = experts, Y = families, T = tokens, K = experts of a token.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from moe_core.model.batch import collate
from moe_core.model.expert_use import ExpertUse
from moe_core.model.network import ClaimNetwork
from moe_core.model.router import LearnedRouter
from moe_core.tokens.vocabulary import FAMILIES
from moe_core.training.examples import Example
from moe_core.training.loop import loads
from moe_core.training.losses import losses_of, targets_of, written

Array = npt.NDArray[np.float64]

SMALL = 0.01
"""A loss of the others below this counts as this: a ratio to nothing says nothing."""
TOP = 2
"""Experts of a family that are banned to see what they were good for."""
_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerUse:
    """How one layer's experts are used.

    Attributes:
        counts_EY: How often each expert was asked about each family.
        max_violation: By how much the busiest exceeds the mean, as a share (MaxVio).
        shared_information: Of expert and family, normalised by the mean of their entropies (NMI).
    """

    counts_EY: Array
    max_violation: float
    shared_information: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """What banning a family's top experts in all layers costs, in loss: it, and the others."""

    family: int
    own: float
    others: float

    @property
    def selectivity(self) -> float:
        """How much more the family is hurt than the others are."""
        return self.own / max(SMALL, self.others)


def uses(network: ClaimNetwork, found: Sequence[Example]) -> list[LayerUse]:
    """Return how the experts of each layer are used over examples."""
    shape = network.shape
    counts = [np.zeros((shape.experts, shape.families)) for _ in network.core.layers]
    families = sorted({one.prompt.family for one in found})
    for family in families:
        own = [one for one in found if one.prompt.family == family]
        for first in range(0, len(own), _BATCH):
            part = own[first : first + _BATCH]
            batch = collate([one.prompt for one in part], [written(one) for one in part])
            with torch.inference_mode():
                routed = network(batch).routed
            asked = loads(routed, batch.lengths_B, batch.ticks_BL.shape[1])
            for layer, load_E in enumerate(asked):
                counts[layer][:, family] += load_E.numpy()
    return [_use(counts_EY) for counts_EY in counts]


def kept_uses(network: ClaimNetwork, found: Sequence[Example]) -> tuple[ExpertUse, ...]:
    """Return how the experts of each layer are used, as it is kept with the weights."""
    return tuple(
        ExpertUse(
            max_violation=round(use.max_violation, 3),
            shared_information=round(use.shared_information, 3),
            asked={
                str(FAMILIES[family]): tuple(
                    round(float(share), 3) for share in counts_E / counts_E.sum()
                )
                for family, counts_E in enumerate(use.counts_EY.T)
                if counts_E.sum()
            },
        )
        for use in uses(network, found)
    )


def ablations(network: ClaimNetwork, found: Sequence[Example]) -> list[Ablation]:
    """Return, for each family, what it costs to ban its top experts."""
    used = uses(network, found)
    whole = losses_by_family(network, found)
    result = []
    for family in sorted(whole):
        with _banned(network, used, family):
            cut = losses_by_family(network, found)
        others = [cut[other] - whole[other] for other in whole if other != family]
        result.append(
            Ablation(
                family=family,
                own=cut[family] - whole[family],
                others=float(np.mean(others)) if others else 0.0,
            )
        )
    return result


def losses_by_family(network: ClaimNetwork, found: Sequence[Example]) -> dict[int, float]:
    """Return the mean loss of each family's examples."""
    result = {}
    for family in sorted({one.prompt.family for one in found}):
        own = [one for one in found if one.prompt.family == family]
        losses = []
        for first in range(0, len(own), _BATCH):
            part = own[first : first + _BATCH]
            batch = collate([one.prompt for one in part], [written(one) for one in part])
            with torch.inference_mode():
                losses.append(float(losses_of(network(batch), targets_of(part)).total))
        result[family] = float(np.mean(losses))
    return result


def normalised_information(counts_EY: Array) -> float:
    """Return the mutual information of rows and columns over the mean of their entropies, 0..1."""
    total = counts_EY.sum()
    if not total:
        return 0.0
    p_EY = counts_EY / total
    p_E, p_Y = p_EY.sum(axis=1), p_EY.sum(axis=0)
    mutual = _entropy(p_E) + _entropy(p_Y) - _entropy(p_EY.ravel())
    mean = (_entropy(p_E) + _entropy(p_Y)) / 2
    return float(mutual / mean) if mean > 0 else 0.0


def _entropy(p: Array) -> float:
    some = p[p > 0]
    return float(-(some * np.log(some)).sum())


def _use(counts_EY: Array) -> LayerUse:
    load_E = counts_EY.sum(axis=1)
    return LayerUse(
        counts_EY=counts_EY,
        max_violation=float(load_E.max() / max(1e-9, load_E.mean()) - 1),
        shared_information=normalised_information(counts_EY),
    )


class _banned:  # noqa: N801  # reads as a word in a with-statement
    """Bans a family's over-used experts in all layers that learn their routing, for a while."""

    def __init__(self, network: ClaimNetwork, used: Sequence[LayerUse], family: int) -> None:
        self._network, self._used, self._family = network, used, family
        self._kept: list[tuple[LearnedRouter, torch.Tensor]] = []

    def __enter__(self) -> None:
        for layer, use in zip(self._network.core.layers, self._used, strict=True):
            router = layer.mixture.router  # type: ignore[union-attr]  # a ModuleList of Layers
            if not isinstance(router, LearnedRouter):
                continue
            share_EY = use.counts_EY / np.maximum(use.counts_EY.sum(axis=0, keepdims=True), 1)
            top = np.argsort(-share_EY[:, self._family], kind="stable")[:TOP]
            self._kept.append((router, router.bias_E.clone()))
            router.bias_E[torch.from_numpy(top.copy())] = float("-inf")

    def __exit__(self, *_: object) -> None:
        for router, bias_E in self._kept:
            router.bias_E.copy_(bias_E)
