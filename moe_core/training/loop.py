"""The training loop of the core: batches of like length, AdamW, experts kept busy by their bias.

Shape legend: B = examples, L = tokens, E = experts, K = experts of a token.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from contracts.clock import SystemClock
from contracts.errors import ModelError
from moe_core.model.batch import Batch, collate
from moe_core.model.network import ClaimNetwork
from moe_core.model.router import LearnedRouter, Routed, TypeRouter, max_violation
from moe_core.training.checkpoint import Progress, progress_of, restore, save
from moe_core.training.examples import Example, shuffled
from moe_core.training.losses import losses_of, targets_of, written
from moe_core.training.mean import Mean
from moe_core.training.mirror import mirrored

CHECKPOINT: Final = "checkpoint.safetensors"
BEST: Final = "best.safetensors"
NOISE: Final = 0.05
"""By how much every number is off, relatively, in the mean; from nothing to twice as much."""
LOST: Final = 0.25
"""Share of what nothing rests on that is not read, in the mean; from nothing to twice as much."""
FAULTS: Final = 0.1
"""Share of the claims that are wrong in the chain that is read: one's own chain has faults."""
MIRRORED: Final = 0.5
"""Share of the examples that are seen in a mirror."""
GRADIENT_NORM: Final = 1.0
DECAY: Final = 0.1
WARM_UP: Final = 0.03
"""Share of the run in which the rate rises."""
BIAS_RATE: Final = 0.01
LOAD_MEMORY: Final = 0.98
"""Share of the running loads that is kept at a step: one batch is of few families, and a bias that
follows each batch comes to rest nowhere."""
SETTLED: Final = 0.8
"""From this share of the run on, routers' biases move a tenth as fast."""
COUNTED: Final = 2000
"""Examples by which types of tokens are given to experts."""
POOL: Final = 16
"""Batches are cut out of so many at once, sorted by length, so that little is padding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to train.

    Attributes:
        minutes: Of this call; a run that is cut goes on with what its checkpoint says.
        total_minutes: Of the whole run: what the rate falls over.
        batch: Examples of a step.
        rate: Highest rate of learning.
        seed: Of order and noise.
    """

    minutes: float
    total_minutes: float
    batch: int = 32
    rate: float = 1.5e-3
    seed: int = 0
    checkpoint_every_s: float = 180.0
    report_every: int = 50


def train(
    network: ClaimNetwork,
    found: Sequence[Example],
    *,
    plan: Plan,
    folder: Path,
    say: Callable[[str], None],
    look: Callable[[int, ClaimNetwork], float] | None = None,
) -> Progress:
    """Train until the time is over; resumes from the folder's checkpoint.

    The checkpoint for which ``look`` answered least stays in the folder as ``BEST``.

    Args:
        network: Is trained in place.
        found: To learn from, at least one batch of them.
        plan: How.
        folder: Of the run.
        say: Told a line of progress.
        look: Called with the step and the mean network after each checkpoint, to measure; returns
            how far it is from what it should be on cameras that are not trained on.

    Raises:
        ModelError: The loss is no number any more, or there is nothing to learn from.
    """
    if len(found) < plan.batch:
        raise ModelError(f"{len(found)} examples are fewer than one batch of {plan.batch}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CHECKPOINT
    optimizer = optimizer_of(network, rate=plan.rate)
    mean = Mean(network)
    progress = _begun(network, found, optimizer, mean, path)
    running = Running()
    clock = SystemClock()
    began_s, before_s, best = clock.monotonic_s(), progress.elapsed_s, progress.best
    saved_s, step, tokens = began_s, progress.step, progress.tokens
    rng = np.random.default_rng([plan.seed, step])
    shown: list[tuple[float, ...]] = []
    network.train()
    for chosen in _batches(found, plan.batch, rng):
        elapsed_s = before_s + clock.monotonic_s() - began_s
        share = elapsed_s / (60 * plan.total_minutes)
        if clock.monotonic_s() - began_s >= 60 * plan.minutes or share >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * schedule(share) * group["share"]
        batch, *parts = _step(network, optimizer, chosen, rng, running, share)
        step += 1
        mean.take(network, step)
        tokens += int(batch.lengths_B.sum())
        shown.append(tuple(parts))
        if step % plan.report_every == 0:
            say(_line(Progress(step=step, tokens=tokens, elapsed_s=elapsed_s), shown))
            shown.clear()
        if clock.monotonic_s() - saved_s >= plan.checkpoint_every_s:
            saved_s = clock.monotonic_s()
            at = Progress(step=step, tokens=tokens, elapsed_s=elapsed_s, best=best)
            best = _kept(path, network, optimizer, mean.network, at, look).best
    network.eval()
    elapsed_s = before_s + clock.monotonic_s() - began_s
    done = Progress(step=step, tokens=tokens, elapsed_s=elapsed_s, best=best)
    return _kept(path, network, optimizer, mean.network, done, look)


def _kept(
    path: Path,
    network: ClaimNetwork,
    optimizer: torch.optim.Optimizer,
    mean: ClaimNetwork,
    at: Progress,
    look: Callable[[int, ClaimNetwork], float] | None,
) -> Progress:
    """Write the checkpoint, look, and write it beside if none before it did better."""
    save(path, network, optimizer, at, mean=mean)
    watched = math.inf if look is None else look(at.step, mean)
    if watched < at.best:
        at = replace(at, best=watched)
        save(path.with_name(BEST), network, optimizer, at, mean=mean)
    return at


def _begun(
    network: ClaimNetwork,
    found: Sequence[Example],
    optimizer: torch.optim.Optimizer,
    mean: Mean,
    path: Path,
) -> Progress:
    """Go on with the checkpoint, or begin; return how far the run has come."""
    if path.exists():
        progress = restore(path, network, optimizer, mean=mean.network)
        best = path.with_name(BEST)
        return replace(progress, best=progress_of(best).best) if best.exists() else progress
    share_out(network, found[:COUNTED])
    return Progress()


def _line(at: Progress, shown: Sequence[tuple[float, ...]]) -> str:
    claim, truth, real, violation = np.mean(shown, axis=0)
    return (
        f"step {at.step}, {at.tokens / 1e6:.2f} M tokens, {at.elapsed_s / 60:.1f} min: "
        f"claim {claim:.3f}, truth {truth:.3f}, real {real:.3f}, MaxVio {violation:.2f}"
    )


def optimizer_of(network: ClaimNetwork, *, rate: float) -> torch.optim.AdamW:
    """Return AdamW; matrices decay, and routers learn half as fast."""
    routers, matrices, rest = [], [], []
    for name, parameter in network.named_parameters():
        if ".router." in name:
            routers.append(parameter)
        elif parameter.ndim > 1 and not name.startswith("tables"):
            matrices.append(parameter)
        else:
            rest.append(parameter)
    return torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": DECAY, "share": 1.0},
            {"params": rest, "weight_decay": 0.0, "share": 1.0},
            {"params": routers, "weight_decay": 0.0, "share": 0.5},
        ],
        lr=rate,
        betas=(0.9, 0.98),
        foreach=True,
    )


