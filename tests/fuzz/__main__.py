"""Hand strange bytes to what strangers can reach, for a bounded time: ``python -m tests.fuzz``.

With atheris each target is guided by coverage, in a process of its own; without it hypothesis
spoils the seeds blindly. What is found is written below ``--out`` and the exit status is 1.
"""

import argparse
import importlib.util
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.mutations import near
from tests.fuzz.targets import TARGETS

_SECONDS: Final = 20.0
_ROUND: Final = 500
_LONGEST_BYTES: Final = 20_000
_SPARE_S: Final = 120.0


def main() -> int:
    """Run the targets named, or all; 1 if one of them found a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of: {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="for each target")
    parser.add_argument("--out", type=Path, default=Path("out/fuzz"), help="corpus and findings")
    parser.add_argument("--blind", action="store_true", help="without atheris, if it is there")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.targets) - set(TARGETS))
    if unknown:
        parser.error(f"there is no target {unknown[0]!r}")
    is_guided = not arguments.blind and importlib.util.find_spec("atheris") is not None
    run = _guided if is_guided else blind
    found = 0
    for name in arguments.targets or TARGETS:
        folder = arguments.out / name
        folder.mkdir(parents=True, exist_ok=True)
        problem = run(name, folder, arguments.seconds)
        found += bool(problem)
        sys.stdout.write(f"{name:16} {problem or 'nothing found'}\n")
        sys.stdout.flush()
    return 1 if found else 0


def _guided(name: str, folder: Path, seconds: float) -> str:
    """Run a target by libFuzzer; how it ended, if not well."""
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for number, content in enumerate(TARGETS[name][1]()):
        (corpus / f"seed-{number}").write_bytes(content)
    command = [sys.executable, "-m", "tests.fuzz.guided", name, str(corpus)]
    options = [
        f"-max_total_time={max(1, round(seconds))}",
        f"-artifact_prefix={folder}/",
        f"-max_len={_LONGEST_BYTES}",
        "-timeout=10",
        "-print_final_stats=1",
    ]
    with (folder / "log.txt").open("w") as log:
        try:
            ended = subprocess.run(  # our own interpreter and module
                [*command, *options],
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=seconds + _SPARE_S,
            )
        except subprocess.TimeoutExpired:
            return f"did not end in time; see {folder}/log.txt"
    return "" if ended.returncode == 0 else f"a fault, see {folder}/log.txt and what lies beside it"


def blind(name: str, folder: Path, seconds: float) -> str:
    """Spoil seeds by hypothesis until the time is over; the fault, if one is found."""
    target, seeds = TARGETS[name]
    ends_s = time.monotonic() + seconds
    rounds = 0
    last = b""

    def once(content: bytes) -> None:
        nonlocal last
        last = content
        target(content)

    while time.monotonic() < ends_s:
        run = given(content=near(seeds()))(once)
        run = settings(
            max_examples=_ROUND,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )(run)
        try:
            seed(rounds)(run)()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what we look for
            (folder / "fault").write_bytes(last)
            return f"{type(error).__name__}, see {folder}/fault"
        rounds += 1
    return ""


if __name__ == "__main__":
    sys.exit(main())
