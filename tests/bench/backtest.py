"""What ``vigil backtest`` costs over a day of many cameras (``python -m tests.bench.backtest``).

Street life (people and cars that walk, stop, come in groups, are missed and misnamed) goes through
the real tracker, recorder, writer and folder. Hours of three kinds are simulated, a few of each,
and stored at every hour of every camera at which they fit: the archive is as large as a real one,
but its hours repeat. Prints Markdown.
"""

import argparse
import contextlib
import io
import itertools
import json
import resource
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from alerts.history.sql import migrate, open_history
from api.__main__ import main as vigil
from api.track_folder import FolderTrackStore
from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.clock import SystemClock
from contracts.rules import RuleKind, SceneRules
from tests.bench.__main__ import machine
from tests.fakes.clock import START
from tests.fakes.street_life import EVERY_KIND, followed, walkers
from tests.fakes.track_archives import InMemoryTracks
from vision.archive.columns import StoredTracks
from vision.archive.recorder import TrackRecorder, micros
from vision.archive.writer import TrackWriter

HOUR_S: Final = 3600.0
DAY: Final = ("night",) * 6 + ("day",) * 3 + ("peak",) * 2 + ("day",) * 5 + ("peak",) * 3 + (
    "day",) * 3 + ("night",) * 2  # fmt: skip
"""Which kind each hour of the day is."""
COMERS: Final = {"night": 4, "day": 40, "peak": 120}
"""People and cars that come in an hour."""
USUAL: Final = ("intrusion", "loiter", "zone_entry", "line_cross", "crowd")


def hours(variants: int) -> dict[str, list[list[StoredTracks]]]:
    """Parts of some hours of each kind, as the recorder gives them away."""
    made: dict[str, list[list[StoredTracks]]] = {}
    for kind, comers in COMERS.items():
        for variant in range(variants):
            seed = 100 * comers + variant
            people = walkers(np.random.default_rng(seed), count=comers, until_s=HOUR_S / 0.75)
            archive = InMemoryTracks()
            recorder = TrackRecorder(archive)
            for header, tracks in followed(people, seed, until_s=HOUR_S, began=START, stalls=False):
                recorder.look(header, tracks)
            recorder.flush()
            made.setdefault(kind, []).append(archive.parts)
            sys.stderr.write(f"\r{kind} {variant + 1} ")
    sys.stderr.write("\n")
    return made


def moved(part: StoredTracks, camera_id: str, sitting: datetime, hour: int) -> StoredTracks:
    """A part at another hour of another camera's sitting, its tracks with other ids."""
    shift_s = hour * HOUR_S
    shift_us = micros(sitting) - micros(START) + round(1e6 * shift_s)
    return replace(
        part,
        camera_id=camera_id,
        run_id=f"{camera_id}-{sitting:%Y%m%d}",
        sitting=micros(sitting),
        seqs_F=part.seqs_F + 100_000 * hour,
        stream_F=part.stream_F + shift_s,
        captured_F=part.captured_F + shift_us,
        names=tuple(f"t{10_000 * (hour + 1) + int(name[1:])}" for name in part.names),
        first_captured_K=part.first_captured_K + shift_us,
        first_stream_K=part.first_stream_K + shift_s,
    )


def store(folder: Path, began: datetime, *, cameras: int, variants: int) -> None:
    """Keep a day of each camera by the real writer."""
    made = hours(variants)
    writer = TrackWriter(FolderTrackStore(folder, clock=SystemClock(), days=1e4), SystemClock())
    for camera in range(cameras):
        for hour, kind in enumerate(DAY):
            for part in made[kind][(camera + hour) % variants]:
                writer.append(moved(part, f"street-{camera + 1}", began, hour))
                writer.turn(timeout_s=0.0)
    stop = threading.Event()
    stop.set()
    writer.run(stop)


def scene(names: Sequence[str]) -> SceneRules:
    """Rules of street life by id."""
    return replace(EVERY_KIND, rules=tuple(r for r in EVERY_KIND.rules if r.rule_id in names))


