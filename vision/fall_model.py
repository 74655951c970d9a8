"""Whether a descent was a fall: what cannot have been one, and how likely the rest were.

First what bodies can do: somebody who falls is fast, ends up lower than when they crouched, and
is there, where nobody was before. What passes is weighed by a logistic model of few terms, fitted
by ``python -m scripts.fit_falls`` and kept in ``vision/weights/fall.json`` with the covariance of
its weights, so that a likelihood says how sure it is of itself.

Shape legend: T = terms of the model.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contracts.errors import ModelError
from contracts.geometry import Box
from vision.descent import Descent

Array = npt.NDArray[np.float64]

LEAST_DROP: Final = 0.35
"""A head that came down by less belongs to somebody who bent or turned, body heights."""
LEAST_PACE: Final = 0.35
"""Lying down on purpose takes two to four seconds, falling about one: body heights per second."""
MOST_LEFT: Final = 1.05
"""A box as high as before is another body, or the same one nearer by."""
MOST_FOOT: Final = 0.75
"""Feet that moved down by more than this, in body heights, walked there."""
LEAST_CHANGED: Final = 0.2
"""Share of the place where a body lies, and of where its head was, that must look otherwise."""
LEAST_HEIGHT: Final = 0.08
"""Share of the picture's height of a body that can be told to lie: 29 of 360 pixels."""
MOST_FLAT: Final = 1.0
"""Whoever was as wide as high lay, crept or was an arm, and stood on no feet to fall from."""
EDGE: Final = 0.015
"""A box this near to the picture's edge is cut by it."""
WIDER: Final = 1.25
"""Somebody who goes out of the picture leaves a box no wider than before, until nothing is left.
Of somebody whose feet were out of it already nothing can be told but that there is less to see."""

SHIPPED: Final = Path(__file__).parent / "weights" / "fall.json"
TERMS: Final = ("constant", "drop", "flatness", "height_left", "lying")
"""Of the model that knows postures; the one for detectors without them lacks the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likelihood:
    """How likely a descent was a fall: a share 0..1, and its standard uncertainty."""

    share: float
    sigma: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the pictures say about a descent.

    Attributes:
        gone: Share (0..1) of the place where the head was that is not as it was then.
        came: Share (0..1) of the place where the body is now that is not as it was then.
    """

    gone: float
    came: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FallModel:
    """A logistic model: weights of its terms and their covariance."""

    weights_T: Array
    covariance_TT: Array

    def judge(self, descent: Descent) -> Likelihood:
        """Return the likelihood of a fall.

        The uncertainty is that of the weights and that of the drop, to first order.
        """
        terms_T = terms_of(descent)[: len(self.weights_T)]
        share = 1 / (1 + math.exp(-max(-30.0, min(30.0, float(self.weights_T @ terms_T)))))
        by_drop = float(self.weights_T[TERMS.index("drop")]) * descent.sigma
        by_weights = math.sqrt(max(0.0, float(terms_T @ self.covariance_TT @ terms_T)))
        spread = math.hypot(by_weights, by_drop)
        return Likelihood(share=share, sigma=max(0.01, share * (1 - share) * spread))


@dataclass(frozen=True, slots=True, kw_only=True)
class FallModels:
    """The model for detectors that know postures, and the one for those that do not."""

    with_posture: FallModel
    without: FallModel

    def likelihood(self, descent: Descent, surroundings: Surroundings, box: Box) -> Likelihood:
        """Return how likely a descent was a fall; none at all where it cannot have been.

        Args:
            descent: As measured.
            surroundings: As the pictures show them.
            box: Of the body now.
        """
        if impossible(descent, surroundings, box):
            return Likelihood(share=0.0, sigma=0.01)
        return (self.without if descent.lying is None else self.with_posture).judge(descent)


def terms_of(descent: Descent) -> Array:
    """Return the model's terms, each about -1 to 1; what is off the scale is cut."""
    return np.array(
        [
            1.0,
            min(1.2, max(-0.2, descent.drop)),
            min(1.0, max(-1.0, math.log(max(1e-3, descent.flatness)))),
            min(1.0, max(-1.5, math.log(max(1e-3, descent.height_left)))),
            descent.lying if descent.lying is not None else 0.0,
        ],
        np.float64,
    )


def impossible(descent: Descent, surroundings: Surroundings, box: Box) -> str:
    """Return why a descent was no fall, in a word or two; empty if it may have been one."""
    is_cut_below = box[3] >= 1 - EDGE
    was_cut_below = descent.upright.box[3] >= 1 - EDGE
    is_cut_aside = box[0] <= EDGE or box[2] >= 1 - EDGE
    reasons = {
        "not low": descent.drop < LEAST_DROP,
        "slow": descent.pace < LEAST_PACE,
        "as high as before": descent.height_left > MOST_LEFT,
        "walked": descent.foot > MOST_FOOT,
        "nothing came": surroundings.came < LEAST_CHANGED,
        "still there": surroundings.gone < LEAST_CHANGED,
        "did not stand": descent.flat_before > MOST_FLAT,
        "too small": descent.height < LEAST_HEIGHT,
        "out below": is_cut_below and (was_cut_below or descent.widened < WIDER),
        "out aside": is_cut_aside and descent.widened < WIDER,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def write_models(path: Path, models: FallModels, *, note: Mapping[str, object]) -> None:
    """Write both models, with a note on how they were made."""
    document = {
        "terms": list(TERMS),
        "with_posture": _as_json(models.with_posture),
        "without": _as_json(models.without),
        "note": dict(note),
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _as_json(model: FallModel) -> dict[str, object]:
    return {
        "weights": [round(float(value), 6) for value in model.weights_T],
        "covariance": [[round(float(value), 6) for value in row] for row in model.covariance_TT],
    }


@cache
def shipped_models() -> FallModels:
    """Return the models that came with the product; see ``read_models``."""
    return read_models(SHIPPED)


def read_models(path: Path) -> FallModels:
    """Return the models of a file.

    Raises:
        ModelError: The file is missing or damaged; the message says where.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return _models(document)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path}: no model of falls ({type(error).__name__}: {error}); restore it, or fit one "
            "with python -m scripts.fit_falls"
        ) from error


def _models(document: Mapping[str, Any]) -> FallModels:
    if tuple(document["terms"]) != TERMS:
        raise ValueError(f"terms are {document['terms']}, this version has {list(TERMS)}")
    return FallModels(
        with_posture=_model(document["with_posture"], len(TERMS)),
        without=_model(document["without"], len(TERMS) - 1),
    )


def _model(row: Mapping[str, Sequence[object]], terms: int) -> FallModel:
    weights_T = np.array(row["weights"], np.float64)
    covariance_TT = np.array(row["covariance"], np.float64)
    if weights_T.shape != (terms,) or covariance_TT.shape != (terms, terms):
        raise ValueError(f"needs {terms} weights and their covariance, has {weights_T.shape}")
    if not (np.isfinite(weights_T).all() and np.isfinite(covariance_TT).all()):
        raise ValueError("weights and covariance must be finite")
    return FallModel(weights_T=weights_T, covariance_TT=covariance_TT)
