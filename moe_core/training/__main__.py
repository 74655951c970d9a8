"""Trains and measures the reasoning core.

    pip install .[train]
    python -m scripts.core_corpus CORPUS --scenes 6000 --workers 2
    python -m moe_core.training train --corpus CORPUS --run RUN --minutes 60
    python -m moe_core.training export --corpus CORPUS --run RUN
    python -m moe_core.training trust --corpus CORPUS
    python -m moe_core.training evaluate --corpus CORPUS

A run that is cut goes on from its checkpoint when it is called again. ``export`` takes away the
trust beside the weights that it replaces.
"""

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from contracts.errors import VigilError
from moe_core.decoding import Floors
from moe_core.model.network import DENSE_SHAPE, SHIPPED_SHAPE, ClaimNetwork
from moe_core.model.weights import read_core, read_weights, write_core
from moe_core.shipped import SHIPPED, beside
from moe_core.training import report
from moe_core.training.checkpoint import restore
from moe_core.training.corpus import read_corpus
from moe_core.training.fitting import fit, misjudged
from moe_core.training.loop import BEST, CHECKPOINT, Plan, optimizer_of, train
from moe_core.training.mean import Mean
from moe_core.training.measures import of_core
from moe_core.training.specialisation import kept_uses
from moe_core.training.splits import part_of, recorded, simulated
from moe_core.training.trusting import fit_trust
from moe_core.training.whole import run_whole
from moe_core.trust import write_trust

