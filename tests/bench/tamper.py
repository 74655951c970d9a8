"""What is told of a camera that is tampered with, and what is left alone.

``python -m tests.bench.tamper [--data DATA]``. Tamperings and disturbances with exact truth, over
rendered scenes and, with ``--data``, over real clips; the labelled clips as they are; the cost.
Prints Markdown tables.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from api.evaluation import CAUSE_OF_TAMPER
from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.frames import EncodedFrame, Frame
from contracts.incidents import RuleEvent
from contracts.rules import RuleKind, RuleSettings
from contracts.settings import IngestSettings
from ingest.recording import read_recording
from tests.bench import gate_scenes
from tests.bench.gate import DISTURBANCES as WEATHER
from tests.bench.gate import small_frame_of
from tests.bench.gate_scenes import FPS, FloatPicture, Mover, Picture, background
from tests.bench.parts import write_parts
from tests.bench.tamper_scenes import DISTURBANCES, ELECTRONIC, TAMPERINGS, Effect, tampered
from vision.cues.port import Cues, Glimpse
from vision.cues.view import ViewCue
from vision.drawing import decode_jpeg
from vision.motion_gate import Motion, gate_frame
from vision.observation import Observation
from vision.rules.tamper import TamperRule

BEGINS_S: Final = 8.0
ENDS_S: Final = 13.0
LASTS_S: Final = 20.0
WIDTH: Final = 320
"""Width of the pictures that effects are laid over: half of what is analysed."""
NOTHING_MOVES: Final = Motion(share=0.0, light_change=0.0, is_moving=False)
CLIPS: Final = (
    "intel/one_by_one_dev",
    "background/highway_trees",
    "intel/car_detection",
    "lowlight/night_look_dev",
    "fight/streams/stream_Bparg",
)
"""Real clips of 20 s and more: a room, a road, a car park, a dark room, a cell."""

Shown = Sequence[tuple[float, FloatPicture]]


@dataclass(frozen=True, slots=True)
class Ground:
    """Pictures to lay an effect over, with the sensor's noise that is to be added."""

    shown: Shown
    noise: float


def events_of(frames: Sequence[Frame]) -> list[RuleEvent]:
    """Return what the rule says of one camera's run."""
    cue = ViewCue()
    rule = TamperRule(RuleSettings(rule_id="tamper", kind=RuleKind.TAMPER))
    return [
        event
        for frame in frames
        for event in rule.update(
            Observation(header=frame.header, tracks=(), cues=Cues(view=cue.look(_glimpse(frame))))
        )
    ]


def _glimpse(frame: Frame) -> Glimpse:
    return Glimpse(small=frame, picture=None, motion=NOTHING_MOVES, detections=None, tracks=())


def under(ground: Ground, effect: Effect, *, ends_s: float, cause: str = "") -> list[RuleEvent]:
    """Return what is said of a ground that an effect begins on."""
    pictures = list(
        tampered(
            ground.shown,
            effect,
            begins_s=BEGINS_S,
            ends_s=ends_s,
            noise=ground.noise,
            is_optical=cause not in ELECTRONIC,
        )
    )
    if ground.noise:
        pictures = list(gate_scenes.coded(pictures))
    return events_of([small_frame_of(picture, number) for number, picture in enumerate(pictures)])


@cache
def rendered(name: str) -> Ground:
    """Return a rendered ground: somebody walks by day, or nobody by night."""
    if name == "night":
        scene = _halved(background(5, light=0.25))
        return Ground([(number / FPS, scene) for number in range(round(LASTS_S * FPS))], 6.0)
    walk = Mover(height=0.4, speed=0.06, noise=0.0, clothes="dark", lead_s=3.0, lasts_s=LASTS_S - 3)
    pictures, _ = walk.frames()
    return Ground(
        [(number / FPS, _halved(picture)) for number, picture in enumerate(pictures)], 2.0
    )


def recorded(path: Path) -> Ground:
    """Return the first 20 s of a real clip, as analysed."""
    shown = []
    for number, frame in enumerate(frames_of(path)):
        pixels_HW3 = decode_jpeg(frame.jpeg)
        if number / FPS >= LASTS_S or pixels_HW3 is None:
            break
        shown.append((number / FPS, _halved(pixels_HW3)))
    return Ground(shown, 0.0)


def _halved(picture: Picture | FloatPicture) -> FloatPicture:
    height = round(WIDTH * picture.shape[0] / picture.shape[1])
    half = cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA)
    return np.asarray(half, np.float32)


def frames_of(path: Path) -> Iterator[EncodedFrame]:
    """Yield the frames of a recording as they are analysed."""
    camera = Camera(
        camera_id="bench",
        source=SourceSettings(source_type=SourceType.FILE, url=str(path), is_paced=False),
        analysis_fps=FPS,
    )
    starts_at = datetime(2000, 1, 1, tzinfo=UTC)
    with read_recording(camera, IngestSettings(), starts_at=starts_at) as recording:
        yield from recording


def tamperings(grounds: dict[str, Ground]) -> Iterator[str]:
    """Yield, for each tampering and ground, the delay and what was told if it was another cause."""
    yield "| tampering | cause | " + " | ".join(grounds) + " |"
    yield "|---|---|" + "--:|" * len(grounds)
    told: list[tuple[str, str, float]] = []
    count = 0
    for name, (make, cause) in TAMPERINGS.items():
        cells = []
        for ground in grounds.values():
            events = under(ground, make(), ends_s=ENDS_S, cause=cause)
            count += 1
            told += [(cause, _cause(event), event.monotonic_s - BEGINS_S) for event in events[:1]]
            cells.append(_cell(events, cause))
        yield f"| {name} | {cause} | " + " | ".join(cells) + " |"
    right = sum(asked == found for asked, found, _ in told)
    in_time = sum(delay_s <= 2.0 for *_, delay_s in told)
    yield ""
    yield (
        f"Told {len(told)} of {count}, {in_time} within 2 s, {right} of them at once with the "
        "right cause."
    )
    yield ""
    yield from _confusion(told)


