"""Smoke, rendered and laid over clips, and what looks like it (``python -m tests.bench.smoke``).

The cue and its rule alone, on frames decoded small as in the product, nobody followed. Prints
Markdown. ``--data`` adds the labelled clips, as they are and with smoke over them; ``--hour`` adds
so many seconds of each place in which nothing happens.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.frames import EncodedFrame, Frame
from contracts.rules import SceneRules
from contracts.settings import Settings
from ingest.recording import read_recording
from tests.bench.normal_hours import render as render_part
from tests.bench.normal_places import PLACES as NORMAL
from tests.fakes.builders import header
from tests.fakes.smoke_scenes import (
    DARK,
    FPS,
    PLACES,
    CloudShadow,
    Defocus,
    Flag,
    FogBank,
    Lamp,
    Painter,
    Plume,
    Rain,
    Tremble,
    Walker,
    WetLens,
    render,
)
from tests.fakes.smoke_watch import SmokeWatch
from vision.motion_gate import gate_frame

SECONDS: Final = 40.0
SMOKE: Final[dict[str, Plume]] = {
    "light": Plume(),
    "dark": Plume(colour=DARK),
    "as grey as what it hides": Plume(colour=(128.0, 128.0, 128.0)),
    "thin (40 % at its foot)": Plume(thickness=0.6),
    "faint (20 % at its foot)": Plume(thickness=0.35),
    "small (radius 2 % of the height)": Plume(wide=0.02, spread=0.008, rise=0.05),
    "slow": Plume(rise=0.03, spread=0.01),
    "in the wind": Plume(wind=0.08),
    "in a gale": Plume(wind=0.25, rise=0.03),
    "much of it": Plume(wind=0.08, thickness=3, rise=0.12, wide=0.07),
}
ALIKE: Final[dict[str, Painter]] = {
    "fog within 8 s": FogBank(),
    "fog within 25 s": FogBank(within_s=25, most=0.8),
    "shadow of a cloud": CloudShadow(),
    "shadow that stays": CloudShadow(stops_s=10),
    "walker in plain grey": Walker(way=[(4, -0.1, 0.8), (14, 1.1, 0.8)]),
    "... who stops for 22 s": Walker(
        way=[(4, -0.1, 0.8), (8, 0.5, 0.8), (30, 0.5, 0.8), (35, 1.1, 0.8)]
    ),
    "puff of 1 s, light": Plume(ends_s=6),
    "puff of 2 s, dark": Plume(ends_s=7, colour=DARK),
    "grey flag": Flag(),
    "lamp goes on": Lamp(),
    "lamp goes out": Lamp(gain=0.4),
    "lamp blinks every 2 s": Lamp(every_s=2),
    "focus lost": Defocus(),
    "drop on the lens": WetLens(),
    "rain": Rain(),
    "camera trembles": Tremble(),
    "camera turns": Tremble(sigma_px=0.2, turns_px=2),
}
OVER: Final = (
    "intel/one_by_one_dev.mp4", "intel/car_detection.mp4", "background/highway_trees.mp4",
    "lowlight/night_look_dev.mp4", "fight/streams/stream_Bparg.mp4",
    "abandoned/composite_table.mp4",
)  # fmt: skip
"""Clips of 25 s or more with a camera that stands still."""
STARTS_AT: Final = datetime(2000, 1, 1, tzinfo=UTC)


def watched(frames: Iterable[Frame]) -> SmokeWatch:
    watch = SmokeWatch()
    for frame in frames:
        watch.look(frame)
    return watch


def told(watch: SmokeWatch, starts_s: float = 0.0) -> str:
    return ", ".join(f"{one.monotonic_s - starts_s:.1f} s" for one in watch.events) or "-"


def rendered(painter: Painter, where: str) -> Iterator[Frame]:
    random = np.random.default_rng(3)
    for seq in range(round(SECONDS * FPS)):
        pixels = render([painter], seq / FPS, random, where=where)
        yield Frame(header=header(seq), pixels_HW3=pixels)


def recorded(video: Path) -> Iterator[EncodedFrame]:
    camera = Camera(
        camera_id="clip",
        name="clip",
        source=SourceSettings(source_type=SourceType.FILE, url=str(video), is_paced=False),
        scene=SceneRules(),
    )
    with read_recording(camera, Settings().ingest, starts_at=STARTS_AT) as recording:
        yield from recording


def small(frames: Iterable[EncodedFrame], plume: Plume | None = None) -> Iterator[Frame]:
    for frame in frames:
        shown = gate_frame(frame)
        if shown is None:
            continue
        if plume is not None:
            height, width = shown.pixels_HW3.shape[:2]
            alpha_HW = cv2.resize(plume.alpha(frame.header.monotonic_s), (width, height))
            before_HW3 = shown.pixels_HW3.astype(np.float32)
            own_3 = np.array(plume.colour, np.float32)
            mixed_HW3 = before_HW3 + alpha_HW[:, :, None] * (own_3 - before_HW3)
            shown = replace(shown, pixels_HW3=mixed_HW3.astype(np.uint8))
        yield shown


def main() -> int:
    """Print the tables; 1 if anything was told where there is no smoke."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path)
    arguments.add_argument("--hour", type=float, default=0.0)
    options = arguments.parse_args()
    cv2.setNumThreads(1)
    wrong = scenes()
    if options.data is not None:
        wrong += clips(options.data)
    if options.hour:
        wrong += hour(options.hour)
    return 1 if wrong else 0


