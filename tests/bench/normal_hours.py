"""False alarms in an hour in which nothing happens (``python -m tests.bench.normal_hours``).

Street, yard and lobby are rendered with exact truth (``normal_scenes``), sent through H.264 as a
camera does, and watched by the whole product with the rules that are on by default and zone rules
of the place. Nobody does there what a rule forbids, so every alert is a false alarm; each is
explained by who was where at that moment.

The hour is made in parts of ten minutes, each a run of its own, the three places in turn. What is
finished stays in ``--folder``: begun again, it goes on with what is missing. So do the recordings
and their truth: whoever takes a part's result away has it watched again. Prints Markdown.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import av
from tqdm import tqdm

from alerts.book import AlertBook
from alerts.history.evidence_store import FolderEvidenceStore
from contracts.alerts import Alert
from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.clock import SystemClock
from contracts.geometry import Box, iou
from contracts.rules import RuleKind
from contracts.settings import Settings
from contracts.tracks import Track
from ingest.recording import read_recording
from moe_core.program import ProgramReasoner
from tests.bench.__main__ import machine
from tests.bench.gate_scenes import FPS, HEIGHT, WIDTH
from tests.bench.normal_places import PLACES, Place
from tests.bench.normal_scenes import Shown, chunk
from vision.detect.registry import open_detector
from vision.pipeline import CameraPipeline
from vision.rules.defaults import with_defaults

CLOCK: Final = SystemClock()
STARTS_AT: Final = datetime(2000, 1, 1, tzinfo=UTC)
PART_S: Final = 600.0
NEAR_IOU: Final = 0.1

Truth = list[tuple[float, list[tuple[str, Box]], str]]
"""Of each frame: its time, who is where, the weather."""


def render(place: Place, number: int, seconds: float, video: Path) -> Truth:
    """Write a part of the hour as H.264, its truth beside it, and return that.

    What lies there whole already is taken as it is; a truth is written last.
    """
    kept = video.with_suffix(".truth.json")
    if video.is_file() and kept.is_file():
        found = _as_truth(json.loads(kept.read_text(encoding="utf-8")))
        if len(found) == round(seconds * FPS):
            return found
    truth: Truth = []
    shown = tqdm(
        chunk(place, number=number, seconds=seconds),
        total=round(seconds * FPS),
        desc=f"{place.name} {number}: drawing",
        leave=False,
    )
    with av.open(str(video), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": "28", "preset": "veryfast", "tune": "zerolatency", "g": "25",
                          "threads": "1"}  # fmt: skip
        for frame in shown:
            container.mux(stream.encode(_as_video(frame)))
            truth.append((frame.at_s, list(frame.there), frame.weather))
        container.mux(stream.encode())
    kept.write_text(json.dumps(truth), encoding="utf-8")
    return truth


def _as_truth(rows: list[Any]) -> Truth:
    return [
        (at_s, [(name, (box[0], box[1], box[2], box[3])) for name, box in there], weather)
        for at_s, there, weather in rows
    ]


def _as_video(frame: Shown) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(frame.picture, format="bgr24")


def watch(place: Place, video: Path, folder: Path, *, total: int) -> tuple[list[Alert], int, float]:
    """Return the alerts of a part, its frames, and the seconds that watching took."""
    camera = Camera(
        camera_id=place.name,
        name=place.name,
        source=SourceSettings(source_type=SourceType.FILE, url=str(video), is_paced=False),
        scene=place.rules,
    )
    settings = Settings()
    store = FolderEvidenceStore(folder, quota_bytes=0, min_free_bytes=0)
    pipeline = CameraPipeline(
        camera, open_detector(settings), settings=settings.vision, evidence=store, clock=CLOCK
    )
    book, reasoner = AlertBook(settings.alerts, cameras=(camera,)), ProgramReasoner(CLOCK)
    frames = 0
    began_s = time.thread_time()
    with read_recording(camera, settings.ingest, starts_at=STARTS_AT) as recording:
        for frame in tqdm(recording, total=total, desc=f"{place.name}: watching", leave=False):
            for incident in pipeline.process(frame).incidents:
                book.take_incident(incident)
                book.take_finding(reasoner.reason(incident))
            frames += 1
    for incident in pipeline.finish():
        book.take_incident(incident)
        book.take_finding(reasoner.reason(incident))
    return list(book.alerts()), frames, time.thread_time() - began_s


def described(alert: Alert, truth: Truth) -> dict[str, Any]:
    """Return what an alert says and what was really there."""
    incident = alert.incident
    fired_s = (incident.decisive_at - STARTS_AT).total_seconds()
    _, there, weather = min(truth, key=lambda one: abs(one[0] - fired_s))
    subject = incident.rule_events[0].track_id
    track = next((one for one in incident.tracks if one.track_id == subject), None)
    return {
        "kind": alert.kind.value,
        "severity": alert.severity.value,
        "decision": alert.decision.value,
        "fired_s": round(fired_s, 1),
        "value": round(incident.rule_events[0].value, 2),
        "detail": dict(incident.rule_events[0].detail),
        "label": "" if track is None else track.label,
        "box": None if track is None else [round(side, 3) for side in track.last_seen.box],
        "weather": weather,
        "really": _really(track, fired_s, there),
    }


def _really(track: Track | None, fired_s: float, there: Sequence[tuple[str, Box]]) -> str:
    if track is None:
        return "nothing is named"
    at = min(track.points, key=lambda point: abs(point.monotonic_s - fired_s)).box
    overlaps = sorted(((iou(at, box), name) for name, box in there), reverse=True)
    names = [name for overlap, name in overlaps if overlap > NEAR_IOU]
    return " and ".join(names) if names else "nobody there"


def part(place: Place, number: int, *, seconds: float, folder: Path) -> dict[str, Any]:
    """Return what happened in one part; read from the folder if it was done before."""
    kept = folder / f"{place.name}-{number}.json"
    if kept.is_file():
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        if found["seconds"] == seconds:
            return found
    video = folder / f"{place.name}-{number}.mp4"
    truth = render(place, number, seconds, video)
    evidence = folder / f"{place.name}-{number}"
    alerts, frames, cpu_s = watch(place, video, evidence, total=round(seconds * FPS))
    found = {
        "place": place.name,
        "part": number,
        "seconds": seconds,
        "frames": frames,
        "ms": 1000 * cpu_s / max(1, frames),
        "passers": len({name for _, there, _ in truth for name, _ in there}),
        "rules": sorted(rule.kind.value for rule in with_defaults(place.rules).rules),
        "alerts": [described(alert, truth) for alert in alerts],
    }
    kept.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return found


def report(parts: Sequence[dict[str, Any]]) -> Iterator[str]:
    rules = sorted({kind for one in parts for kind in one["rules"]})
    missing = sorted({kind.value for kind in RuleKind} - set(rules))
    here = machine()
    yield (
        f"Machine: {here['cpu']}, {here['cores']} cores, no GPU; commit {here['commit']}. Rules at "
        f"work: {', '.join(rules)}. Not on: {', '.join(missing)}."
    )
    yield ""
    yield "| place | minutes | frames | who and what passed | false alarms | per camera-hour | ms |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for name in [*PLACES, "all"]:
        own = [one for one in parts if name in ("all", one["place"])]
        if not own:
            continue
        hours = sum(one["seconds"] for one in own) / 3600
        count = sum(len(one["alerts"]) for one in own)
        frames = sum(one["frames"] for one in own)
        ms = sum(one["ms"] * one["frames"] for one in own) / max(1, frames)
        passers = sum(one["passers"] for one in own)
        yield (
            f"| {name} | {60 * hours:.0f} | {frames} | {passers} | {count} "
            f"| {count / hours:.1f} | {ms:.1f} |"
        )
    yield ""
    kinds = Counter(alert["kind"] for one in parts for alert in one["alerts"])
    if kinds:
        yield f"By kind: {', '.join(f'{kind} {count}' for kind, count in kinds.most_common())}."
        yield ""
    yield "| place | at s | kind | of a | really there | weather | value |"
    yield "|---|--:|---|---|---|---|--:|"
    for one in parts:
        for alert in one["alerts"]:
            at_s = one["part"] * one["seconds"] + alert["fired_s"]
            yield (
                f"| {one['place']} | {at_s:.1f} | {alert['kind']} | {alert['label']} "
                f"| {alert['really']} | {alert['weather']} | {alert['value']} |"
            )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where finished parts stay")
    parser.add_argument("--minutes", type=float, default=60.0, help="up to which, each place (60)")
    parser.add_argument("--from-minute", type=float, default=0.0, help="what is before is left out")
    parser.add_argument("--part-s", type=float, default=PART_S, help="length of a part (600)")
    parser.add_argument("--places", nargs="+", choices=list(PLACES), default=list(PLACES))
    parsed = parser.parse_args(arguments)
    parsed.folder.mkdir(parents=True, exist_ok=True)
    count = max(1, round(60 * parsed.minutes / parsed.part_s))
    first = round(60 * parsed.from_minute / parsed.part_s)
    todo = [(PLACES[name], number) for number in range(first, count) for name in parsed.places]
    parts = [
        part(place, number, seconds=parsed.part_s, folder=parsed.folder)
        for place, number in tqdm(todo, desc="parts")
    ]
    sys.stdout.write("\n".join(report(parts)) + "\n")


if __name__ == "__main__":
    main()
