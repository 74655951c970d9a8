"""Cost of each stage and of the whole path, measured in one run, interleaved (``make bench``).

Each round runs every row once, in turn, so that a machine whose speed drifts drifts for all of
them; the table holds medians over the rounds. Costs are milliseconds of wall time for one analysed
frame. ``limit`` is the thinnest version of the same step on the same input: bare decoding, one
write and one read of the same bytes. The exit status says whether the bar of ingest holds.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import av
import cv2
import structlog

from alerts.history.evidence_store import FolderEvidenceStore
from api.transport.connection import connect
from api.transport.redis_server import EmbeddedRedis
from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.clock import SystemClock
from contracts.frames import EncodedFrame, FrameOutcome
from contracts.incidents import Incident
from contracts.rules import SceneRules
from contracts.settings import IngestSettings, QueueSettings, VisionSettings
from ingest.frame_queue import RedisFrameQueue
from ingest.recording import read_recording
from ingest.sources.scenes.yard_truth import YARD_RULES
from ingest.sources.synthetic import record_scene
from moe_core.program import ProgramReasoner
from tests.bench.ingest import IngestBench
from vision.detect.registry import FAMILIES, make_detector
from vision.pipeline import CameraPipeline

AnswerT = TypeVar("AnswerT")
CAMERA_ID = "bench"
CLOCK = SystemClock()
PARTS = ("decode", "queue", "unpack", "motion", "detect", "track", "rule", "report", "reason")


@dataclass(slots=True)
class Bench:
    """The clip, the real queue, and what was measured: milliseconds a frame by row and round."""

    clip: Path
    scene: SceneRules
    folder: Path
    redis_url: str
    vision: VisionSettings
    rounds: dict[str, list[float]] = field(default_factory=dict)

    def camera(self) -> Camera:
        source = SourceSettings(source_type=SourceType.FILE, url=str(self.clip), is_paced=False)
        return Camera(camera_id=CAMERA_ID, source=source, scene=self.scene)

    def pipeline(self) -> CameraPipeline:
        store = FolderEvidenceStore(self.folder, quota_bytes=0, min_free_bytes=0)
        return CameraPipeline(
            self.camera(),
            make_detector(self.vision),
            settings=self.vision,
            evidence=store,
            clock=CLOCK,
        )

    def queue(self) -> RedisFrameQueue:
        return RedisFrameQueue(self.redis_url, settings=QueueSettings(), clock=CLOCK)

    def note(self, row: str, seconds: float, frames: int) -> None:
        self.rounds.setdefault(row, []).append(1000 * seconds / frames)

    def run_round(self) -> None:
        frames = self._decode()
        self._decode_limit(len(frames))
        self._queue(frames)
        self._queue_limit(frames)
        incidents = self._vision(frames)
        self._reason(incidents, len(frames))
        self._whole(len(frames))

    def _decode(self) -> list[EncodedFrame]:
        frames, seconds = timed(self._recording)
        self.note("decode", seconds, len(frames))
        return frames

    def _recording(self) -> list[EncodedFrame]:
        starts_at = datetime(2000, 1, 1, tzinfo=UTC)
        with read_recording(self.camera(), IngestSettings(), starts_at=starts_at) as recording:
            return list(recording)

    def _decode_limit(self, frames: int) -> None:
        def bare() -> None:
            with av.open(str(self.clip)) as container:
                stream = container.streams.video[0]
                stream.thread_type = "NONE"
                for _ in container.decode(stream):
                    continue

        _, seconds = timed(bare)
        self.note("decode limit", seconds, frames)

    def _queue(self, frames: list[EncodedFrame]) -> None:
        queue = self.queue()

        def carry() -> None:
            for frame in frames:
                queue.put(frame)
                [taken] = queue.take([CAMERA_ID], timeout_s=1.0)
                queue.settle(taken, FrameOutcome.ANALYSED)

        _, seconds = timed(carry)
        self.note("queue", seconds, len(frames))

    def _queue_limit(self, frames: list[EncodedFrame]) -> None:
        client = connect(self.redis_url)

        def carry() -> None:
            for frame in frames:
                client.set("bench", frame.jpeg)
                client.get("bench")

        _, seconds = timed(carry)
        self.note("queue limit", seconds, len(frames))

    def _vision(self, frames: list[EncodedFrame]) -> list[Incident]:
        pipeline = self.pipeline()
        incidents: list[Incident] = []
        spent: dict[str, float] = {}
        for frame in frames:
            result = pipeline.process(frame)
            incidents += result.incidents
            for stage, seconds in result.timings.items():
                spent[stage] = spent.get(stage, 0.0) + seconds
        incidents += pipeline.finish()
        for stage, seconds in spent.items():
            self.note("unpack" if stage == "decode" else stage, seconds, len(frames))
        return incidents

    def _reason(self, incidents: list[Incident], frames: int) -> None:
        reasoner = ProgramReasoner(CLOCK)
        each = [timed(partial(reasoner.reason, incident))[1] for incident in incidents]
        self.note("reason", sum(each), frames)
        self.rounds.setdefault("reason, one incident", []).extend(1000 * spent for spent in each)

    def _whole(self, frames: int) -> None:
        queue, reasoner, pipeline = self.queue(), ProgramReasoner(CLOCK), self.pipeline()

        def whole() -> None:
            starts_at = datetime(2000, 1, 1, tzinfo=UTC)
            with read_recording(self.camera(), IngestSettings(), starts_at=starts_at) as recording:
                for frame in recording:
                    queue.put(frame)
                    [taken] = queue.take([CAMERA_ID], timeout_s=1.0)
                    result = pipeline.process(taken.frame)
                    for incident in result.incidents:
                        reasoner.reason(incident)
                    queue.settle(taken, result.outcome)
            for incident in pipeline.finish():
                reasoner.reason(incident)

        _, seconds = timed(whole)
        self.note("whole path", seconds, frames)

    def medians(self) -> dict[str, float]:
        return {row: statistics.median(values) for row, values in self.rounds.items() if values}


def timed(work: Callable[[], AnswerT]) -> tuple[AnswerT, float]:
    """Return what the work gave and the wall seconds it took."""
    began = time.perf_counter()
    answer = work()
    return answer, time.perf_counter() - began


def table(bench: Bench) -> list[str]:
    """Return the table's lines in Markdown."""
    found = bench.medians()
    lines = ["| row | ms a frame | limit | ratio |", "|---|--:|--:|--:|"]
    for row in PARTS:
        limit = found.get(f"{row} limit")
        ratio = f"{found.get(row, 0.0) / limit:.2f}" if limit else ""
        shown = f"{limit:.3f}" if limit else ""
        lines.append(f"| {row} | {found.get(row, 0.0):.3f} | {shown} | {ratio} |")
    parts = sum(found.get(row, 0.0) for row in PARTS)
    per_round = [
        whole / sum(bench.rounds[row][index] for row in PARTS if row in bench.rounds)
        for index, whole in enumerate(bench.rounds["whole path"])
    ]
    lines.append(f"| sum of the parts | {parts:.3f} | | |")
    lines.append(
        f"| whole path | {found['whole path']:.3f} | {parts:.3f} | "
        f"{statistics.median(per_round):.2f} |"
    )
    lines.append(f"| reasoning, one incident | {found['reason, one incident']:.3f} | | |")
    return lines


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    git = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    cpu = next(
        (line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith("model name")),
        platform.processor(),
    )  # fmt: skip
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "commit": git.stdout.strip() or "unknown",
        "load": os.getloadavg()[0],
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often each row is run (7)")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the yard clip (30)")
    parser.add_argument("--detector", default="motion", choices=sorted(FAMILIES))
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--only-ingest", action="store_true", help="leave the stages out")
    parser.add_argument("--json", type=Path, help="write rounds and medians here")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as name:
        folder = Path(name)
        clip = folder / "yard.mp4"
        record_scene(clip, duration_s=arguments.seconds)
        server = EmbeddedRedis(folder / "redis", clock=CLOCK)
        server.start()
        try:
            vision = VisionSettings(detector=arguments.detector, weights=arguments.weights)
            bench = Bench(clip, YARD_RULES, folder / "evidence", server.url, vision)
            ingest = IngestBench(folder, server.url)
            ingest.prepare()
            for index in range(arguments.rounds + 1):
                if not arguments.only_ingest:
                    bench.run_round()
                ingest.run_round()
                if index == 0:  # the first round warms caches
                    bench.rounds.clear()
                    ingest.rounds.clear()
                sys.stderr.write(f"\rround {index} of {arguments.rounds}")
            sys.stderr.write("\n")
        finally:
            server.stop()
    where = machine()
    sys.stdout.write(
        f"{where['cpu']}, {where['cores']} cores, one thread, Python {where['python']}, commit "
        f"{where['commit']}, load {where['load']:.1f}; yard 640x360 H.264, 12.5 fps, analysed at "
        f"5 fps, detector {arguments.detector}; medians of {arguments.rounds} rounds\n\n"
    )
    if not arguments.only_ingest:
        sys.stdout.write("\n".join(table(bench)) + "\n\n")
    verdict, holds = ingest.verdict()
    sys.stdout.write("\n".join([*ingest.table(), "", verdict]) + "\n")
    if arguments.json:
        arguments.json.write_text(
            json.dumps(
                {"machine": where, "medians": bench.medians(), "rounds": bench.rounds}, indent=1
            )
        )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
