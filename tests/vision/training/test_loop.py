"""Training learns, survives being cut off, and keeps bad steps out of the weights."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file
from structlog.testing import capture_logs
from torch import nn

from contracts.errors import ConfigError
from tests.fakes.clock import ManualClock
from tests.vision.training.published import yolox_of
from tests.vision.training.scenes import street_corpus
from vision import encoder_weights
from vision.encoder import Encoder, EncoderShape, ObjectHead
from vision.training import loop
from vision.training.batches import Batch, Views
from vision.training.checkpoints import Progress, parts_of
from vision.training.loop import CHECKPOINT_FILE, SAVE_EVERY_S, Plan, Run
from vision.training.losses import box_loss, score_loss
from vision.training.sources import CLASSES

SHAPE = EncoderShape(
    classes=CLASSES,
    postures=("upright",),
    widths=(4, 8, 8, 16, 16),
    depths=(1, 1, 1, 1),
    pyramid=16,
    embedding=8,
)


class TickingClock(ManualClock):
    """Every look at it takes its time; the loop looks about twice in a step."""

    def __init__(self, *, look_s: float = 1.0) -> None:
        super().__init__()
        self._look_s = look_s

    def monotonic_s(self) -> float:
        self.advance(self._look_s)
        return super().monotonic_s()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    street_corpus(folder, pictures=3)
    return folder


@pytest.fixture
def plan(corpus: Path, teachers: Path, tmp_path: Path) -> Plan:
    return Plan(
        corpus=corpus, teacher=yolox_of(teachers), out=tmp_path / "run", minutes=0.1, batch=2,
        threads=1, processes=0,
    )  # fmt: skip


def weights(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def trained(plan: Plan, *, look_s: float = 1.0) -> Run:
    run = Run(plan, SHAPE, TickingClock(look_s=look_s))
    run.train()
    return run


@pytest.mark.parametrize("is_half", [False, True])
def test_weights_are_kept_whole_whatever_the_arithmetic(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, is_half: bool
) -> None:
    monkeypatch.setattr(loop, "has_half_arithmetic", lambda: is_half)
    begun = weights(Run(plan, SHAPE, ManualClock()).encoder)

    run = trained(plan)

    assert not same(begun, weights(run.encoder))
    assert {tensor.dtype for tensor in run.encoder.parameters()} == {torch.float32}
    assert {tensor.dtype for tensor in run.adapters.parameters()} == {torch.float32}


def test_it_trains_for_the_time_that_is_given(plan: Plan) -> None:
    run = trained(plan)

    assert run.share == 1
    assert 6 <= run.progress.elapsed_s <= 10
    assert 2 <= run.progress.step <= 6
    assert run.progress.views == run.progress.step * plan.batch


def test_what_was_learnt_holds_in_views_that_were_not_trained_on(plan: Plan) -> None:
    longer = replace(plan, minutes=100 / 60, batch=1, rate=4e-3)
    before = Run(longer, SHAPE, TickingClock()).mean
    unseen = _batch(plan)
    first = _cost(before, unseen)

    run = trained(longer)

    assert _cost(run.mean, unseen) < 0.8 * first
    records = [json.loads(line) for line in (plan.out / "log.ndjson").read_text().splitlines()]
    assert [record["step"] for record in records] == [50]
    assert {"views", "elapsed_s", "scores", "boxes", "features"} <= set(records[0])


def _batch(plan: Plan) -> Batch:
    views = Views(plan.corpus, plan.teacher, count=8, seed=999, whole=True)
    return next(iter(views))


def _cost(encoder: Encoder, batch: Batch) -> float:
    with torch.no_grad():
        maps = encoder.eval()(batch.pixels_N3HW.float())
        lost = score_loss(maps.logits_NAC, batch.scores_NAC)
        return float(lost + box_loss(maps.boxes_NA4, batch.boxes_NA4, batch.scores_NAC))


class _Cut(Exception):  # noqa: N818  # as if the power failed
    pass


class CuttingClock(TickingClock):
    """Ends the run at a look."""

    def __init__(self, *, looks: int, look_s: float) -> None:
        super().__init__(look_s=look_s)
        self._left = looks

    def monotonic_s(self) -> float:
        self._left -= 1
        if self._left < 0:
            raise _Cut
        return super().monotonic_s()


def test_a_run_that_was_cut_off_goes_on_from_its_checkpoint(plan: Plan) -> None:
    slow_s = SAVE_EVERY_S / 2 + 1
    hours = replace(plan, minutes=10 * slow_s / 60)
    with pytest.raises(_Cut):
        Run(hours, SHAPE, CuttingClock(looks=12, look_s=slow_s)).train()
    kept = load_file(hours.out / CHECKPOINT_FILE)

    again = Run(hours, SHAPE, TickingClock(look_s=slow_s))

    assert again.progress.step >= 1
    assert again.progress.views == again.progress.step * plan.batch
    assert 0 < again.share < 1
    for name, tensor in again.encoder.state_dict().items():
        assert torch.equal(tensor, kept[f"encoder/{name}"])

    before = again.progress
    again.train()

    assert again.share == 1
    assert again.progress.step > before.step
    assert again.progress.elapsed_s > before.elapsed_s


def test_a_finished_run_is_not_trained_further(plan: Plan) -> None:
    first = trained(plan)

    again = trained(plan)

    assert again.progress == first.progress
    assert same(weights(again.mean), weights(first.mean))


def test_a_finished_run_goes_on_when_it_is_given_more_time(plan: Plan) -> None:
    first = trained(plan)

    more = trained(replace(plan, minutes=2 * plan.minutes))

    assert more.progress.step > first.progress.step


def test_the_mean_of_the_weights_is_kept_for_the_next_steps(plan: Plan) -> None:
    run = trained(plan)

    kept = parts_of(plan.out / CHECKPOINT_FILE, "mean")

    assert same(weights(run.mean), kept)
    assert not same(weights(run.mean), weights(run.encoder))
    assert all(torch.isfinite(tensor).all() for tensor in kept.values())


def blind(plan: Plan) -> Plan:
    """The plan with a teacher whose file was damaged: its answers are no numbers."""
    model = onnx.load(plan.teacher)
    for weight in model.graph.initializer:
        if weight.name == "s8.w":
            values = onnx.numpy_helper.to_array(weight) * np.float32("nan")
            weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    plan.out.mkdir(parents=True)
    path = plan.out / "blind.onnx"
    onnx.save(model, path)
    return replace(plan, teacher=path)


def test_a_gradient_that_is_no_number_leaves_the_weights_alone(plan: Plan) -> None:
    damaged = blind(plan)
    run = Run(damaged, SHAPE, TickingClock())
    parameters = [parameter.detach().clone() for parameter in run.encoder.parameters()]
    mean = weights(run.mean)

    with capture_logs() as logs:
        run.train()

    assert all(
        torch.equal(now, before)
        for now, before in zip(run.encoder.parameters(), parameters, strict=True)
    )
    assert same(weights(run.mean), mean)
    left_out = [log for log in logs if log["event"] == "step left out, gradient is not finite"]
    assert len(left_out) == run.progress.step > 0


def test_a_checkpoint_of_another_shape_is_refused(plan: Plan) -> None:
    trained(plan)

    with pytest.raises(ConfigError, match="is of another network; begin in another folder"):
        Run(plan, replace(SHAPE, pyramid=32), TickingClock())


def test_of_processes_side_by_side_only_the_first_saves(plan: Plan) -> None:
    run = Run(replace(plan, rank=1), SHAPE, TickingClock())

    run.save()

    assert not list(plan.out.iterdir())
    assert run.progress == Progress()


def test_a_new_run_begins_with_the_weights_that_are_given(plan: Plan, tmp_path: Path) -> None:
    torch.manual_seed(5)
    known = Encoder(SHAPE)
    encoder_weights.save(tmp_path / "known.safetensors", known, ObjectHead(SHAPE))

    run = Run(replace(plan, start=tmp_path / "known.safetensors"), SHAPE, TickingClock())

    assert all(
        torch.allclose(tensor.float(), weights(known)[name].float(), rtol=2e-3, atol=1e-5)
        for network in (run.encoder, run.mean)
        for name, tensor in weights(network).items()
    )
