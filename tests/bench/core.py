"""What a choice of experts costs: the core against a dense one (``python -m tests.bench.core``).

Both have random weights and read the same incidents, one at a time, on one thread, in turn in one
run; the dense one does as many operations a token. Costs are milliseconds of processor time; the
ratio is the median over the rounds. Prints Markdown.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Final

import torch

from moe_core.model.batch import Batch, collate
from moe_core.model.network import DENSE_SHAPE, SHIPPED_SHAPE, ClaimNetwork
from moe_core.training.splits import simulated
from tests.bench.__main__ import machine

RATIO_MAX: Final = 1.2
SHAPES: Final = {"mixture": SHIPPED_SHAPE, "dense": DENSE_SHAPE}


def cost_ms(network: ClaimNetwork, batches: list[Batch]) -> float:
    """Return the milliseconds of processor time that one incident costs."""
    began_s = time.process_time()
    with torch.inference_mode():
        for batch in batches:
            network(batch)
    return 1000 * (time.process_time() - began_s) / len(batches)


def main() -> int:
    """Measure, print, say whether the bar holds."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.core",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--corpus", type=Path, required=True, help="folder of simulated scenes")
    parser.add_argument("--incidents", type=int, default=60, help="read in each round (60)")
    parser.add_argument("--rounds", type=int, default=9, help="of which medians are taken (9)")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    found = simulated(chosen.corpus, wants=("test",)).test[: chosen.incidents]
    batches = [collate([one.prompt], [[]]) for one in found]
    torch.manual_seed(0)
    networks = {name: ClaimNetwork(shape).eval() for name, shape in SHAPES.items()}
    rounds: dict[str, list[float]] = {name: [] for name in networks}
    for turn in range(-1, chosen.rounds):
        for name, network in networks.items():
            spent_ms = cost_ms(network, batches)
            if turn >= 0:  # the first round warms up
                rounds[name].append(spent_ms)
    pairs = zip(rounds["mixture"], rounds["dense"], strict=True)
    ratio = statistics.median(mixture / dense for mixture, dense in pairs)
    about = machine()
    tokens = statistics.median(len(one.prompt.kinds_S) for one in found)
    lines = [
        f"{about['cpu']}, {about['cores']} cores, one thread, commit {about['commit']}, load "
        f"{about['load']:.1f}; {len(found)} incidents of {tokens:g} tokens (median), medians of "
        f"{chosen.rounds} rounds.",
        "",
        "| core | parameters | ms an incident |",
        "|---|--:|--:|",
        *(
            f"| {name} | {sum(one.numel() for one in network.parameters()):,} "
            f"| {statistics.median(rounds[name]):.1f} |"
            for name, network in networks.items()
        ),
        "",
        f"Ratio {ratio:.2f}; bar {RATIO_MAX}.",
    ]
    print("\n".join(lines))  # noqa: T201  # the command's output
    return 0 if ratio <= RATIO_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
