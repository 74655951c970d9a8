"""Fits the model of falls: a logistic regression of few terms, with the covariance of its weights.

Shape legend: N = examples, T = terms.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize

from contracts.errors import ModelError
from vision.cues.body import Body
from vision.fall_model import TERMS, Array, FallModel, FallModels, impossible, terms_of

PRIOR_SIGMA: Final = 3.0
"""Standard deviation of the prior of each weight but the constant's: separable examples would
drive weights to infinity, and a likelihood of 1 - 1e-9 from a dozen clips is not honest."""
CONSTANT_SIGMA: Final = 10.0
LEAST_DROP: Final = 0.25
LEAST_DOWN_S: Final = 0.4
FORGIVEN: Final = frozenset({"", "not low", "slow"})
"""What the rule refuses for these reasons alone is learnt from; it says what a fall is not."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """One body in one frame.

    Attributes:
        clip: What it is from; all examples of a clip and label together weigh 1.
        group: What is held out together: a person, a place.
        terms_T: As the model reads them.
        is_fall: Whether it fell.
    """

    clip: str
    group: str
    terms_T: Array
    is_fall: bool


def examples_of(
    bodies: Sequence[Body], *, clip: str, group: str, fell_s: Sequence[tuple[float, float]]
) -> list[Example]:
    """Return what can be learnt from the bodies of a frame.

    Args:
        bodies: As the cue follows them.
        clip: Which recording.
        group: What it is held out with.
        fell_s: Labelled falls: begin and end. What has been down since within one is a fall.
    """
    found = []
    for body in bodies:
        descent, around = body.descent, body.surroundings
        if descent is None or around is None or descent.measured_s != body.track.last.monotonic_s:
            continue
        if descent.drop < LEAST_DROP or descent.down_s < LEAST_DOWN_S - 1e-6:
            continue
        if impossible(descent, around, body.track.last.box) not in FORGIVEN:
            continue
        is_fall = any(start <= descent.down_since_s <= end for start, end in fell_s)
        found.append(Example(clip=clip, group=group, terms_T=terms_of(descent), is_fall=is_fall))
    return found


def fit_models(examples: Sequence[Example]) -> FallModels:
    """Return the models of the most likely weights.

    Raises:
        ModelError: There are no falls among the examples, or nothing else.
    """
    if len({example.is_fall for example in examples}) < 2:
        raise ModelError("falls are fitted on falls and on something else; one of them is missing")
    return FallModels(
        with_posture=_fit(examples, len(TERMS)), without=_fit(examples, len(TERMS) - 1)
    )


def _fit(examples: Sequence[Example], terms: int) -> FallModel:
    terms_NT = np.stack([example.terms_T[:terms] for example in examples])
    signs_N = np.array([1.0 if example.is_fall else -1.0 for example in examples])
    counts = Counter((example.clip, example.is_fall) for example in examples)
    weights_N = np.array([1 / counts[example.clip, example.is_fall] for example in examples])
    precisions_T = np.full(terms, PRIOR_SIGMA**-2.0)
    precisions_T[0] = CONSTANT_SIGMA**-2.0

    def lost(line_T: Array) -> tuple[float, Array]:
        margins_N = signs_N * (terms_NT @ line_T)
        loss = float(weights_N @ np.logaddexp(0, -margins_N) + precisions_T @ line_T**2 / 2)
        slopes_N = -weights_N * signs_N / (1 + np.exp(np.clip(margins_N, -50, 50)))
        return loss, terms_NT.T @ slopes_N + precisions_T * line_T

    line_T = np.asarray(minimize(lost, np.zeros(terms), jac=True, method="L-BFGS-B").x)
    shares_N = 1 / (1 + np.exp(-np.clip(terms_NT @ line_T, -50, 50)))
    curvature_N = weights_N * shares_N * (1 - shares_N)
    hessian_TT = terms_NT.T @ (terms_NT * curvature_N[:, None]) + np.diag(precisions_T)
    return FallModel(weights_T=line_T, covariance_TT=np.linalg.inv(hessian_TT).astype(np.float64))
