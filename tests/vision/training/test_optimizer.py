"""Steps: orthogonal ones inside the network, ordinary ones at its ends; the weights are shared."""

import pytest
import torch
from torch import nn

from vision.training.optimizer import Optimizer


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, 8, 3)
        self.inner = nn.Conv2d(8, 16, 3)
        self.outputs = nn.Conv2d(16, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.outputs(self.inner(self.stem(x)).relu())
        return answer


def stepped(share: float = 1.0) -> tuple[Network, dict[str, torch.Tensor]]:
    network, adapters = Network(), nn.ModuleList([nn.Conv2d(2, 2, 1)])
    before = {name: one.detach().clone() for name, one in network.named_parameters()}
    optimizer = Optimizer(network, adapters, rate=0.01)
    network(torch.randn(4, 3, 12, 12)).square().mean().backward()
    optimizer.step(share)
    after = dict(network.named_parameters())
    return network, {name: after[name].detach() - before[name] for name in before}


def test_every_weight_moves() -> None:
    _, steps = stepped()
    assert all(step.abs().max() > 0 for step in steps.values())


def test_a_step_inside_is_equally_large_in_all_directions() -> None:
    _, steps = stepped()
    spread = torch.linalg.svdvals(steps["inner.weight"].flatten(1))

    assert spread.max() / spread.min() < 3


def test_a_step_at_the_ends_follows_each_weight_for_itself() -> None:
    """AdamW's first step is the rate in every weight, whatever its gradient."""
    _, steps = stepped()
    assert steps["stem.weight"].abs() == pytest.approx(torch.full((8, 3, 3, 3), 0.01), rel=0.1)


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_a_smaller_share_is_a_smaller_step(share: float) -> None:
    _, whole = stepped()
    _, part = stepped(share)
    for name in whole:
        assert float(part[name].norm()) == pytest.approx(share * float(whole[name].norm()), rel=0.1)
