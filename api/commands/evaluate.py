"""``vigil evaluate``: score a folder of labelled clips, kind by kind."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from api.analysis import Analyser
from api.commands.analyze import (
    add_vision_arguments,
    make_analyser,
    overrides,
    quiet_logging,
    why_unread,
)
from api.console import complain, say
from api.evaluation import LabelledClip, RaisedAlert, Score, read_ground_truth, score
from api.wiring.cameras import rules_beside
from contracts.detections import ModelIdentity
from contracts.errors import ConfigError
from contracts.rules import RuleKind, SceneRules
from contracts.settings import Settings
from ingest.errors import SourceRejected

__all__ = ["add_arguments", "overrides", "run"]

GROUND_TRUTH: Final = "ground_truth_video.json"
_COLUMNS: Final = (
    ("kind", "kind"), ("events", "events"), ("true_positives", "right"),
    ("false_positives", "false"), ("missed", "missed"), ("precision", "precision"),
    ("recall", "recall"), ("f1", "F1"), ("false_alarms_per_hour", "false/h"),
    ("median_delay_s", "delay s"),
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.description = (
        f"Run analyze on every clip of a folder that has a {GROUND_TRUTH} and print, for each "
        "kind, precision, recall, F1, false alarms per hour and detection delay. An event answered "
        "twice counts as a false alarm. The table is also written as JSON."
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of labelled clips")
    parser.add_argument("--only", nargs="+", metavar="KIND", help="clips labelled with these kinds")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", default=Path("evaluation.json"),
        help="where the table goes (evaluation.json)",
    )  # fmt: skip
    add_vision_arguments(parser)


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Score the folder; 1 if a clip could not be read."""
    quiet_logging(arguments, settings)
    clips = _read_clips(arguments.folder)
    if arguments.only:
        clips = _only(clips, arguments.only)
    alerts: dict[str, list[RaisedAlert]] = {}
    details: list[dict[str, Any]] = []
    unread: list[str] = []
    with make_analyser(settings, None) as analyser:
        detector = analyser.detector
        for clip in tqdm(clips, unit="clip", disable=not sys.stderr.isatty(), leave=False):
            try:
                records = _analyse(analyser, arguments.folder / clip.video, fps=arguments.fps)
            except SourceRejected as error:
                video = arguments.folder / clip.video
                complain(f"vigil evaluate: {why_unread(video, error)}")
                unread.append(clip.video)
                continue
            alerts[clip.video] = [_raised(record) for record in records]
            details.append(_detail(clip, alerts[clip.video]))
    scores = score(clips, alerts)
    _print_table(scores, clips=len(alerts))
    _write(arguments.json, scores, details, unread, detector=detector)
    say(f"written to {arguments.json}")
    return 1 if unread else 0


def _read_clips(folder: Path) -> tuple[LabelledClip, ...]:
    file = folder / GROUND_TRUTH
    try:
        return read_ground_truth(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise ConfigError(f"{folder}: has no {GROUND_TRUTH}") from error
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{file}: is not valid JSON: {error.msg} at line {error.lineno}"
        ) from error


def _only(clips: Sequence[LabelledClip], kinds: Sequence[str]) -> tuple[LabelledClip, ...]:
    labelled = {event.kind for clip in clips for event in clip.events}
    unknown = sorted(set(kinds) - labelled)
    if unknown:
        raise ConfigError(f"--only {' '.join(unknown)}: kinds labelled here are {sorted(labelled)}")
    return tuple(clip for clip in clips if any(event.kind in kinds for event in clip.events))


def _analyse(analyser: Analyser, video: Path, *, fps: float) -> tuple[dict[str, Any], ...]:
    scene = rules_beside(video) or SceneRules()
    analysis = analyser.analyse(video, scene, analysis_fps=fps, progress=lambda _done, _total: None)
    return analysis.records


def _raised(record: Mapping[str, Any]) -> RaisedAlert:
    return RaisedAlert(
        kind=record["kind"],
        start_s=record["start_s"],
        end_s=record["end_s"],
        fired_s=record["fired_s"],
        cause=record["cause"],
    )


def _detail(clip: LabelledClip, raised: Sequence[RaisedAlert]) -> dict[str, Any]:
    return {
        "video": clip.video,
        "events": [[event.kind, event.start_s, event.end_s, event.cause] for event in clip.events],
        "alerts": [
            [alert.kind, alert.start_s, alert.end_s, alert.fired_s, alert.cause] for alert in raised
        ],
    }


def _print_table(scores: Sequence[Score], *, clips: int) -> None:
    watched = {kind.value for kind in RuleKind}
    rows = [[title for _, title in _COLUMNS]]
    for found in scores:
        cells = found.row()
        rows.append(["-" if cells[name] is None else str(cells[name]) for name, _ in _COLUMNS])
    widths = [max(len(row[index]) for row in rows) for index in range(len(_COLUMNS))]
    for row in rows:
        say("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
    hours = scores[0].hours if scores else 0.0
    say(f"{clips} clips, {hours * 60:.1f} minutes")
    for found in scores:
        if found.causes_asked:
            say(f"{found.kind}: the right cause in {found.causes_right} of {found.causes_asked}")
    without = sorted({found.kind for found in scores} - watched)
    if without:
        say(f"no rule watches for these yet: {', '.join(without)}")


def _write(
    file: Path,
    scores: Sequence[Score],
    details: Sequence[Mapping[str, Any]],
    unread: Sequence[str],
    *,
    detector: ModelIdentity,
) -> None:
    document = {
        "detector": {"name": detector.name, "sha256": detector.sha256},
        "scores": [found.row() for found in scores],
        "unread": list(unread),
        "clips": list(details),
    }
    try:
        file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--json {file}: cannot be written ({error.strerror})") from error
