"""Run rows of the fault matrix and print what they measured: ``python -m tests.chaos C1 P2``."""

import argparse
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from tests.chaos.matrix import ROWS
from tests.chaos.measured import KEY, KEY_ID

_ROOT: Final = Path(__file__).parents[2]
_INTRODUCTION: Final = """\
# What holds when cameras and stages fail

Command: `make chaos ARGS=--write`. Each row is a fault that is really brought about, by a camera
with bad habits (`tests/quirkcam`), a network as bad as told (`tests/faultproxy.py`) or a signal,
against the real ingest loop or a whole `vigil run`. D is the time to detect, R to recover once the
fault is over, L what may be lost. *Not yet* names what the row waits for; nothing is skipped
silently. Where the injection is milder than the matrix says, the row tells so.
"""
_RESULTS: Final = _ROOT / "docs" / "results" / "chaos.md"


class Table:
    """Gathers what the rows measured while pytest runs them."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self._verdicts: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # User properties of a fixture's end are complete in the report of the teardown.
        if report.when == "call":
            self._verdicts[report.nodeid] = _verdict(report)
        for key, found in report.user_properties:
            if key == KEY_ID and report.when == "setup" and not report.passed:
                words = f"**not run**, could not be set up: {_said(report)}"
                self._add(str(found), {"verdict": words})
            elif key == KEY and report.when == "teardown" and isinstance(found, dict):
                verdict = self._verdicts.get(report.nodeid, "not run")
                if verdict == "met" and found["misses"]:
                    verdict = f"**not met**: {'; '.join(found['misses'])}"
                self._add(str(found["row_id"]), found | {"verdict": verdict})

    def _add(self, row_id: str, found: dict[str, Any]) -> None:
        self.rows.setdefault(row_id, []).append(found)

    def lines(self, chosen: list[str]) -> list[str]:
        """The table, one line a row and variant."""
        head = "| row | fault | bar | detect | recover | lost | measured | verdict |"
        lines = [head, "|---|---|---|---|---|---|---|---|"]
        for row_id in chosen:
            row = ROWS[row_id]
            for found in self.rows.get(row_id, [{"verdict": "not run"}]):
                cells = [found.get(key) or "" for key in ("detect", "recover", "loss")]
                notes = "; ".join(found.get("notes", []))
                words = [row_id, row.fault, row.bar, *cells, notes, found["verdict"]]
                lines.append(f"| {' | '.join(words)} |")
        return lines


def _verdict(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return f"**not yet**: {str(report.wasxfail).removeprefix('reason: ')}"
    if report.passed:
        return "met"
    if report.skipped:
        return "not run"
    return f"**not met**: {_said(report)}"


def _said(report: pytest.TestReport) -> str:
    said = [line for line in str(report.longrepr).splitlines() if line.startswith("E  ")]
    words = said[0].removeprefix("E").strip() if said else "error"
    return words.removeprefix("AssertionError: ")[:200].replace("|", "/")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all if none")
    parser.add_argument("--write", action="store_true", help="write docs/results/chaos.md as well")
    parser.add_argument("--verbose", action="store_true", help="show what pytest says")
    arguments = parser.parse_args()
    chosen = [row_id.upper() for row_id in arguments.rows] or list(ROWS)
    unknown = [row_id for row_id in chosen if row_id not in ROWS]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}")
    table = Table()
    quiet = [] if arguments.verbose else ["-q", "--tb=line"]
    options = ["-m", "chaos", "-p", "no:cacheprovider", "--rows", ",".join(chosen), *quiet]
    code = pytest.main([str(_ROOT / "tests" / "chaos"), *options], plugins=[table])
    lines = table.lines(chosen)
    sys.stdout.write("\n".join(["", *lines, ""]))
    if arguments.write:
        _RESULTS.write_text(_document(lines))
    return int(code)


def _document(lines: list[str]) -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    load = " / ".join(f"{value:.1f}" for value in os.getloadavg())
    machine = f"{os.cpu_count()} cores ({platform.machine()}), no GPU, shared with other work"
    when = f"{datetime.now(UTC):%Y-%m-%d}"
    return "\n".join(
        [
            _INTRODUCTION,
            f"Machine: {machine}; load average at the end {load}. Commit {commit}, {when}.",
            "",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
