import numpy as np
import pytest
from sklearn.ensemble import (  # type: ignore[import-untyped]  # it has no types
    ExtraTreesClassifier,
)

from vision.cues.forest import Forest
from vision.training.forests import forest_of, grown


def arrays(**changed: object) -> Forest:
    parts = {
        "feature_N": np.array([0, 0, 0], np.int32),
        "limit_N": np.zeros(3, np.float32),
        "below_N": np.array([1, 1, 2], np.int32),
        "above_N": np.array([2, 1, 2], np.int32),
        "share_N": np.array([0.5, 0.2, 0.9], np.float32),
        "roots_MT": np.zeros((1, 1), np.int32),
    }
    return Forest(**{**parts, **changed})  # type: ignore[arg-type]  # some are wrong on purpose


def test_a_node_sends_what_is_at_most_its_limit_below() -> None:
    assert arrays()(np.zeros(1, np.float32)) == pytest.approx([0.2])
    assert arrays()(np.array([0.1], np.float32)) == pytest.approx([0.9])


def test_trees_say_what_the_library_that_grew_them_says() -> None:
    draw = np.random.default_rng(5)
    rows_NV = draw.normal(0, 1, (300, 6)).astype(np.float32)
    is_true_N = rows_NV[:, 0] * rows_NV[:, 1] > 0
    shares_N = draw.uniform(0.1, 2.0, 300)

    forest = forest_of([grown(rows_NV, is_true_N, shares_N, seed=seed) for seed in (1, 2)])

    for member, seed in enumerate((1, 2)):
        model = ExtraTreesClassifier(
            40, min_samples_leaf=8, max_depth=10, max_features=0.3, random_state=seed
        ).fit(rows_NV, is_true_N, sample_weight=shares_N)
        expected_N = model.predict_proba(rows_NV[:50])[:, 1]
        found_N = [forest(row_V)[member] for row_V in rows_NV[:50]]
        assert found_N == pytest.approx(expected_N, abs=1e-5)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"below_N": np.array([7, 1, 2], np.int32)}, "not there"),
        ({"below_N": np.array([1, 0, 2], np.int32)}, "circle"),
        ({"share_N": np.zeros(2, np.float32)}, "one entry a node"),
        ({"roots_MT": np.zeros(1, np.int32)}, "a row a member"),
        ({"feature_N": np.array([-1, 0, 0], np.int32)}, "not there"),
    ],
)
def test_a_damaged_forest_is_refused(changed: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        arrays(**changed)
