"""The scenes that the benchmarks rest on are what they say."""

from pathlib import Path

import numpy as np
import pytest

from contracts.geometry import standing_point
from contracts.rules import RuleKind
from tests.bench.normal_hours import render, report
from tests.bench.normal_places import PLACES
from tests.bench.normal_scenes import chunk
from tests.bench.track_scenes import Actor, detectors, look, scene


def actor(number: int, x: float, z: float) -> Actor:
    return Actor(
        number=number,
        is_car=False,
        x=x,
        z=z,
        speed=1.0,
        tall=1.75,
        wide=0.6,
        looks_D=np.eye(64)[number],
    )


def test_whoever_stands_behind_another_is_hidden() -> None:
    truth = look([actor(1, 0.0, 14.0), actor(2, 0.0, 13.0), actor(3, 4.0, 14.0)], [])

    assert truth.hidden_N is not None
    assert truth.hidden_N[0] > 0.3
    assert truth.hidden_N[1:].tolist() == pytest.approx([0.0, 0.0], abs=0.02)


def test_a_scene_is_the_same_for_the_same_seed_and_its_ids_go_on() -> None:
    noise = detectors()["good"]
    first, second = (list(scene(5, seconds=4, seed=3, noise=noise)) for _ in range(2))

    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.ids_N, other.ids_N)
        assert np.array_equal(one.detections.boxes_N4, other.detections.boxes_N4)
    common = set(first[0].ids_N.tolist()) & set(first[-1].ids_N.tolist())
    assert len(common) >= 3


def test_most_of_a_good_detectors_finds_are_where_somebody_is() -> None:
    frames = list(scene(10, seconds=5, seed=1, noise=detectors()["good"]))

    false = sum(int((frame.source_M < 0).sum()) for frame in frames)
    found = sum(len(frame.source_M) for frame in frames)
    assert false < 0.1 * found


@pytest.mark.parametrize("name", list(PLACES))
def test_nobody_does_what_the_rules_of_the_place_forbid(name: str) -> None:
    place = PLACES[name]
    zones = [
        place.rules.zone(rule.zone_id)
        for rule in place.rules.rules
        if rule.kind is RuleKind.INTRUSION
    ]

    people = {
        who
        for shown in chunk(place, number=0, seconds=20)
        for who, box in shown.there
        if who.startswith("person") and any(zone.contains(standing_point(box)) for zone in zones)
    }

    assert people == set()


def test_a_part_of_an_hour_is_drawn_the_same_again() -> None:
    first, second = (
        [shown.picture for shown in chunk(PLACES["lobby"], number=1, seconds=2)] for _ in range(2)
    )

    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_the_report_counts_false_alarms_by_camera_hour() -> None:
    found = {
        "place": "lobby",
        "part": 1,
        "seconds": 600.0,
        "frames": 3000,
        "ms": 10.0,
        "passers": 7,
        "rules": ["intrusion"],
        "alerts": [
            {
                "kind": "intrusion",
                "label": "person",
                "really": "person 3",
                "weather": "clouds",
                "value": 1.2,
                "fired_s": 12.0,
            }
        ],
    }

    lines = list(report([found]))

    assert "| lobby | 10 | 3000 | 7 | 1 | 6.0 | 10.0 |" in lines
    assert "| lobby | 612.0 | intrusion | person | person 3 | clouds | 1.2 |" in lines


def test_what_was_rendered_whole_is_not_rendered_again(tmp_path: Path) -> None:
    video = tmp_path / "lobby-0.mp4"
    truth = render(PLACES["lobby"], 0, 1.0, video)
    made = video.stat().st_mtime_ns

    assert render(PLACES["lobby"], 0, 1.0, video) == truth
    assert video.stat().st_mtime_ns == made
    assert len(render(PLACES["lobby"], 0, 1.2, video)) == 6
