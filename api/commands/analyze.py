"""``vigil analyze``: look through recorded files as fast as the machine allows."""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Never, TextIO

from tqdm import tqdm

from alerts.history.evidence_store import FolderEvidenceStore
from api.analysis import Analyser, Analysis
from api.console import complain
from api.observability import set_up_logging
from api.wiring.cameras import load_rules, rules_beside
from contracts.cameras import redact_url
from contracts.clock import SystemClock
from contracts.errors import ConfigError
from contracts.rules import SceneRules
from contracts.settings import Settings
from ingest.errors import SourceRejected
from vision.detect.registry import DETECTOR_NAMES, open_detector

_SHORT_S: Final = 2.0
_SHORT_SHARE: Final = 0.05
"""A recording shorter than it states, by more than both of these, is called cut off."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.description = (
        "Look through recorded files with the stages of a live camera and print one JSON object "
        "per alert and line: video, kind, start_s, end_s, fired_s, severity, decision, "
        "confidence, objects, reasoning. Times are seconds from the file's first frame. Without "
        "--rules, <video>.rules.json beside the file is taken if it is there."
    )
    parser.add_argument(
        "videos", nargs="+", type=Path, metavar="VIDEO", help="files to look through"
    )
    parser.add_argument("--rules", type=Path, metavar="FILE", help="zones, lines and rules (JSON)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep snapshots and frames here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the alerts here")
    add_vision_arguments(parser)


def add_vision_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how to look, for ``evaluate`` as well."""
    parser.add_argument("--fps", type=float, default=5.0, help="frames analysed a second (5)")
    parser.add_argument("--detector", choices=DETECTOR_NAMES, help="detector family")
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="its model file, if it has one"
    )


def overrides(parsed: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the command line gives."""
    given = {"detector": parsed.detector, "weights": parsed.weights}
    vision = {name: value for name, value in given.items() if value is not None}
    return {"vision": vision} if vision else {}


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the alerts; 1 if a file could not be read (the others were)."""
    if not 0 < arguments.fps <= 60:
        raise ConfigError(f"--fps must be in 0..60, got {arguments.fps}")
    quiet_logging(arguments, settings)
    rules = load_rules(arguments.rules) if arguments.rules else None
    unread = 0
    with _output(arguments.json) as output, make_analyser(settings, arguments.out) as analyser:
        for video in arguments.videos:
            try:
                scene = rules or rules_beside(video) or SceneRules()
                analysis = look_through(analyser, video, scene, fps=arguments.fps)
            except SourceRejected as error:
                complain(f"vigil analyze: {why_unread(video, error)}")
                unread += 1
                continue
            if not scene.rules:
                complain(f"{video}: no rules (give --rules, or {video.stem}.rules.json beside it)")
            _complain_of_damage(video, analysis)
            for record in analysis.records:
                output.write(json.dumps(record, ensure_ascii=False) + "\n")
            output.flush()
            complain(f"{video}: {len(analysis.records)} alert(s) in {analysis.duration_s:.1f} s")
    return 1 if unread else 0


@contextlib.contextmanager
def make_analyser(settings: Settings, folder: Path | None) -> Iterator[Analyser]:
    """Yield an analyser that keeps evidence in ``folder``, or nowhere beyond the block."""
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vigil-")))
        yield Analyser(
            settings,
            detector=open_detector(settings),
            evidence=open_evidence(settings, folder),
            clock=SystemClock(),
        )


def open_evidence(settings: Settings, folder: Path) -> FolderEvidenceStore:
    """Return the store of evidence in a folder, within the settings' bounds."""
    return FolderEvidenceStore(
        folder,
        quota_bytes=settings.alerts.evidence_quota_bytes,
        min_free_bytes=settings.alerts.evidence_min_free_bytes,
    )


def look_through(analyser: Analyser, video: Path, scene: SceneRules, *, fps: float) -> Analysis:
    """Analyse one file with a progress bar if standard error is a terminal."""
    bar: tqdm[Never] = tqdm(
        desc=video.name,
        unit="s",
        disable=not sys.stderr.isatty(),
        leave=False,
        bar_format="{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s, left {remaining}",
        total=0.0,
    )

    def progress(done_s: float, total_s: float | None) -> None:
        bar.total = total_s or done_s
        bar.update(done_s - bar.n)

    with bar:
        return analyser.analyse(video, scene, analysis_fps=fps, progress=progress)


def quiet_logging(arguments: argparse.Namespace, settings: Settings) -> None:
    """Leave out what a live system logs of each incident, unless somebody asked for it."""
    if settings.log_level == "info" and arguments.log_level is None:
        set_up_logging(level="warning", form=settings.log_format)


def why_unread(video: Path, error: SourceRejected) -> str:
    """Return why a file could not be read, beginning with its name."""
    shown = redact_url(str(video))
    return error.reason if error.reason.startswith(shown) else f"{shown}: {error.reason}"


def _complain_of_damage(video: Path, analysis: Analysis) -> None:
    if analysis.corrupt:
        complain(f"{video}: {analysis.corrupt} damaged picture(s) left out")
    stated_s, read_s = analysis.stated_s, analysis.duration_s
    if stated_s is not None and stated_s - read_s > max(_SHORT_S, _SHORT_SHARE * stated_s):
        complain(
            f"{video}: states {stated_s:.1f} s, only {read_s:.1f} s could be read; is it cut off?"
        )


@contextlib.contextmanager
def _output(file: Path | None) -> Iterator[TextIO]:
    if file is None:
        yield sys.stdout
        return
    try:
        opened = file.open("w", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--json {file}: cannot be written ({error.strerror})") from error
    with opened:
        yield opened
