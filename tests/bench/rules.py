"""What rules state against drawn truth, and what they cost (``python -m tests.bench.rules``).

Drawn boxes with a detector's jitter through the real tracker; with ``--pixels`` also the yard as it
is drawn, encoded, decoded and looked at by the shipped detector. Prints Markdown tables.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.frames import Frame
from contracts.incidents import RuleEvent
from contracts.rules import Place, RuleKind, RuleSettings, SceneRules
from contracts.settings import IngestSettings, VisionSettings
from contracts.tracks import Track
from ingest.recording import read_recording
from ingest.sources.scenes.yard_truth import YARD_EVENTS, YARD_RULES
from ingest.sources.synthetic import record_scene
from tests.bench.__main__ import machine
from tests.fakes.tracks import followed, header_at, straight
from tests.vision.drawn_truth import (
    YARD_CALIBRATION,
    watched,
    yard_boxes,
)
from tests.vision.rules.test_registry import NEEDED
from tests.vision.test_watch import DOCK, GATE
from vision.detect.registry import make_detector
from vision.drawing import decode_jpeg
from vision.facts import dwell_fact
from vision.observation import Observation
from vision.rules.registry import RULES
from vision.tracker import Tracker
from vision.watch import Watch

STARTS_AT: Final = datetime(2000, 1, 1, tzinfo=UTC)
SEEDS: Final = 5
SPEED_SEEDS: Final = 20
LOOP_S: Final = 80.0
EXIT: Final = RuleSettings(rule_id="out", kind=RuleKind.ZONE_EXIT, zone_id="bay")
WATCHED: Final = replace(YARD_RULES, rules=(*YARD_RULES.rules, EXIT))


def yard_errors(frames: Iterable[Observation]) -> dict[str, list[float]]:
    """Seconds by which statements about the yard's script are off, by what they state."""
    watch, said, tracks = Watch(WATCHED), list[RuleEvent](), dict[str, Track]()
    for seen in frames:
        tracks.update({track.track_id: track for track in seen.tracks})
        said += watch.look(seen).events
    errors: dict[str, list[float]] = {"missed": [], "not in the script": []}
    unclaimed = [event for event in said if event.kind is not RuleKind.ZONE_EXIT]
    for true in YARD_EVENTS:
        events = [
            event
            for event in unclaimed
            if event.kind is true.kind and abs(event.since_s - true.start_s) < 3
        ]
        if not events:
            errors["missed"].append(true.start_s)
            continue
        unclaimed.remove(events[0])
        name = "crossing" if true.kind is RuleKind.LINE_CROSS else "beginning of a stay"
        errors.setdefault(name, []).append(events[0].since_s - true.start_s)
        dwell = dwell_fact(events[0], track=tracks[events[0].track_id], scene=WATCHED, cited={})
        if dwell is not None:
            lasted_s = true.end_s - true.start_s
            errors.setdefault("length of a stay", []).append(dwell.value - lasted_s)
        exits = [e.since_s - true.end_s for e in said if e.kind is RuleKind.ZONE_EXIT]
        if true.kind is RuleKind.LOITER and exits:
            errors.setdefault("exit", []).append(min(exits, key=abs))
    errors["not in the script"] += [event.since_s for event in unclaimed]
    return errors


def detected(clip: Path) -> Iterator[Observation]:
    """The clip as the shipped detector and the tracker see it, five frames a second."""
    detector = make_detector(VisionSettings(detector="encoder"))
    tracker = Tracker(confidence=VisionSettings().confidence)
    source = SourceSettings(source_type=SourceType.FILE, url=str(clip), is_paced=False)
    camera = Camera(camera_id="bench", source=source)
    with read_recording(camera, IngestSettings(), starts_at=STARTS_AT) as recording:
        for encoded in recording:
            pixels_HW3 = decode_jpeg(encoded.jpeg)
            if pixels_HW3 is not None:
                frame = Frame(header=encoded.header, pixels_HW3=pixels_HW3)
                [found] = detector.detect([frame])
                yield Observation(header=frame.header, tracks=tracker.update(found, frame.header))