def declare(data_dir: Path, cameras: int, rules: SceneRules) -> None:
    """Put the cameras into the database of the data folder."""
    url = f"sqlite:///{data_dir / 'vigil.db'}"
    migrate(url)
    history = open_history(url)
    source = SourceSettings(source_type=SourceType.SYNTHETIC, url="yard")
    for number in range(cameras):
        history.cameras.save_camera(
            Camera(camera_id=f"street-{number + 1}", source=source, scene=rules)
        )
    history.close()


def rows(data_dir: Path, arguments: argparse.Namespace, span: Sequence[str]) -> Iterator[str]:
    """Rows: what was asked, rules replayed, events, seconds of wall and of CPU time."""
    kinds = {rule.kind.value: rule.rule_id for rule in reversed(EVERY_KIND.rules)}
    alone = {name: (kinds[name],) for name in sorted(kinds) if name != RuleKind.SEQUENCE}
    changed = "loiter.threshold_s=12"
    asked: list[tuple[str, Sequence[str], Sequence[str]]] = [
        ("one threshold of five rules changed, against now", USUAL, ("--set", changed)),
        ("... and the other four as well", USUAL, ("--set", changed, "--only", *USUAL)),
        ("five usual rules, as they are", USUAL, ()),
        ("a rule of every kind, as they are", tuple(kinds.values()), ()),
        ("all 22 rules of the tests, as they are", [r.rule_id for r in EVERY_KIND.rules], ()),
        *((f"`{name}` alone", ids, ()) for name, ids in alone.items()),
    ]
    out = data_dir / "answer.json"
    for title, names, options in asked[: arguments.only or None]:
        declare(data_dir, arguments.cameras, scene(names))
        given = ["backtest", "--data-dir", str(data_dir), *span, *options, "--json", str(out)]
        times = []
        for _ in range(arguments.rounds):
            began_s, began_cpu_s = time.perf_counter(), cpu_s()
            with contextlib.redirect_stdout(io.StringIO()):
                if vigil(given):
                    raise SystemExit(f"vigil {' '.join(given)} failed")
            times.append((time.perf_counter() - began_s, cpu_s() - began_cpu_s))
        cameras = json.loads(out.read_text())["cameras"]
        told = [rule for camera in cameras for rule in camera["rules"]]
        events = sum(rule.get("events", 0) + rule.get("events_now", 0) for rule in told)
        walls, cpus = zip(*times, strict=True)
        yield (
            f"| {title} | {events} | {statistics.median(walls):.1f} | {min(walls):.1f} "
            f"| {statistics.median(cpus):.1f} |"
        )


def cpu_s() -> float:
    """Return the CPU time of this process and of those that it started."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=8, help="how many (8)")
    parser.add_argument("--variants", type=int, default=3, help="hours of each kind (3)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each row is run (3)")
    parser.add_argument("--only", type=int, help="the first so many rows")
    parser.add_argument("--folder", type=Path, help="keep the archive here, or use the one there")
    arguments = parser.parse_args()
    began = START.replace(hour=0, minute=0, second=0, microsecond=0)
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as name:
        data_dir = arguments.folder or Path(name)
        tracks = data_dir / "tracks"
        if not tracks.exists():
            store(tracks, began, cameras=arguments.cameras, variants=arguments.variants)
        size = FolderTrackStore(tracks, clock=SystemClock()).used_bytes()
        lines = itertools.chain(
            [
                f"{machine()}",
                f"{arguments.cameras} cameras, {len(DAY)} h, "
                f"{sum(COMERS[kind] for kind in DAY)} comers each, {size / 1e6:.1f} MB",
                "",
                "| asked | events | median wall s | least wall s | CPU s |",
                "|---|--:|--:|--:|--:|",
            ],
            rows(
                data_dir,
                arguments,
                ("--from", began.isoformat(), "--to", (began + timedelta(days=1)).isoformat()),
            ),
        )
        for line in lines:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
