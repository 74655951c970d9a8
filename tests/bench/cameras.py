"""How many cameras a machine watches, against a plain script (``python -m tests.bench.cameras``).

Both read the same recordings and look at 5 frames a second, on one thread, in turn in one run, and
are measured in seconds of processor time from the file to what was found. Ours is the whole vision
path: decoding, JPEG as it travels, motion gate, detector, tracking, rules. The plain script decodes
the same file and gives every frame to a published detector: no gate, no tracking, no rules.

Cameras = cores / (5 x seconds of processor time for a frame): one process a core. Prints Markdown.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
import structlog

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.clock import SystemClock
from contracts.detections import Detector
from contracts.frames import Frame, FrameHeader, FrameOutcome
from contracts.rules import SceneRules
from contracts.settings import IngestSettings, VisionSettings
from ingest.recording import read_recording
from tests.bench.__main__ import machine
from tests.fakes.clips import WalkerClip, write_walker
from tests.fakes.ports import InMemoryEvidence
from vision.detect.registry import FAMILIES, make_detector
from vision.pipeline import CameraPipeline

ANALYSIS_FPS: Final = 5.0
STARTS_AT: Final = datetime(2000, 1, 1, tzinfo=UTC)
CLOCK: Final = SystemClock()


@dataclass(slots=True)
class Measured:
    """Milliseconds of processor time for a frame, by round."""

    ours_ms: list[float] = field(default_factory=list)
    plain_ms: list[float] = field(default_factory=list)
    looked_share: float = 0.0


def rendered(folder: Path, *, seconds: float) -> dict[str, Path]:
    """Write a busy, a mostly still and a still recording, 640x360 at 15 frames a second."""
    presence = {
        "busy: somebody walks all the time": (0.0, seconds),
        "mostly still: somebody for a tenth of the time": (0.4 * seconds, 0.5 * seconds),
        "still: nobody": (seconds, seconds),
    }
    clips: dict[str, Path] = {}
    for name, (enter_s, leave_s) in presence.items():
        clips[name] = folder / f"{len(clips)}.mp4"
        walker = WalkerClip(
            width=640, height=360, fps=15, duration_s=seconds, enter_s=enter_s, leave_s=leave_s
        )
        write_walker(clips[name], walker)
    return clips


def ours(clip: Path, detector: Detector, settings: VisionSettings) -> tuple[int, int]:
    """Look through a recording; return frames and those that the detector looked at."""
    camera = Camera(
        camera_id="bench",
        source=SourceSettings(source_type=SourceType.FILE, url=str(clip), is_paced=False),
        scene=SceneRules(),
        analysis_fps=ANALYSIS_FPS,
    )
    pipeline = CameraPipeline(
        camera, detector, settings=settings, evidence=InMemoryEvidence(), clock=CLOCK
    )
    outcomes: list[FrameOutcome] = []
    with read_recording(camera, IngestSettings(), starts_at=STARTS_AT) as recording:
        outcomes += [pipeline.process(frame).outcome for frame in recording]
    pipeline.finish()
    detector.forget(camera.camera_id)
    return len(outcomes), outcomes.count(FrameOutcome.ANALYSED)


def plain(clip: Path, detector: Detector) -> tuple[int, int]:
    """Give every sampled frame to a detector, as a script of ten lines would."""
    frames = 0
    next_s = 0.0
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for picture in container.decode(stream):
            if picture.time < next_s:
                continue
            next_s += 1 / ANALYSIS_FPS
            pixels = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
            header = FrameHeader(
                camera_id="bench",
                run_id="plain",
                seq=frames,
                captured_at=STARTS_AT,
                monotonic_s=picture.time,
                width=pixels.shape[1],
                height=pixels.shape[0],
            )
            detector.detect([Frame(header=header, pixels_HW3=pixels)])
            frames += 1
    return frames, frames


def spent_ms(work: Callable[[], tuple[int, int]]) -> tuple[float, float]:
    """Return processor time for a frame, and the share of frames that were looked at."""
    began_s = time.process_time()
    frames, looked = work()
    return 1000 * (time.process_time() - began_s) / frames, looked / frames


def measure(
    clips: dict[str, Path], settings: VisionSettings, published: Detector, *, rounds: int
) -> dict[str, Measured]:
    """Run both on every recording, in turn, the first round for warming up only."""
    found = {name: Measured() for name in clips}
    detector = make_detector(settings)
    for number in range(rounds + 1):
        for name, clip in clips.items():
            ours_ms, looked = spent_ms(partial(ours, clip, detector, settings))
            plain_ms, _ = spent_ms(partial(plain, clip, published))
            if number:
                found[name].ours_ms.append(ours_ms)
                found[name].plain_ms.append(plain_ms)
                found[name].looked_share = looked
        sys.stderr.write(f"\rround {number} of {rounds}")
    sys.stderr.write("\n")
    return found


def table(found: dict[str, Measured], *, cores: int) -> list[str]:
    """Return the table's lines in Markdown."""
    lines = [
        f"| recording | looked at | ours, ms | plain, ms | cameras on {cores} | plain | ratio |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, one in found.items():
        ours_ms, plain_ms = statistics.median(one.ours_ms), statistics.median(one.plain_ms)
        pairs = zip(one.plain_ms, one.ours_ms, strict=True)
        ratio = statistics.median(theirs / own for theirs, own in pairs)
        lines.append(
            f"| {name} | {100 * one.looked_share:.0f} % | {ours_ms:.2f} | {plain_ms:.2f} | "
            f"{cores * 1000 / ANALYSIS_FPS / ours_ms:.1f} | "
            f"{cores * 1000 / ANALYSIS_FPS / plain_ms:.1f} | {ratio:.2f} |"
        )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.cameras", description=__doc__)
    parser.add_argument("--published", type=Path, required=True, help="a YOLOX in ONNX form")
    parser.add_argument("--detector", default="encoder", choices=sorted(FAMILIES), help="ours")
    parser.add_argument("--weights", type=Path, help="ours, if not the shipped ones")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each rendered recording")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("clips", nargs="*", type=Path, help="recordings besides the rendered ones")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    cv2.setNumThreads(1)
    settings = VisionSettings(detector=arguments.detector, weights=arguments.weights)
    published = make_detector(VisionSettings(detector="yolox", weights=arguments.published))
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as folder:
        clips = rendered(Path(folder), seconds=arguments.seconds)
        clips |= {clip.stem: clip for clip in arguments.clips}
        found = measure(clips, settings, published, rounds=arguments.rounds)
    where = machine()
    sys.stdout.write(
        f"{where['cpu']}, one thread, commit {where['commit']}, load {where['load']:.1f}; "
        f"ours {make_detector(settings).identity.name}, plain {published.identity.name}; "
        f"cameras on {arguments.cores} cores; processor time for a frame, medians of "
        f"{arguments.rounds} rounds\n\n"
    )
    sys.stdout.write("\n".join(table(found, cores=arguments.cores)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