def time_rows(runs: Iterable[Iterable[Observation]]) -> Iterator[str]:
    """Rows of errors in seconds, of all runs together."""
    together: dict[str, list[float]] = {}
    for frames in runs:
        for name, errors in yard_errors(frames).items():
            together.setdefault(name, []).extend(errors)
    for name, errors in together.items():
        if name in ("missed", "not in the script"):
            yield f"| {name} | {len(errors)} | | |"
            continue
        sizes = [abs(error) for error in errors]
        within = sum(size <= 0.2 + 0.05 for size in sizes) / len(sizes)
        yield (
            f"| {name} | {len(errors)} | {statistics.median(errors):+.2f} | {max(sizes):.2f} "
            f"| {within:.0%} |"
        )


def cost_rows() -> Iterator[str]:
    """Rows of milliseconds a frame, median over frames, by kind and number of objects."""
    counts = (5, 20, 100, 500)
    frames = {count: list(_busy(count)) for count in counts}
    scene = SceneRules(zones=(DOCK,), lines=(GATE,), calibration=YARD_CALIBRATION)
    parts = tuple(_rule(kind) for kind in RULES if kind is not RuleKind.SEQUENCE)
    for kind in RULES:
        rules = (*parts, _rule(kind)) if kind is RuleKind.SEQUENCE else (_rule(kind),)
        if kind is RuleKind.SEQUENCE:
            yield _cost_row("all kinds together", replace(scene, rules=rules), frames)
        else:
            yield _cost_row(f"`{kind}`", replace(scene, rules=rules), frames)


def _cost_row(name: str, scene: SceneRules, frames: dict[int, list[Observation]]) -> str:
    cells = []
    for shown in frames.values():
        watch, times = Watch(scene), []
        for seen in shown:
            began = time.process_time()
            watch.look(seen)
            times.append((time.process_time() - began) * 1000)
        cells.append(f"{statistics.median(times[6:]):.2f}")
    return f"| {name} | {' | '.join(cells)} |"


def _rule(kind: RuleKind) -> RuleSettings:
    return RuleSettings(
        rule_id=kind.value,
        kind=kind,
        zone_id="dock" if kind.place is Place.ZONE else "",
        line_id="gate" if kind.place is Place.LINE else "",
        params=NEEDED.get(kind, {}),
    )


def _busy(count: int) -> Iterator[Observation]:
    """People who all walk across the picture at once, five frames a second."""
    wholes = [
        followed(straight((0.1, 0.3 + 0.6 * n / count), (0.9, 0.3), until_s=6.0), track_id=f"t{n}")
        for n in range(count)
    ]
    for index in range(1, 31):
        tracks = [replace(whole, points=whole.points[:index], hits=index) for whole in wholes]
        yield Observation(header=header_at(tracks[0].last.monotonic_s), tracks=tracks)


def tables(arguments: argparse.Namespace) -> Iterator[str]:
    """Yield the lines of all tables."""
    yield f"{machine()}"
    for jitter in (0.0, 0.001, 0.002):
        yield f"\nDrawn boxes, jitter {jitter:g} of the picture, {SEEDS} runs\n"
        yield "| stated | times | median error s | worst s | within a frame |"
        yield "|---|--:|--:|--:|--:|"
        yield from time_rows(
            (
                shown.seen
                for shown in watched(
                    yard_boxes, until_s=LOOP_S, jitter=jitter, phase_s=0.04 * seed, seed=seed
                )
            )
            for seed in range(SEEDS)
        )
    if arguments.pixels:
        with tempfile.TemporaryDirectory() as folder:
            clip = Path(folder) / "yard.mp4"
            record_scene(clip, duration_s=LOOP_S)
            yield "\nPixels and the shipped detector, 1 run\n"
            yield "| stated | times | median error s | worst s | within a frame |"
            yield "|---|--:|--:|--:|--:|"
            yield from time_rows([detected(clip)])
    yield "\n| rule | 5 objects | 20 | 100 | 500 |\n|---|--:|--:|--:|--:|"
    yield from cost_rows()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pixels", action="store_true", help="run the shipped detector as well")
    for line in tables(parser.parse_args()):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
