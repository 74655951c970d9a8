"""The fit finds the noise that a recording was made with."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contracts.errors import ConfigError
from vision.noise import BoxJitter, FalseBoxes, NoiseModel, Seen, shipped_noise
from vision.noisy_detector import NoisyDetector, TrueObjects
from vision.training.noise_fit import burst_correlation, fit, persistence
from vision.training.noise_sightings import following
from vision.training.noise_truth import WatchedFrame, hidden_shares, recordings_of

KNOWN = replace(
    shipped_noise(),
    found=Seen(level=1.0, per_doubling=0.6, per_hidden=-3.0, persistence_s=0.6),
    confidence=Seen(level=1.2, per_doubling=0.0, per_hidden=0.0, spread=0.7, persistence_s=0.4),
    jitter=BoxJitter(shares_4=(0.05, 0.03, 0.06, 0.04), persistence_s=0.3),
    confusion={"car": {"car": 0.8, "person": 0.2}},
    false_boxes=FalseBoxes(
        per_frame=0.3,
        persistence_s=0.4,
        median_size=0.05,
        size_spread=0.3,
        confidence=-0.5,
        confidence_spread=0.4,
    ),
)


def recording(model: NoiseModel, *, count: int = 1500, seed: int = 3) -> list[WatchedFrame]:
    """Four objects of two sizes, two of them half hidden, apart from each other."""
    boxes_N4 = np.array(
        [
            [0.05, 0.3, 0.15, 0.7],
            [0.3, 0.3, 0.4, 0.7],
            [0.55, 0.6, 0.58, 0.7],
            [0.8, 0.6, 0.83, 0.7],
        ]
    )
    scene = TrueObjects(
        ids_N=np.arange(4),
        boxes_N4=boxes_N4,
        labels=["person", "car", "person", "car"],
        hidden_N=np.array([0.0, 0.5, 0.0, 0.5]),
    )
    assert scene.hidden_N is not None
    detector = NoisyDetector(model, labels=("person", "car"), seed=seed)
    return [
        WatchedFrame(
            at_s=index / 5,
            ids=("a", "b", "c", "d"),
            boxes_N4=boxes_N4,
            labels=tuple(scene.labels),
            hidden_N=scene.hidden_N,
            doubtful_K4=np.zeros((0, 4)),
            found=detector.detect(scene, step_s=0.2).detections,
            followed=(("t1", (0.05, 0.3, 0.15, 0.7)),) if index >= 3 else (),
        )
        for index in range(count)
    ]


@pytest.fixture(scope="module")
def fitted() -> NoiseModel:
    return fit([recording(KNOWN)], detector="known", source="drawn")


def test_finds_how_misses_depend_on_size_and_hiding(fitted: NoiseModel) -> None:
    assert fitted.found.level == pytest.approx(KNOWN.found.level, abs=0.35)
    assert fitted.found.per_doubling == pytest.approx(KNOWN.found.per_doubling, abs=0.2)
    assert fitted.found.per_hidden == pytest.approx(KNOWN.found.per_hidden, abs=0.9)


def test_finds_how_long_misses_last(fitted: NoiseModel) -> None:
    assert fitted.found.persistence_s == pytest.approx(KNOWN.found.persistence_s, rel=0.35)


def test_finds_the_jitter(fitted: NoiseModel) -> None:
    assert fitted.jitter.shares_4 == pytest.approx(KNOWN.jitter.shares_4, rel=0.2)
    assert fitted.jitter.persistence_s == pytest.approx(KNOWN.jitter.persistence_s, rel=0.35)
    assert fitted.jitter.tail < 0.08


def test_finds_confidence_names_and_false_boxes(fitted: NoiseModel) -> None:
    assert fitted.confidence.level == pytest.approx(KNOWN.confidence.level, abs=0.15)
    assert fitted.confidence.spread == pytest.approx(KNOWN.confidence.spread, rel=0.15)
    assert fitted.confusion["car"]["person"] == pytest.approx(0.2, abs=0.04)
    assert fitted.confusion["person"] == {"person": 1.0}
    assert fitted.false_boxes.per_frame == pytest.approx(0.3, abs=0.12)


def test_counts_what_the_tracker_adds() -> None:
    found = following([recording(KNOWN, count=20)])

    assert found["delay_s"] == pytest.approx(0.6)
    assert found["splits_per_minute"] == found["swaps_per_minute"] == 0.0


def test_an_exchange_of_ids_is_a_swap_and_a_new_id_a_split() -> None:
    left, right = (0.05, 0.3, 0.15, 0.7), (0.3, 0.3, 0.4, 0.7)
    frames = recording(KNOWN, count=6)
    names = [("t1", "t2"), ("t1", "t2"), ("t2", "t1"), ("t2", "t1"), ("t2", "t9"), ("t2", "t9")]
    frames = [
        replace(frame, followed=((first, left), (second, right)))
        for frame, (first, second) in zip(frames, names, strict=True)
    ]

    found = following([frames])

    assert found["swaps_per_minute"] == pytest.approx(2 * found["splits_per_minute"])


def test_too_little_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 100 are needed"):
        fit([recording(KNOWN, count=5)], detector="known", source="drawn")


def test_misses_that_know_nothing_of_each_other_do_not_last() -> None:
    chances = np.full((1000, 2), 0.3)

    assert burst_correlation(chances, 90) == pytest.approx(0.0, abs=0.02)
    assert burst_correlation(chances, 250) > 0.7
    assert persistence(0.0) == 0.0


def test_whoever_stands_lower_hides_the_other() -> None:
    boxes = np.array([[0.4, 0.3, 0.5, 0.7], [0.45, 0.35, 0.55, 0.75]])

    assert hidden_shares(boxes) == pytest.approx([0.4375, 0.0])
    assert hidden_shares(boxes[:1]).tolist() == [0.0]


def test_only_what_may_be_learnt_from_is_taken(tmp_path: Path) -> None:
    records = [
        {"video": "intel/room.mp4", "licence": "CC BY 4.0", "duration": 20},
        {"video": "intel/short.mp4", "licence": "CC BY 4.0", "duration": 2},
        {"video": "tamper/cover.mp4", "licence": "CC BY 4.0", "duration": 20},
        {"video": "background/secret.mp4", "licence": "no licence", "duration": 20},
    ]
    (tmp_path / "ground_truth_video.json").write_text(json.dumps({"videos": records}))

    assert [path.name for path in recordings_of(tmp_path)] == ["room.mp4"]


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no video"):
        recordings_of(tmp_path)