def schedule(share: float) -> float:
    """Return the share of the highest rate: up in a line, then down in a cosine."""
    if share < WARM_UP:
        return max(0.02, share / WARM_UP)
    past = (share - WARM_UP) / (1 - WARM_UP)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, past)))


class Running:
    """How many tokens of the last steps chose each expert, by layer, (E)."""

    def __init__(self) -> None:
        self._loads: list[Tensor] = []

    def take(self, counts: Sequence[Tensor]) -> list[Tensor]:
        """Return the running loads once a step's own, by layer, count too."""
        fresh = [load_E.float() for load_E in counts]
        for before_E, load_E in zip(self._loads, fresh, strict=False):
            load_E.lerp_(before_E, LOAD_MEMORY)
        self._loads = fresh
        return fresh


def share_out(network: ClaimNetwork, found: Sequence[Example]) -> None:
    """Give types of tokens to experts by how frequent they are in examples."""
    counts_Y = torch.zeros(network.shape.types)
    for one in found:
        kinds_L = collate([one.prompt], [written(one)]).tables_BL5[0, :, 0]
        counts_Y += torch.bincount(kinds_L, minlength=network.shape.types)
    for layer in network.core.layers:
        router = layer.mixture.router  # type: ignore[union-attr]  # a ModuleList of Layers
        if isinstance(router, TypeRouter):
            router.share_out(counts_Y)


def loads(routed: tuple[Routed, ...], lengths_B: Tensor, tokens: int) -> list[Tensor]:
    """Return how many tokens that are no padding chose each expert, by layer, (E)."""
    is_real_T = (torch.arange(tokens)[None] < lengths_B[:, None]).flatten()
    return [
        torch.bincount(who.experts_TK[is_real_T].flatten(), minlength=who.scores_TE.shape[1])
        for who in routed
    ]


def _step(
    network: ClaimNetwork,
    optimizer: torch.optim.Optimizer,
    chosen: Sequence[Example],
    rng: np.random.Generator,
    running: "Running",
    share: float,
) -> tuple[Batch, float, float, float, float]:
    seen = [mirrored(one) if rng.random() < MIRRORED else one for one in chosen]
    fresh = [
        shuffled(one, rng, noise=NOISE * much, lost=LOST * much, faults=FAULTS)
        for one, much in zip(seen, rng.uniform(0, 2, len(seen)), strict=True)
    ]
    batch = collate([one.prompt for one in fresh], [written(one) for one in fresh])
    answer = network(batch)
    losses = losses_of(answer, targets_of(fresh))
    if not torch.isfinite(losses.total):
        raise ModelError("the loss is no number any more; try a lower rate")
    optimizer.zero_grad(set_to_none=True)
    losses.total.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
    torch.nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM)
    optimizer.step()
    counts = running.take(loads(answer.routed, batch.lengths_B, batch.ticks_BL.shape[1]))
    rate = BIAS_RATE * (0.1 if share > SETTLED else 1.0)
    worst = 0.0
    for layer, load_E in zip(network.core.layers, counts, strict=True):
        router = layer.mixture.router  # type: ignore[union-attr]  # a ModuleList of Layers
        if isinstance(router, LearnedRouter):
            router.rebalance(load_E, rate=rate)
            worst = max(worst, max_violation(load_E))
    return batch, losses.claim.item(), losses.truth.item(), losses.real.item(), worst


def _batches(
    found: Sequence[Example], size: int, rng: np.random.Generator
) -> Iterator[list[Example]]:
    """Yield batches for ever, each of examples of about one length."""
    lengths = [len(one.prompt.kinds_S) + len(written(one)) for one in found]
    while True:
        order = rng.permutation(len(found))
        for first in range(0, len(order), POOL * size):
            pool = sorted(order[first : first + POOL * size], key=lambda index: lengths[index])
            cuts = [pool[at : at + size] for at in range(0, len(pool), size)]
            for cut in rng.permutation(len(cuts)):
                if len(cuts[cut]) == size:
                    yield [found[index] for index in cuts[cut]]