def _cell(events: Sequence[RuleEvent], cause: str) -> str:
    if not events:
        return "**not told**"
    regions = {event.track_id for event in events}
    words = [f"{events[0].monotonic_s - BEGINS_S:.1f} s"]
    causes = [_cause(event) for event in events]
    if causes != [cause]:
        words.append(", then ".join(causes))
    if len(regions) > 1:
        words.append(f"**{len(regions)} alerts**")
    return ", ".join(words)


def _confusion(told: Sequence[tuple[str, str, float]]) -> Iterator[str]:
    causes = sorted({asked for asked, *_ in told} | {found for _, found, _ in told})
    yield "| first told as: | " + " | ".join(causes) + " |"
    yield "|---|" + "--:|" * len(causes)
    for asked in causes:
        row = [sum(pair[:2] == (asked, found) for pair in told) for found in causes]
        yield f"| {asked} | " + " | ".join(str(count or "") for count in row) + " |"


def _cause(event: RuleEvent) -> str:
    return event.detail["cause"]


def disturbances(grounds: dict[str, Ground]) -> Iterator[str]:
    """Yield, for each disturbance and ground, what was told although nothing was to be."""
    yield "| disturbance | " + " | ".join(grounds) + " |"
    yield "|---|" + "--:|" * len(grounds)
    for name, effect in DISTURBANCES.items():
        cells = [_false(under(ground, effect, ends_s=LASTS_S)) for ground in grounds.values()]
        yield f"| {name} | " + " | ".join(cells) + " |"
    for name, (disturb, noise, light) in WEATHER.items():
        pictures = gate_scenes.disturbed(disturb, noise=noise, light=light, seconds=40.0)
        frames = [
            small_frame_of(picture, number)
            for number, picture in enumerate(gate_scenes.coded(pictures))
        ]
        rest = " | " * (len(grounds) - 1)
        yield f"| {name} (40 s, a scene of its own) | {_false(events_of(frames))} | {rest}|"


def _false(events: Sequence[RuleEvent]) -> str:
    if not events:
        return "none"
    return "**" + ", ".join(f"{_cause(one)} at {one.monotonic_s:.1f} s" for one in events) + "**"


def labelled(data: Path) -> Iterator[str]:
    """Yield what is told of the labelled clips: all that are tampered with, all false alarms."""
    truth = json.loads((data / "ground_truth_video.json").read_text(encoding="utf-8"))
    yield "| clip | labelled | told |"
    yield "|---|---|---|"
    clips = frames = alarms = 0
    for record in truth["videos"]:
        smalls = [small for one in frames_of(data / record["video"]) if (small := gate_frame(one))]
        events = events_of(smalls)
        clips, frames = clips + 1, frames + len(smalls)
        asked = [
            f"{CAUSE_OF_TAMPER[event['type'].partition(':')[2]]} at {event['start_s']:.1f} s"
            for event in record["events"]
            if event["type"].startswith("camera_tamper:")
        ]
        alarms += 0 if asked else len(events)
        if asked or events:
            said = ", ".join(f"{_cause(one)} at {one.monotonic_s:.2f} s" for one in events)
            yield f"| {record['video']} | {', '.join(asked)} | {said or 'nothing'} |"
    yield ""
    yield f"{clips} clips, {frames} frames; {alarms} statements about clips without tampering."


def costs() -> Iterator[str]:
    """Yield the cost of a look at 320 x 180, while all is well and while something is wrong."""
    yield "| view | ms a frame, median | 95th percentile |"
    yield "|---|--:|--:|"
    ground = rendered("day")
    for name, make in (("well", None), ("moved", TAMPERINGS["turned by 20 degrees"][0])):
        effect: Effect = make() if make else lambda picture, _since_s, _rng: picture
        pictures = list(
            tampered(ground.shown, effect, begins_s=BEGINS_S, ends_s=LASTS_S, noise=ground.noise)
        )
        frames = [small_frame_of(picture, number) for number, picture in enumerate(pictures)]
        best = np.full(len(frames), np.inf)
        for _ in range(9):
            cue = ViewCue()
            for number, frame in enumerate(frames):
                began = time.perf_counter()
                cue.look(_glimpse(frame))
                best[number] = min(best[number], 1000 * (time.perf_counter() - began))
        counted = best[round((BEGINS_S + 1) * FPS) :]
        yield f"| {name} | {np.median(counted):.2f} | {np.percentile(counted, 95):.2f} |"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.tamper", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of real clips")
    parser.add_argument("--only", choices=["cost", "labelled", "tamperings", "disturbances"])
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    grounds = {"day, somebody walks": rendered("day"), "night, noise": rendered("night")}
    if arguments.data:
        for clip in CLIPS:
            grounds[clip.rpartition("/")[2]] = recorded(arguments.data / f"{clip}.mp4")
    parts: dict[str, Callable[[], Iterator[str]]] = {
        "cost": costs,
        "tamperings": partial(tamperings, grounds),
        "disturbances": partial(disturbances, grounds),
    }
    if arguments.data:
        parts["labelled"] = partial(labelled, arguments.data)
    write_parts(parts, only=arguments.only)
    return 0


if __name__ == "__main__":
    sys.exit(main())
