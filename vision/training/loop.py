"""The training loop of backbone and detection head.

Muon and AdamW with a short warm-up and a cosine down to nothing at the end of the time that is
given; an exponential mean of the weights is what is kept. Parts of pictures first, whole ones in
the last third: early on a small view teaches as much as a large one and costs half.
"""

import copy
import json
import math
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import structlog
import torch
from torch import Tensor, distributed, nn
from torch.multiprocessing.spawn import spawn
from tqdm import tqdm

from contracts.clock import Clock, SystemClock
from vision import encoder_weights
from vision.encoder import Encoder, EncoderShape
from vision.training import checkpoints
from vision.training.batches import Batch, Views, loader
from vision.training.checkpoints import Progress
from vision.training.losses import box_loss, feature_loss, score_loss
from vision.training.optimizer import Optimizer

log = structlog.get_logger()

TAUGHT_FEATURES: Final = 64
WARM_UP: Final = 0.02
WHOLE_FROM: Final = 0.65
"""Share of the time after which views are whole pictures."""
LEAST_RATE: Final = 0.01
BOX_WEIGHT: Final = 2.0
FEATURE_WEIGHT: Final = 1.0
LARGEST_GRADIENT: Final = 10.0
EMA_DECAY: Final = 0.998
SAVE_EVERY_S: Final = 180.0
LOG_EVERY: Final = 50
CHECKPOINT_FILE: Final = "checkpoint.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run is asked to do.

    Attributes:
        corpus: A prepared and labelled folder.
        teacher: A YOLOX in ONNX form.
        out: Folder of the checkpoint and the log.
        minutes: Time of training in all, over every resumption.
        batch: Views in a step.
        rate: Highest learning rate.
        threads: Of the student's arithmetic.
        processes: That make views; 0 makes them in the training process.
        rank: This process's number among those that train side by side.
        ranks: How many train side by side: on a CPU, as many as cores, with one thread and no
            processes for views each, is a third faster than threads.
        device: ``cpu`` or ``cuda``.
        start: Weights to begin with instead of random ones, if there is no checkpoint yet.
    """

    corpus: Path
    teacher: Path
    out: Path
    minutes: float
    batch: int = 16
    rate: float = 1.5e-3
    threads: int = 2
    processes: int = 1
    rank: int = 0
    ranks: int = 1
    device: str = "cpu"
    seed: int = 0
    start: Path | None = None


class Run:
    """A training run; made again over the same folder it goes on."""

    def __init__(self, plan: Plan, shape: EncoderShape, clock: Clock) -> None:
        torch.manual_seed(plan.seed)
        torch.set_num_threads(plan.threads)
        self._plan, self._clock = plan, clock
        self._device = torch.device(plan.device)
        self._is_half = plan.device == "cuda" or has_half_arithmetic()
        encoder = Encoder(shape).to(self._device)
        adapters = nn.ModuleList(nn.Conv2d(shape.pyramid, TAUGHT_FEATURES, 1) for _ in range(3))
        self.encoder: Encoder = encoder
        self.adapters = adapters.to(self._device)
        self.mean = copy.deepcopy(encoder).eval()
        self._optimizer = Optimizer(encoder, adapters, rate=plan.rate)
        plan.out.mkdir(parents=True, exist_ok=True)
        self._checkpoint = plan.out / CHECKPOINT_FILE
        self.progress = Progress()
        if plan.start is not None:
            begun = encoder_weights.load(plan.start)[0].state_dict()
            encoder.load_state_dict(begun)
            self.mean.load_state_dict(begun)
        if self._checkpoint.is_file():
            self.progress = checkpoints.restore(self._checkpoint, self._networks(), self._optimizer)
            log.info("training goes on", step=self.progress.step, views=self.progress.views)
        self._parameters = [*encoder.parameters(), *adapters.parameters()]

    @property
    def share(self) -> float:
        """How much of the time is used up, 0 to 1."""
        return min(1.0, self.progress.elapsed_s / (60 * self._plan.minutes))

    def train(self) -> Encoder:
        """Train until the time is used up; return the mean of the weights."""
        while self.share < 1:
            until = WHOLE_FROM if self.share < WHOLE_FROM else 1.0
            self._phase(until)
            self.save()
        mean: Encoder = self.mean
        return mean

    def save(self) -> None:
        """Write the checkpoint; of processes side by side only the first does."""
        if self._plan.rank:
            return
        checkpoints.save(self._checkpoint, self._networks(), self._optimizer, self.progress)

    def _networks(self) -> dict[str, nn.Module]:
        return {"encoder": self.encoder, "adapters": self.adapters, "mean": self.mean}

    def _phase(self, until: float) -> None:
        plan = self._plan
        views = Views(
            plan.corpus,
            plan.teacher,
            count=plan.batch,
            seed=plan.seed + self.progress.step,
            whole=until == 1.0,
            part=plan.rank,
        )
        self._shared_s = saved_s = self._clock.monotonic_s()
        bar = tqdm(loader(views, processes=plan.processes), desc="training", unit="step")
        for batch in bar:
            lost = self._step(batch)
            now_s = self._clock.monotonic_s()
            self.progress = Progress(
                step=self.progress.step + 1,
                views=self.progress.views + plan.ranks * len(batch.pixels_N3HW),
                elapsed_s=self.progress.elapsed_s + self._step_s,
            )
            if self.progress.step % LOG_EVERY == 0 and not plan.rank:
                self._note(lost)
                bar.set_postfix({"share": self.share} | lost)
            if now_s - saved_s > SAVE_EVERY_S:
                saved_s = now_s
                self.save()
            if self.share >= until:
                return

    def _step(self, batch: Batch) -> dict[str, float]:
        self.encoder.train()
        pixels = batch.pixels_N3HW.to(self._device, torch.float32).contiguous(
            memory_format=torch.channels_last
        )
        wanted = batch.scores_NAC.to(self._device)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._is_half):
            maps = self.encoder(pixels)
            features = torch.cat(
                [
                    adapter(level).flatten(2).transpose(1, 2)
                    for adapter, level in zip(self.adapters, maps.pyramid, strict=True)
                ],
                dim=1,
            ).float()
        parts = {
            "scores": score_loss(maps.logits_NAC, wanted),
            "boxes": BOX_WEIGHT
            * box_loss(maps.boxes_NA4, batch.boxes_NA4.to(self._device), wanted),
            "features": FEATURE_WEIGHT
            * feature_loss(features, batch.features_NAD.to(self._device).float()),
        }
        total = torch.stack(list(parts.values())).sum()
        for parameter in self._parameters:
            parameter.grad = None
        total.backward()  # type: ignore[no-untyped-call]  # torch's
        self._step_s = self._share_gradients()
        norm = nn.utils.clip_grad_norm_(self.encoder.parameters(), LARGEST_GRADIENT)
        if torch.isfinite(norm):
            self._optimizer.step(_rate(self.share))
            self._follow()
        else:
            log.warning("step left out, gradient is not finite", step=self.progress.step)
        return {name: float(part.detach()) for name, part in parts.items()}

    def _share_gradients(self) -> float:
        """Average the gradients over all processes; return the time since the last step's.

        All count the first one's time, waiting included, so that all end at the same step.
        """
        now_s = self._clock.monotonic_s()
        step_s, self._shared_s = now_s - self._shared_s, now_s
        if self._plan.ranks == 1:
            return step_s
        own_s = torch.tensor([0.0 if self._plan.rank else step_s * self._plan.ranks])
        gradients = [
            parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
            for parameter in self._parameters
        ]
        flat = torch.cat([*(gradient.flatten() for gradient in gradients), own_s])
        distributed.all_reduce(flat)
        flat /= self._plan.ranks
        parts = torch.split(flat[:-1], [gradient.numel() for gradient in gradients])
        for parameter, gradient, part in zip(self._parameters, gradients, parts, strict=True):
            parameter.grad = gradient.copy_(part.view_as(gradient))
        return float(flat[-1])

    @torch.no_grad()
    def _follow(self) -> None:
        """Let the mean follow; early on quickly, since the first weights are worth nothing."""
        decay = min(EMA_DECAY, (1 + self.progress.step) / (10 + self.progress.step))
        now: dict[str, Tensor] = self.encoder.state_dict()
        for name, value in self.mean.state_dict().items():
            if value.is_floating_point():
                value.lerp_(now[name], 1 - decay)
            else:
                value.copy_(now[name])

    def _note(self, lost: dict[str, float]) -> None:
        record = {
            "step": self.progress.step,
            "views": self.progress.views,
            "elapsed_s": round(self.progress.elapsed_s, 1),
            **{name: round(value, 4) for name, value in lost.items()},
        }
        with (self._plan.out / "log.ndjson").open("a") as file:
            file.write(json.dumps(record) + "\n")


def has_half_arithmetic() -> bool:
    """Say whether this processor multiplies in bfloat16, which halves the time of a step."""
    known = torch.cpu.get_capabilities()
    return any(bool(known.get(name)) for name in ("avx512_bf16", "amx_bf16"))


def _rate(share: float) -> float:
    """Return the learning rate relative to the highest."""
    warm = min(1.0, (share + 1e-4) / WARM_UP)
    return warm * (LEAST_RATE + (1 - LEAST_RATE) * (1 + math.cos(math.pi * share)) / 2)


def train_side_by_side(plan: Plan, shape: EncoderShape) -> Progress:
    """Train in ``plan.ranks`` processes of this machine; return how far they came."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = (plan, shape, str(Path(folder) / "meeting"))
        spawn(_train_rank, arguments, nprocs=plan.ranks)  # type: ignore[no-untyped-call]  # torch's
    return Run(plan, shape, SystemClock()).progress


def _train_rank(rank: int, plan: Plan, shape: EncoderShape, meeting: str) -> None:
    distributed.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=plan.ranks
    )
    Run(replace(plan, rank=rank), shape, SystemClock()).train()
    distributed.destroy_process_group()
