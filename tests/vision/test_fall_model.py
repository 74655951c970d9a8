from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contracts.errors import ModelError
from contracts.geometry import Box
from tests.fakes.bodies import ASPECT, CHANGED, LYING, MODELS, STANDING, points, stays
from vision.descent import Descent, measure
from vision.fall_model import (
    FallModel,
    Surroundings,
    impossible,
    read_models,
    shipped_models,
    write_models,
)


def fallen(**changes: object) -> Descent:
    descent = measure(points(stays((STANDING, 2.0), (LYING, 1.0))), aspect=ASPECT)
    assert descent is not None
    return replace(descent, **changes)  # type: ignore[arg-type]  # whatever a test wants


def test_a_deep_fast_flat_descent_more_likely_than_not_was_a_fall_by_the_shipped_weights() -> None:
    found = shipped_models().likelihood(fallen(), CHANGED, LYING)

    assert found.share > 0.9


def test_the_likelihood_grows_with_the_drop_and_the_share_of_lying() -> None:
    models = shipped_models()
    shares = [
        models.likelihood(descent, CHANGED, LYING).share
        for descent in (
            fallen(drop=0.5, lying=0.1),
            fallen(drop=0.8, lying=0.1),
            fallen(drop=0.8, lying=0.9),
        )
    ]

    assert shares == sorted(shares)
    assert shares[0] < shares[2]


def test_a_likelihood_from_few_examples_is_less_sure_of_itself() -> None:
    vague = FallModel(weights_T=MODELS.with_posture.weights_T, covariance_TT=np.eye(5) * 4.0)
    descent = fallen(drop=0.5, flatness=0.8, height_left=0.6, lying=0.4)

    assert vague.judge(descent).sigma > 2 * MODELS.with_posture.judge(descent).sigma


@pytest.mark.parametrize(
    ("changes", "box", "reason"),
    [
        ({"drop": 0.2}, LYING, "not low"),
        ({"took_s": 4.0}, LYING, "slow"),
        ({"height_left": 1.2}, LYING, "as high as before"),
        ({"foot": 1.0}, LYING, "walked"),
        ({"flat_before": 2.0}, LYING, "did not stand"),
        ({"height": 0.05}, LYING, "too small"),
        ({"widened": 1.0}, (0.4, 0.8, 0.5, 1.0), "out below"),
        ({"widened": 1.0}, (0.9, 0.6, 1.0, 0.8), "out aside"),
        ({}, LYING, ""),
    ],
)
def test_what_bodies_cannot_do_was_no_fall(
    changes: dict[str, object], box: Box, reason: str
) -> None:
    descent = fallen(**changes)

    assert impossible(descent, CHANGED, box) == reason
    assert bool(MODELS.likelihood(descent, CHANGED, box).share) is not bool(reason)


@pytest.mark.parametrize(
    ("surroundings", "reason"),
    [
        (Surroundings(gone=0.8, came=0.1), "nothing came"),
        (Surroundings(gone=0.1, came=0.8), "still there"),
    ],
)
def test_what_the_pictures_deny_was_no_fall(surroundings: Surroundings, reason: str) -> None:
    assert impossible(fallen(), surroundings, LYING) == reason


def test_models_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "fall.json"
    write_models(path, MODELS, note={"by": "a test"})

    read = read_models(path)

    assert read.with_posture.judge(fallen(lying=0.5)) == MODELS.with_posture.judge(
        fallen(lying=0.5)
    )
    assert read.without.judge(fallen()) == MODELS.without.judge(fallen())


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param('{"terms": ["weight"]}', id="other terms"),
        pytest.param(
            '{"terms": ["constant", "drop", "flatness", "height_left", "lying"], '
            '"with_posture": {"weights": [1], "covariance": [[1]]}, "without": {}}',
            id="too few weights",
        ),
    ],
)
def test_a_damaged_file_says_what_to_do(tmp_path: Path, content: str) -> None:
    path = tmp_path / "fall.json"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(ModelError, match=r"fit one with python -m scripts\.fit_falls"):
        read_models(path)
