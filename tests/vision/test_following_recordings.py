"""Detector and tracker together on real recordings, held to the ground truth beside them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from contracts.detections import Detector
from contracts.frames import Frame, FrameHeader
from contracts.settings import Settings
from contracts.tracks import TrackState
from tests.fakes.clock import START
from vision.detect.motion import MotionDetector
from vision.detect.registry import open_detector
from vision.detect.yolox import YoloxDetector
from vision.tracker import Tracker

FPS = 5.0
EDGE_S = 1.0
"""Ground truth by eye is good to half a second, and somebody half in the picture is a matter
of taste."""


@dataclass
class Followed:
    """A confirmed track's hits."""

    label: str = ""
    hits_s: list[float] = field(default_factory=list)

    @property
    def longest_gap_s(self) -> float:
        return float(np.diff(self.hits_s).max())


def frames(path: Path) -> Iterator[Frame]:
    """Frames at the analysis rate, through JPEG as they travel."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        due_s, seq = 0.0, 0
        for picture in container.decode(stream):
            at_s = float(picture.time or 0.0)
            if at_s < due_s - 1e-6:
                continue
            due_s += 1 / FPS
            _, jpeg = cv2.imencode(".jpg", picture.to_ndarray(format="bgr24"))
            pixels = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
            yield Frame(
                header=FrameHeader(
                    camera_id="cam",
                    run_id="run1",
                    seq=seq,
                    captured_at=START + timedelta(seconds=at_s),
                    monotonic_s=at_s,
                    width=pixels.shape[1],
                    height=pixels.shape[0],
                ),
                pixels_HW3=pixels,
            )
            seq += 1


def follow(path: Path, detector: Detector) -> list[Followed]:
    """All tracks that were ever confirmed, in the order of their first hits."""
    tracker = Tracker()
    confirmed: set[str] = set()
    seen: dict[str, Followed] = {}
    for frame in frames(path):
        [found] = detector.detect([frame])
        for track in tracker.update(found, frame.header):
            if track.state is TrackState.CONFIRMED:
                confirmed.add(track.track_id)
            followed = seen.setdefault(track.track_id, Followed())
            followed.label = track.label
            if track.last.is_observed and track.state is not TrackState.ENDED:
                followed.hits_s.append(track.last.monotonic_s)
    return sorted((seen[track_id] for track_id in confirmed), key=lambda track: track.hits_s[0])


def events(shared: Path, video: str, event_type: str) -> list[tuple[float, float]]:
    truth = json.loads((shared / "data/ground_truth_video.json").read_text())
    [clip] = [clip for clip in truth["videos"] if clip["video"] == video]
    return [
        (event["start_s"], event["end_s"])
        for event in clip["events"]
        if event["type"] == event_type
    ]


def motion(_: Path) -> Detector:
    return MotionDetector()


def yolox(shared: Path) -> Detector:
    return YoloxDetector(shared / "weights/yolox_nano_coco/yolox_nano.onnx", confidence=0.14)


def shipped(shared: Path) -> Detector:
    return open_detector(Settings(data_dir=shared / "no models pulled"))


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("make_detector", [motion, yolox, shipped])
@pytest.mark.parametrize("video", ["intel/one_by_one_dev.mp4", "lowlight/night_look_dev.mp4"])
def test_each_visitor_is_one_track_without_gaps_and_the_empty_room_has_none(
    shared: Path, video: str, make_detector: Callable[[Path], Detector]
) -> None:
    stays = events(shared, video, "person_present")

    tracks = follow(shared / "data" / video, make_detector(shared))

    people = [track for track in tracks if track.label in {"object", "person"}]
    assert len(people) == len(stays)
    for (start_s, end_s), track in zip(stays, people, strict=True):
        assert track.hits_s[0] == pytest.approx(start_s, abs=2 * EDGE_S)
        assert track.hits_s[-1] == pytest.approx(end_s, abs=EDGE_S)
        assert track.longest_gap_s <= 2.0


@pytest.mark.data
@pytest.mark.parametrize("video", ["intel/car_detection.mp4"])
def test_each_car_is_one_track(shared: Path, video: str) -> None:
    passes = events(shared, video, "vehicle_pass")

    tracks = follow(shared / "data" / video, MotionDetector())

    assert len(tracks) == len(passes)
    for (start_s, _), track in zip(sorted(passes), tracks, strict=True):
        assert track.hits_s[0] == pytest.approx(start_s, abs=1.5)


@pytest.mark.data
def test_a_covered_lens_begins_no_track(shared: Path) -> None:
    [(start_s, end_s)] = events(shared, "tamper/cover_dev.mp4", "camera_tamper:cover")

    tracks = follow(shared / "data/tamper/cover_dev.mp4", MotionDetector())

    assert not [track for track in tracks if start_s <= track.hits_s[0] <= end_s + 0.5]


@pytest.mark.data
@pytest.mark.slow
def test_a_left_bag_keeps_its_track_while_people_come_and_go_before_it(shared: Path) -> None:
    [(dropped_s, _)] = events(shared, "abandoned/composite_table.mp4", "object_dropped")
    [(_, end_s)] = events(shared, "abandoned/composite_table.mp4", "abandoned_object")

    tracks = follow(shared / "data/abandoned/composite_table.mp4", MotionDetector())

    [bag] = [track for track in tracks if track.hits_s[0] == pytest.approx(dropped_s, abs=0.5)]
    assert bag.hits_s[-1] == pytest.approx(end_s, abs=0.5)
    assert len(tracks) == 1 + 3