_EXPERTS_BY = 2000
"""Examples of cameras for fitting by which it is said with the weights how experts are used."""


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201  # the command's output


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 1 where it cannot be done, 2 for wrong options."""
    chosen = _parser().parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    try:
        return int(chosen.run_command(chosen))
    except VigilError as error:
        print(f"moe_core.training: {error}", file=sys.stderr)  # noqa: T201  # the command's output
        return 1


def _train(chosen: argparse.Namespace) -> int:
    say(f"reading {chosen.corpus}")
    parts = simulated(chosen.corpus, wants=("train", "fit"))
    found = list(parts.train)
    if chosen.recordings is not None:
        own = recorded(chosen.recordings).train
        found += own * chosen.recordings_weight
        say(f"{len(own)} revisions of recordings, each {chosen.recordings_weight} times")
    say(f"{len(parts.train)} simulated to train on, {len(parts.fit)} to watch by")
    torch.manual_seed(chosen.seed)
    network = ClaimNetwork(DENSE_SHAPE if chosen.dense else SHIPPED_SHAPE)
    watched = parts.fit[: chosen.watch]

    def look(step: int, mean: ClaimNetwork) -> float:
        loss = misjudged(mean, watched)
        tally = of_core(mean, watched[: chosen.watch // 3], floors=Floors())
        say(f"step {step}: misjudged {loss:.4f}, {report.line(tally)}")
        return loss

    plan = Plan(
        minutes=chosen.minutes,
        total_minutes=chosen.total_minutes or chosen.minutes,
        batch=chosen.batch,
        rate=chosen.rate,
        seed=chosen.seed,
    )
    done = train(network, found, plan=plan, folder=chosen.run, say=say, look=look)
    say(f"{done.step} steps, {done.tokens / 1e6:.1f} M tokens, {done.elapsed_s / 60:.0f} min")
    return 0


def _export(chosen: argparse.Namespace) -> int:
    network = ClaimNetwork(DENSE_SHAPE if chosen.dense else SHIPPED_SHAPE)
    mean = Mean(network)
    best = chosen.run / BEST
    kept = best if best.exists() and not chosen.last else chosen.run / CHECKPOINT
    done = restore(kept, network, optimizer_of(network, rate=1e-3), mean=mean.network)
    say(f"{kept}: step {done.step}, {done.elapsed_s / 60:.0f} min, misjudged {done.best:.4f}")
    network = mean.network
    parts = simulated(chosen.corpus, wants=("train", "fit"))
    floors, calibration = fit(network, parts.fit[: chosen.most])
    experts = kept_uses(network, parts.fit[:_EXPERTS_BY])
    write_core(
        chosen.out,
        network,
        floors=floors,
        calibration=calibration,
        kinds=parts.kinds,
        experts=experts,
    )
    say(f"{chosen.out}: floors {floors}, {calibration}, kinds {', '.join(parts.kinds)}")
    trust = beside(chosen.out)
    if trust.exists():
        trust.unlink()
        say(f"{trust}: taken away, it was fitted for the weights before; run `trust` again")
    return 0


def _trust(chosen: argparse.Namespace) -> int:
    core = read_weights(chosen.weights)
    found = simulated(chosen.corpus, wants=("fit",)).fit
    real = [] if chosen.recordings is None else recorded(chosen.recordings).fit
    say(f"{len(found)} simulated and {len(real)} revisions of recordings to fit on")
    trust = fit_trust(core.network, found, real)
    path = beside(chosen.weights)
    write_trust(path, trust, weights=core.sha256)
    say(f"{path}: {path.stat().st_size} bytes, floors {trust.floors}, event by {trust.stack}")
    return 0


def _evaluate(chosen: argparse.Namespace) -> int:
    core = read_core(chosen.weights)
    say(report.of_simulated(core, simulated(chosen.corpus, wants=("test",)), most=chosen.most))
    if chosen.recordings is not None:
        say(report.of_recorded(core, recorded(chosen.recordings)))
    return 0


def _whole(chosen: argparse.Namespace) -> int:
    core = read_core(chosen.weights)
    found = (
        sample.incident
        for sample in read_corpus(chosen.corpus)
        if part_of(sample.truth.site) == "test"
    )
    say(run_whole(core, itertools.islice(found, chosen.most)).lines())
    return 0


def _experts(chosen: argparse.Namespace) -> int:
    core = read_core(chosen.weights)
    say(report.of_experts(core, simulated(chosen.corpus, wants=("fit",)).fit[: chosen.most]))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m moe_core.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    corpus = argparse.ArgumentParser(add_help=False)
    corpus.add_argument("--corpus", type=Path, required=True, help="folder of simulated scenes")
    corpus.add_argument("--most", type=int, default=4000, help="examples to measure by (4000)")
    corpus.add_argument("--threads", type=int, default=1, help="of the CPU (1)")
    corpus.add_argument("--recordings", type=Path, help="file by scripts.core_recordings")
    learn = commands.add_parser("train", parents=[corpus], help="train, or go on training")
    learn.add_argument("--run", type=Path, required=True, help="folder of the checkpoint")
    learn.add_argument("--dense", action="store_true", help="without experts, to compare")
    learn.add_argument("--minutes", type=float, required=True, help="of this call")
    learn.add_argument("--total-minutes", type=float, help="of the whole run (as --minutes)")
    learn.add_argument("--batch", type=int, default=32, help="examples of a step (32)")
    learn.add_argument("--rate", type=float, default=1.5e-3, help="highest rate (0.0015)")
    learn.add_argument("--seed", type=int, default=0, help="of everything random (0)")
    learn.add_argument("--watch", type=int, default=900, help="examples to watch by (900)")
    learn.add_argument("--recordings-weight", type=int, default=4, help="of each recording (4)")
    learn.set_defaults(run_command=_train)
    export = commands.add_parser("export", parents=[corpus], help="fit and write the weights")
    export.add_argument("--run", type=Path, required=True, help="folder of the checkpoint")
    export.add_argument("--dense", action="store_true", help="the run has no experts")
    export.add_argument("--last", action="store_true", help="newest checkpoint, not the best")
    export.add_argument("--out", type=Path, default=SHIPPED, help="file of the weights")
    export.set_defaults(run_command=_export)
    trust = commands.add_parser("trust", parents=[corpus], help="fit what claims are worth")
    trust.add_argument("--weights", type=Path, default=SHIPPED, help="file of the weights")
    trust.set_defaults(run_command=_trust)
    judge = commands.add_parser("evaluate", parents=[corpus], help="core against program")
    judge.add_argument("--weights", type=Path, default=SHIPPED, help="file of the weights")
    judge.set_defaults(run_command=_evaluate)
    whole = commands.add_parser("whole", parents=[corpus], help="as it runs: counterfactuals, time")
    whole.add_argument("--weights", type=Path, default=SHIPPED, help="file of the weights")
    whole.set_defaults(run_command=_whole)
    experts = commands.add_parser("experts", parents=[corpus], help="who speaks about what")
    experts.add_argument("--weights", type=Path, default=SHIPPED, help="file of the weights")
    experts.set_defaults(run_command=_experts)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
