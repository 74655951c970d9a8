"""Write a corpus for the reasoning core: simulated scenes as vision sees them, with the truth.

    python -m scripts.core_corpus OUT --scenes 1500 --seed 1 --workers 1 --sites 0:200
    python -m scripts.core_corpus OUT --scenes 1500 --seed 2 --sites 0:1000 --parts fit test

Shards that are there already are left as they are, so that a run that was broken off goes on.
"""

import argparse
import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from api.simulation.seeing import Eyes
from moe_core.training.corpus import SUFFIX, Sample, write_shard
from moe_core.training.splits import PARTS, part_of
from moe_core.training.world.stories import make_scene

PER_SHARD: Final = 50


class Job(NamedTuple):
    """One shard to be written."""

    folder: Path
    number: int
    seed: int
    scenes: int
    sites: tuple[int, int]
    parts: tuple[str, ...] = PARTS

    def site(self, seed: int) -> int:
        """Return the camera of a scene: one of the span that is for one of the parts."""
        first, last = self.sites
        if self.parts == PARTS:
            return first + seed % (last - first)
        own = [site for site in range(first, last) if part_of(site) in self.parts]
        return own[seed % len(own)]


class Summary(msgspec.Struct, kw_only=True):
    """What came of some scenes; counts by the main kind of the incidents."""

    scenes: int = 0
    samples: int = 0
    bytes: int = 0
    frames: int = 0
    seconds: float = 0.0
    expected: dict[str, int] = msgspec.field(default_factory=dict)
    missed: dict[str, int] = msgspec.field(default_factory=dict)
    incidents: dict[str, int] = msgspec.field(default_factory=dict)
    real: dict[str, int] = msgspec.field(default_factory=dict)

    def add(self, other: "Summary") -> None:
        """Add another's counts."""
        for name in ("scenes", "samples", "bytes", "frames", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("expected", "missed", "incidents", "real"):
            setattr(self, name, dict(Counter(getattr(self, name)) + Counter(getattr(other, name))))


def write_one(job: Job) -> Summary:
    """Write a shard and, beside it, its summary; read the summary if the shard is there."""
    path = job.folder / f"{job.number:05d}{SUFFIX}"
    beside = path.with_suffix(".json")
    if path.is_file() and beside.is_file():
        return msgspec.json.decode(beside.read_bytes(), type=Summary)
    began_s = time.perf_counter()
    summary = Summary()
    samples: list[Sample] = []
    for number in range(job.scenes):
        seed = job.seed * 1_000_000 + job.number * PER_SHARD + number
        scene = make_scene(seed, site=job.site(seed))
        judged = Eyes(scene).see()
        samples += [Sample(incident=one, truth=truth) for one, truth in judged.samples]
        newest = {one.incident_id: (one.kind.value, truth) for one, truth in judged.samples}
        summary.add(
            Summary(
                scenes=1,
                samples=len(judged.samples),
                frames=judged.frames,
                expected={scene.family: judged.expected},
                missed={scene.family: judged.missed},
                incidents=Counter(kind for kind, _ in newest.values()),
                real=Counter(kind for kind, truth in newest.values() if truth.is_real),
            )
        )
    summary.bytes = write_shard(path, samples)
    summary.seconds = time.perf_counter() - began_s
    beside.write_bytes(msgspec.json.encode(summary))
    return summary


def jobs(chosen: argparse.Namespace) -> Iterator[Job]:
    """Yield the shards of a corpus."""
    for number in range(-(-chosen.scenes // PER_SHARD)):
        count = min(PER_SHARD, chosen.scenes - number * PER_SHARD)
        yield Job(chosen.folder, number, chosen.seed, count, chosen.sites, tuple(chosen.parts))


def table(summary: Summary) -> str:
    """Return the summary for people."""
    lines = [f"{'kind':12} {'incidents':>9} {'real':>6} {'events':>7} {'missed':>7}"]
    for kind in sorted({*summary.incidents, *summary.expected}):
        count = summary.incidents.get(kind, 0)
        share = f"{summary.real.get(kind, 0) / count:.2f}" if count else "-"
        expected, missed = summary.expected.get(kind, 0), summary.missed.get(kind, 0)
        lines.append(f"{kind:12} {count:9} {share:>6} {expected:7} {missed:7}")
    count, real = sum(summary.incidents.values()), sum(summary.real.values())
    lines.append(
        f"{'all':12} {count:9} {real / max(1, count):6.2f} "
        f"{sum(summary.expected.values()):7} {sum(summary.missed.values()):7}"
    )
    lines.append(
        f"{summary.scenes} scenes, {summary.samples} samples, {summary.bytes / 1e6:.1f} MB, "
        f"{summary.scenes / max(1e-9, summary.seconds):.1f} scenes/s per worker"
    )
    return "\n".join(lines) + "\n"


def span(text: str) -> tuple[int, int]:
    """Return the two numbers of ``a:b``."""
    first, _, last = text.partition(":")
    if not (first.isdigit() and last.isdigit() and int(first) < int(last)):
        raise argparse.ArgumentTypeError(f"sites must be given as a:b with a < b, got {text!r}")
    return (int(first), int(last))


def main(arguments: list[str] | None = None) -> int:
    """Write the corpus that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scenes", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--sites", type=span, default=(0, 200), help="numbers of cameras, a:b")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="only cameras that are for these"
    )
    chosen = parser.parse_args(arguments)
    first, last = chosen.sites
    if not {part_of(site) for site in range(first, last)} & set(chosen.parts):
        parser.error(f"no camera of {first}:{last} is for {' or '.join(chosen.parts)}")
    chosen.folder.mkdir(parents=True, exist_ok=True)
    total = Summary()
    with multiprocessing.get_context("spawn").Pool(chosen.workers) as pool:
        for done in pool.imap_unordered(write_one, list(jobs(chosen))):
            total.add(done)
            sys.stdout.write(f"{total.scenes}/{chosen.scenes} scenes, {total.samples} samples\n")
            sys.stdout.flush()
    sys.stdout.write(table(total))
    summary = json.loads(msgspec.json.encode(total))
    (chosen.folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
