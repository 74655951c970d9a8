"""Our tracker against Roboflow's ByteTrack and OC-SORT (``python -m tests.bench.trackers``).

The evaluation environment: ``trackers`` wants packages that the product must not have (an older
FastAPI, a second OpenCV), so it lives in an environment of its own, made on first use in
``--environment`` and reused. Everything is measured there, in one process, by
``tests.bench.tracker_contest``: quality with TrackEval, processor time in turns. Prints Markdown.
"""

import argparse
import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tests.bench.__main__ import machine

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("trackers==2.6.1", "trackeval==1.3.0", "msgspec>=0.22", "scipy>=1.16")
REFERENCES: Final = ("ByteTrack", "OC-SORT")
OURS: Final = "ours"


def environment(folder: Path) -> Path:
    """Return the Python of the evaluation environment; makes it if it is not there."""
    python = folder / "bin" / "python"
    if not python.is_file():
        sys.stderr.write(f"making the evaluation environment in {folder} ...\n")
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def contest(python: Path, arguments: Sequence[str]) -> list[dict[str, Any]]:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [str(python), "-W", "ignore", "-m", "tests.bench.tracker_contest", *arguments]
    run = subprocess.run(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, check=True)
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return found


def report(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    here = machine()
    yield (
        f"Machine: {here['cpu']}, {here['cores']} cores, no GPU, load {here['load']:.1f}. "
        f"Python {here['python']}, commit {here['commit']}; {', '.join(PACKAGES[:2])}."
    )
    yield ""
    yield "| detector | objects | tracker | HOTA | IDF1 | switches | CPU ms | of ByteTrack |"
    yield "|---|--:|---|--:|--:|--:|--:|--:|"
    for one in found:
        base = one["rows"][REFERENCES[0]]["ms"]
        for name, row in one["rows"].items():
            yield (
                f"| {one['detector']} | {one['count']} | {name} | {row['hota']:.1f} "
                f"| {row['idf1']:.1f} | {row['switches']} | {row['ms']:.2f} "
                f"| {row['ms'] / base:.2f} |"
            )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--environment", type=Path, default=Path("/tmp/vigil-trackers"))  # noqa: S108
    parsed, others = parser.parse_known_args(arguments)
    found = contest(environment(parsed.environment), others)
    sys.stdout.write("\n".join(report(found)) + "\n")


if __name__ == "__main__":
    main()
