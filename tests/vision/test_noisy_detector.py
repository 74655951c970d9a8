"""What a simulated detector reports agrees with the model that it is drawn from."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contracts.errors import ModelError
from vision.noise import (
    BoxJitter,
    FalseBoxes,
    NoiseModel,
    Seen,
    TrackerNoise,
    read_noise,
    shipped_noise,
    write_noise,
)
from vision.noisy_detector import NoisyDetector, Simulated, TrueObjects

LABELS = ("person", "car")
CALM = NoiseModel(
    detector="test",
    source="test",
    found=Seen(level=20.0, per_doubling=0.0, per_hidden=0.0),
    confidence=Seen(level=1.0, per_doubling=0.0, per_hidden=0.0),
    jitter=BoxJitter(shares_4=(1e-6, 1e-6, 1e-6, 1e-6), persistence_s=0.0),
    confusion={},
    false_boxes=FalseBoxes(
        per_frame=0.0,
        persistence_s=0.0,
        median_size=0.1,
        size_spread=0.5,
        confidence=0.0,
        confidence_spread=0.5,
    ),
    tracker=TrackerNoise(
        delay_s=0.4, delay_spread_s=0.1, splits_per_minute=0.0, swaps_per_minute=0.0
    ),
)


def truth(count: int = 1, *, hidden: float = 0.0, labels: Sequence[str] = ()) -> TrueObjects:
    boxes_N4 = np.tile([0.4, 0.3, 0.5, 0.7], (count, 1))
    return TrueObjects(
        ids_N=np.arange(count),
        boxes_N4=boxes_N4,
        labels=list(labels) or ["person"] * count,
        hidden_N=np.full(count, hidden),
    )


def frames(model: NoiseModel, scene: TrueObjects, count: int, *, seed: int = 1) -> list[Simulated]:
    detector = NoisyDetector(model, labels=LABELS, seed=seed)
    return [detector.detect(scene, step_s=0.2) for _ in range(count)]


def test_without_noise_the_truth_is_reported() -> None:
    [found] = frames(CALM, truth(3), 1)

    assert found.detections.boxes_N4 == pytest.approx(truth(3).boxes_N4, abs=1e-4)
    assert found.source_M.tolist() == [0, 1, 2]


def test_the_same_seed_gives_the_same_detections() -> None:
    first, second = (frames(shipped_noise(), truth(5), 20) for _ in range(2))

    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.detections.boxes_N4, other.detections.boxes_N4)


def test_is_found_as_often_as_the_model_says() -> None:
    model = replace(CALM, found=Seen(level=0.0, per_doubling=0.0, per_hidden=-2.0))

    open_ones = np.mean([len(found.source_M) for found in frames(model, truth(50), 200)]) / 50
    hidden = np.mean([len(found.source_M) for found in frames(model, truth(50, hidden=1.0), 200)])

    assert open_ones == pytest.approx(0.5, abs=0.02)
    assert hidden / 50 == pytest.approx(0.119, abs=0.02)


def test_misses_come_in_bursts() -> None:
    lasting = replace(
        CALM, found=Seen(level=0.0, per_doubling=0.0, per_hidden=0.0, persistence_s=2.0)
    )
    seen = np.array([len(found.source_M) for found in frames(lasting, truth(), 3000)])

    missed = seen == 0
    again = missed[1:][missed[:-1]].mean()

    assert missed.mean() == pytest.approx(0.5, abs=0.1)
    assert again > 0.75


def test_jitter_has_the_share_and_the_persistence_of_the_model() -> None:
    model = replace(CALM, jitter=BoxJitter(shares_4=(0.1, 0.05, 1e-6, 1e-6), persistence_s=0.5))
    boxes = np.array([found.detections.boxes_N4[0] for found in frames(model, truth(), 4000)])

    middle = (boxes[:, 0] + boxes[:, 2]) / 2
    assert np.std(middle) == pytest.approx(0.1 * 0.1, rel=0.1)
    assert np.std(boxes[:, 3]) == pytest.approx(0.05 * 0.4, rel=0.1)
    correlation = np.corrcoef(middle[1:], middle[:-1])[0, 1]
    assert correlation == pytest.approx(model.jitter.correlation(0.2), abs=0.05)


def test_a_tail_makes_boxes_that_are_far_off_but_none_out_of_the_picture() -> None:
    heavy = BoxJitter(shares_4=(0.1, 0.05, 0.1, 0.1), persistence_s=0.0, tail=0.7)
    boxes = np.concatenate(
        [found.detections.boxes_N4 for found in frames(replace(CALM, jitter=heavy), truth(20), 200)]
    )

    off = np.abs((boxes[:, 0] + boxes[:, 2]) / 2 - 0.45) / 0.1
    assert np.median(off) < 0.1
    assert (off > 0.4).mean() > 0.01
    assert boxes.min() >= 0
    assert boxes.max() <= 1


def test_false_boxes_keep_their_mean_number() -> None:
    odd = replace(CALM.false_boxes, per_frame=0.3, persistence_s=1.0)
    nobody = truth(0)

    counts = [len(f.source_M) for f in frames(replace(CALM, false_boxes=odd), nobody, 4000)]

    assert np.mean(counts) == pytest.approx(0.3, abs=0.08)


def test_names_are_confused_as_often_as_the_table_says() -> None:
    model = replace(CALM, confusion={"car": {"car": 0.7, "person": 0.3}})

    found = frames(model, truth(20, labels=["car"] * 20), 200)

    wrong = np.mean([one.detections.class_ids_N == 0 for one in found])
    assert wrong == pytest.approx(0.3, abs=0.03)


def test_looks_of_one_object_are_alike() -> None:
    looks_ND = np.eye(64)[:2]
    scene = replace(truth(2), looks_ND=looks_ND)

    [found] = frames(CALM, scene, 1)

    assert found.detections.embeddings_ND is not None
    likeness = found.detections.embeddings_ND @ looks_ND.T
    assert likeness.argmax(axis=1).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("scene", "message"),
    [
        pytest.param(truth(1, labels=["ghost"]), "none of the detector's", id="unknown class"),
        pytest.param(
            replace(truth(2), ids_N=np.array([3, 3])), "must differ", id="an id stands twice"
        ),
        pytest.param(
            replace(truth(1), boxes_N4=np.array([[0.1, np.nan, 0.2, 0.3]])),
            "must be finite",
            id="no number",
        ),
        pytest.param(
            replace(truth(1), boxes_N4=np.array([[0.5, 0.1, 0.2, 0.3]])), "x1 <= x2", id="turned"
        ),
    ],
)
def test_refuses_what_is_no_truth(scene: TrueObjects, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NoisyDetector(CALM, labels=LABELS, seed=1).detect(scene, step_s=0.2)


def test_a_model_survives_its_file(tmp_path: Path) -> None:
    write_noise(CALM, tmp_path / "noise.json")

    assert read_noise(tmp_path / "noise.json") == CALM


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"detector": 1}'])
def test_a_damaged_file_is_a_model_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "noise.json"
    path.write_bytes(content)

    with pytest.raises(ModelError, match=r"noise\.json"):
        read_noise(path)


def test_the_shipped_model_says_how_sure_a_foot_is() -> None:
    across, up = shipped_noise().place_sigma((0.4, 0.3, 0.5, 0.7))

    assert 0.001 < across < 0.02
    assert 0.004 < up < 0.04
