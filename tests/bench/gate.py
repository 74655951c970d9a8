"""What the motion gate costs, hides and lets through (``python -m tests.bench.gate``).

Rendered movers and disturbances with exact truth; with ``--data`` and ``--weights`` also real
clips, on which a detector is run in every frame to see whom a shut gate would have hidden.
Prints Markdown tables.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.detections import Detections
from contracts.frames import EncodedFrame, Frame, FrameHeader
from contracts.geometry import Box, centre, iou
from contracts.settings import IngestSettings, VisionSettings
from contracts.tracks import Track
from ingest.recording import read_recording
from tests.bench import gate_scenes as scenes
from tests.bench.gate_scenes import FPS, Disturb, Mover, Picture
from tests.bench.parts import write_parts
from vision.detect.registry import make_detector
from vision.drawing import decode_jpeg
from vision.motion_gate import MotionGate, gate_frame
from vision.tracker import Tracker

NEVER_S: Final = 1e9
STARTS_AT: Final = datetime(2000, 1, 1, tzinfo=UTC)
SETTLE_S: Final = 10.0
"""Disturbances are judged from here on."""
SAME_IOU: Final = 0.3
"""A detection that overlaps a track by so much is the object that is followed."""
DISTURBANCES: Final[dict[str, tuple[Disturb | None, float, float]]] = {
    "nothing, noise 2": (None, 2.0, 1.0),
    "nothing, noise 6": (None, 6.0, 1.0),
    "night: a quarter of the light, noise 8": (None, 8.0, 0.25),
    "light fades by 45 % in 12 s": (scenes.dimming, 2.0, 1.0),
    "clouds": (scenes.clouds, 2.0, 1.0),
    "lamp on and off every 6 s": (scenes.lamp, 2.0, 1.0),
    "headlights every 8 s by day": (scenes.headlights, 2.0, 1.0),
    "headlights every 8 s by night": (scenes.headlights, 5.0, 0.25),
    "rain, 60 streaks": (scenes.rain(60), 2.0, 1.0),
    "rain, 300 streaks": (scenes.rain(300), 3.0, 1.0),
    "camera shakes by 0.5 px": (scenes.shake(0.5), 2.0, 1.0),
    "camera shakes by 2 px": (scenes.shake(2.0), 2.0, 1.0),
    "tree at the edge": (scenes.tree, 2.0, 1.0),
}
HEIGHTS: Final = (0.01, 0.02, 0.03, 0.05, 0.1)
SPEEDS: Final = (0.002, 0.01, 0.05, 0.2)


def frame_of(picture: Picture, number: int) -> Frame:
    at_s = number / FPS
    header = FrameHeader(
        camera_id="bench",
        run_id="run1",
        seq=number,
        captured_at=STARTS_AT + timedelta(seconds=at_s),
        monotonic_s=at_s,
        width=picture.shape[1],
        height=picture.shape[0],
    )
    return Frame(header=header, pixels_HW3=picture)


def small_frame_of(picture: Picture, number: int) -> Frame:
    """Return what the gate sees of a picture in the product: its JPEG, decoded small."""
    frame = frame_of(picture, number)
    quality = [cv2.IMWRITE_JPEG_QUALITY, IngestSettings().jpeg_quality]
    jpeg = cv2.imencode(".jpg", picture, quality)[1].tobytes()
    small = gate_frame(EncodedFrame(header=frame.header, jpeg=jpeg))
    if small is None:
        raise ValueError(f"picture {number} of shape {picture.shape} is no JPEG")
    return small


def shut_and_unlooked(pictures: Sequence[Picture]) -> tuple[list[bool], list[bool]]:
    """Return for each picture whether the gate was shut, and whether it also looked away.

    The second counts the looks that a shut gate takes anyway.
    """
    strict = MotionGate(look_anyway_s=NEVER_S, look_in_weather_s=NEVER_S)
    usual = MotionGate()
    frames = [small_frame_of(picture, number) for number, picture in enumerate(pictures)]
    return (
        [not strict.look(frame).is_moving for frame in frames],
        [not usual.look(frame).is_moving for frame in frames],
    )


def longest_s(hidden: Sequence[bool]) -> float:
    longest = current = 0
    for is_hidden in hidden:
        current = current + 1 if is_hidden else 0
        longest = max(longest, current)
    return longest / FPS


def costs(rounds: int) -> Iterator[str]:
    yield "| picture | CPU ms a frame, still scene | CPU ms a frame, somebody walks |"
    yield "|---|--:|--:|"
    mover = Mover(height=0.5, speed=0.2, noise=2.0, clothes="dark", lead_s=0.0, lasts_s=4.0)
    walk, _ = mover.frames()
    still = scenes.disturbed(None, noise=2.0, light=1.0, seconds=4.0)
    sizes = ((320, 180), (640, 360), (1280, 720))
    spent: dict[tuple[int, str], list[float]] = {}
    for _ in range(rounds):
        for size in sizes:
            for name, pictures in (("still", still), ("walk", walk)):
                sized = [np.asarray(cv2.resize(picture, size), np.uint8) for picture in pictures]
                gate, each = MotionGate(), []
                for number in range(3 * len(sized)):
                    frame = frame_of(sized[number % len(sized)], number)
                    began = time.thread_time()
                    gate.look(frame)
                    each.append(1000 * (time.thread_time() - began))
                spent.setdefault((size[0], name), []).append(statistics.median(each[len(sized) :]))
    for width, height in sizes:
        shown = [f"{statistics.median(spent[width, name]):.3f}" for name in ("still", "walk")]
        yield f"| {width} x {height} | {shown[0]} | {shown[1]} |"


def movers() -> Iterator[str]:
    yield (
        "| clothes, noise | height | "
        + " | ".join(f"{100 * speed:g} % of the width per s" for speed in SPEEDS)
        + " |"
    )
    yield "|---|--:|" + "--:|" * len(SPEEDS)
    for clothes in ("dark", "dull"):
        for noise in (2.0, 6.0):
            for height in HEIGHTS:
                cells = [
                    _hidden(Mover(height=height, speed=speed, noise=noise, clothes=clothes))
                    for speed in SPEEDS
                ]
                yield f"| {clothes}, {noise:g} | {100 * height:g} % | " + " | ".join(cells) + " |"


def movers_in_rain() -> Iterator[str]:
    yield "| rain | height | 1 % of the width per s | 5 % of the width per s |"
    yield "|---|--:|--:|--:|"
    for streaks in (60, 300):
        for height in (0.05, 0.1, 0.2):
            cells = [
                _hidden(
                    Mover(
                        height=height,
                        speed=speed,
                        noise=3.0,
                        clothes="dark",
                        lead_s=20.0,
                        disturb=scenes.rain(streaks),
                    )
                )
                for speed in (0.01, 0.05)
            ]
            yield f"| {streaks} streaks | {100 * height:g} % | " + " | ".join(cells) + " |"


def _hidden(mover: Mover) -> str:
    pictures, present = mover.frames()
    shut, unlooked = shut_and_unlooked(list(scenes.coded(pictures)))
    shut_there = [one for one, is_there in zip(shut, present, strict=True) if is_there]
    unlooked_there = [one for one, is_there in zip(unlooked, present, strict=True) if is_there]
    return (
        f"{100 * np.mean(shut_there):.0f} %, {longest_s(shut_there):.1f} s "
        f"({longest_s(unlooked_there):.1f} s)"
    )


def disturbances() -> Iterator[str]:
    yield "| disturbance | open | frames looked at |"
    yield "|---|--:|--:|"
    for name, (disturb, noise, light) in DISTURBANCES.items():
        pictures = scenes.disturbed(disturb, noise=noise, light=light, seconds=40.0)
        shut, unlooked = shut_and_unlooked(list(scenes.coded(pictures)))
        first = round(SETTLE_S * FPS)
        opened = 100 - 100 * np.mean(shut[first:])
        looked = 100 - 100 * np.mean(unlooked[first:])
        yield f"| {name} | {opened:.0f} % | {looked:.0f} % |"


@dataclass(slots=True)
class Clip:
    """What a gate did on one real clip.

    Attributes:
        open: Frames in which something had changed.
        analysed: Those, frames looked at anyway, and all in which an object was followed.
        new: Frames with somebody whom no track followed although nothing had changed.
        missed: Of those the ones that were not analysed.
        longest: Seconds for which somebody was missed.
        furthest: How far somebody went in that time, in own heights.
    """

    frames: int = 0
    open: int = 0
    analysed: int = 0
    new: int = 0
    missed: int = 0
    longest: float = 0.0
    furthest: float = 0.0


def read_clip(path: Path, *, weights: Path, confidence: float, seconds: float) -> Clip:
    """Follow a clip as the pipeline does; look in gated frames too, for the record only."""
    detector = make_detector(VisionSettings(detector="yolox", weights=weights))
    gate, tracker, found = MotionGate(), Tracker(confidence=VisionSettings().confidence), Clip()
    strict = MotionGate(look_anyway_s=NEVER_S, look_in_weather_s=NEVER_S)
    tracks: Sequence[Track] = ()
    source = SourceSettings(source_type=SourceType.FILE, url=str(path), is_paced=False)
    camera = Camera(camera_id="bench", source=source)
    hidden: list[tuple[float, Box]] = []
    with read_recording(camera, IngestSettings(), starts_at=STARTS_AT) as recording:
        for encoded in recording:
            header = encoded.header
            pixels_HW3 = decode_jpeg(encoded.jpeg)
            if pixels_HW3 is None or header.monotonic_s > seconds:
                continue
            frame = Frame(header=header, pixels_HW3=pixels_HW3)
            is_followed = not tracker.is_idle
            small = gate_frame(encoded) or frame
            is_open = strict.look(small, is_followed=is_followed).is_moving
            is_gated = not gate.look(small, is_followed=is_followed).is_moving and not is_followed
            [seen] = detector.detect([frame])
            found.frames += 1
            people = [
                box
                for box in _people(seen, confidence)
                if all(iou(box, track.last.box) < SAME_IOU for track in tracks)
            ]
            found.open += is_open
            found.new += bool(people and not is_open)
            if is_gated and people:
                found.missed += 1
                hidden.append((header.monotonic_s, people[0]))
                found.longest = max(found.longest, header.monotonic_s - hidden[0][0] + 1 / FPS)
                found.furthest = max(found.furthest, _moved(hidden))
            else:
                hidden = []
            found.analysed += not is_gated
            tracks = tracker.update(Detections.none(detector.labels) if is_gated else seen, header)
    return found


def _people(seen: Detections, confidence: float) -> list[Box]:
    boxes = []
    for index in range(len(seen)):
        if seen.label(index) == "person" and seen.confidences_N[index] > confidence:
            x1, y1, x2, y2 = (float(side) for side in seen.boxes_N4[index])
            boxes.append((x1, y1, x2, y2))
    return boxes


def _moved(hidden: Sequence[tuple[float, Box]]) -> float:
    """Return how far a box went, in its own heights, while it overlapped its beginning."""
    first, last = hidden[0][1], hidden[-1][1]
    if iou(first, last) == 0:
        return 0.0
    (x, y), (to_x, to_y) = centre(first), centre(last)
    return float(np.hypot(to_x - x, to_y - y) / (first[3] - first[1]))


def smallest_people(arguments: argparse.Namespace) -> Iterator[str]:
    """Paste a real visitor into a rendered scene, smaller and smaller: when is he lost?"""
    yield "| height of a real person | detector's confidence, median of 9 places |"
    yield "|---|--:|"
    detector = make_detector(VisionSettings(detector="yolox", weights=arguments.weights))
    empty, visited = _two_frames(arguments.data / "intel" / "one_by_one_dev.mp4", (3.0, 30.0))
    mask = (np.abs(visited.astype(int) - empty).max(axis=2) > 30).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8)).astype(np.uint8)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    person = visited[rows[0] : rows[-1], columns[0] : columns[-1]]
    cut = mask[rows[0] : rows[-1], columns[0] : columns[-1]].astype(np.float32)[..., None]
    for share in (0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2):
        confidences = []
        for place in range(9):
            picture = scenes.background(1)
            scale = share * scenes.HEIGHT / person.shape[0]
            small = cv2.resize(person, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            part = cv2.resize(cut, small.shape[1::-1], interpolation=cv2.INTER_AREA)[..., None]
            x, y = 100 + 50 * place, 150
            under = picture[y : y + small.shape[0], x : x + small.shape[1]]
            under[:] = part * small + (1 - part) * under
            [seen] = detector.detect([frame_of(picture.astype(np.uint8), place)])
            people = [
                float(seen.confidences_N[index])
                for index in range(len(seen))
                if seen.label(index) == "person"
            ]
            confidences.append(max(people, default=0.0))
        yield f"| {100 * share:g} % | {statistics.median(confidences):.2f} |"


def _two_frames(path: Path, at_s: tuple[float, float]) -> list[Picture]:
    source = SourceSettings(source_type=SourceType.FILE, url=str(path), is_paced=False)
    camera = Camera(camera_id="bench", source=source)
    found: list[Picture] = []
    with read_recording(camera, IngestSettings(), starts_at=STARTS_AT) as recording:
        for encoded in recording:
            if len(found) < len(at_s) and encoded.header.monotonic_s >= at_s[len(found)]:
                pixels_HW3 = decode_jpeg(encoded.jpeg)
                if pixels_HW3 is not None:
                    found.append(pixels_HW3)
    return found


def real_clips(arguments: argparse.Namespace) -> Iterator[str]:
    yield (
        "| clip | frames | open | analysed | somebody new while shut | of those missed | longest "
        "| moved by |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for folder in arguments.folders:
        for path in sorted((arguments.data / folder).glob("*.mp4")):
            clip = read_clip(
                path, weights=arguments.weights, confidence=0.5, seconds=arguments.seconds
            )
            yield (
                f"| {folder}/{path.stem} | {clip.frames} | "
                f"{100 * clip.open / max(1, clip.frames):.0f} % | "
                f"{100 * clip.analysed / max(1, clip.frames):.0f} % | {clip.new} | {clip.missed} | "
                f"{clip.longest:.1f} s | {clip.furthest:.2f} heights |"
            )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.gate", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of real clips")
    parser.add_argument("--weights", type=Path, help="YOLOX weights (ONNX), for real clips")
    parser.add_argument("--seconds", type=float, default=40.0, help="of each real clip (40)")
    parser.add_argument("--rounds", type=int, default=5, help="of the cost (5)")
    parser.add_argument(
        "--folders", nargs="+", default=["background", "lowlight", "tamper", "intel", "fall"]
    )
    parser.add_argument(
        "--only", choices=["cost", "movers", "rain", "disturbances", "clips", "smallest"]
    )
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    parts = {
        "cost": lambda: costs(arguments.rounds),
        "movers": movers,
        "rain": movers_in_rain,
        "disturbances": disturbances,
    }
    if arguments.data and arguments.weights:
        parts["clips"] = lambda: real_clips(arguments)
        parts["smallest"] = lambda: smallest_people(arguments)
    write_parts(parts, only=arguments.only)
    return 0


if __name__ == "__main__":
    sys.exit(main())