def scenes() -> int:
    cost, wrong = [], 0
    say(f"| smoke, told after | {' | '.join(PLACES)} |")
    say(f"|---|{'--:|' * len(PLACES)}")
    for name, plume in SMOKE.items():
        runs = [watched(rendered(plume, where)) for where in PLACES]
        cost += [ms for run in runs for ms in run.cost_ms]
        say(f"| {name} | {' | '.join(told(run, plume.starts_s) for run in runs)} |")
    say(f"\nCost a frame: {_cost(cost)}\n")
    cost = []
    say(f"| no smoke, told at | {' | '.join(PLACES)} |")
    say(f"|---|{'--:|' * len(PLACES)}")
    for name, painter in ALIKE.items():
        runs = [watched(rendered(painter, where)) for where in PLACES]
        cost += [ms for run in runs for ms in run.cost_ms]
        wrong += sum(len(run.events) for run in runs)
        say(f"| {name} | {' | '.join(told(run) for run in runs)} |")
    say(f"\nCost a frame: {_cost(cost)}\n")
    return wrong


def clips(data: Path) -> int:
    plume = Plume(starts_s=8.0)
    say("| clip with smoke from 8 s on | light | dark | thin |")
    say("|---|--:|--:|--:|")
    for name in OVER:
        kinds = (plume, replace(plume, colour=DARK), replace(plume, thickness=0.6))
        runs = [watched(small(recorded(data / name), one)) for one in kinds]
        say(f"| {name} | {' | '.join(told(run, plume.starts_s) for run in runs)} |")
    listed = json.loads((data / "ground_truth_video.json").read_text(encoding="utf-8"))["videos"]
    cost, frames, false = [], 0, 0
    say("")
    for clip in listed:
        run = watched(small(recorded(data / clip["video"])))
        cost += run.cost_ms
        frames += len(run.cost_ms)
        is_smoke = any(event["type"] == "smoke" for event in clip["events"])
        if is_smoke or run.events:
            say(f"{clip['video']}: {'smoke' if is_smoke else 'no smoke'}, told: {told(run)}")
        false += 0 if is_smoke else len(run.events)
    say(f"\n{len(listed)} clips, {frames} frames: {false} false. Cost a frame: {_cost(cost)}\n")
    return false


def hour(seconds: float) -> int:
    false = 0
    for name, place in NORMAL.items():
        with tempfile.TemporaryDirectory() as folder:
            video = Path(folder) / "part.mp4"
            render_part(place, 0, seconds, video)
            run = watched(small(recorded(video)))
        false += len(run.events)
        say(f"{name}, {seconds:.0f} s: told {told(run)}. Cost a frame: {_cost(run.cost_ms)}")
    return false


def _cost(cost_ms: list[float]) -> str:
    low, middle, high = np.percentile(cost_ms, (25, 50, 95))
    mean = float(np.mean(cost_ms))
    return (
        f"median {middle:.2f} ms, mean {mean:.2f}, quarter below {low:.2f}, 95 % below {high:.2f}."
    )


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
