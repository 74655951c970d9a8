"""Fits the noise model to recordings whose truth is known (``noise_truth``).

Shape legend: N = sightings (one true object in one frame), K = pairs of an object in two frames
after one another, 3 = level, doublings of size, share hidden; 4 = ``vision.noise.PLACES``.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import expit, logit, ndtr, ndtri

from contracts.errors import ConfigError
from vision.association import Array
from vision.noise import (
    REFERENCE_SIZE,
    Appearance,
    BoxJitter,
    FalseBoxes,
    NoiseModel,
    Seen,
    TrackerNoise,
)
from vision.training.noise_sightings import (
    FalseBox,
    Sighting,
    false_boxes,
    following,
    sightings,
)
from vision.training.noise_truth import FPS, WatchedFrame

Pairs = Sequence[tuple[Sighting, Sighting]]

LEAST_SIGHTINGS: Final = 100
LEAST_CONFUSED: Final = 10
"""A class of fewer finds gets no row of its own: it is always called what it is."""
_STEP_S: Final = 1 / FPS
_PULL: Final = np.array([0.01, 0.5, 0.5])
"""Weak pull of the three coefficients to zero: few are hidden, and no slope may run away."""
_MOST: Final = 0.95
_HALF_Z, _MOST_Z = float(ndtri(0.75)), float(ndtri((1 + _MOST) / 2))
"""Quantiles of a normal's absolute value, from whose ratio the tail is read."""
_STRETCH: Final = (_MOST_Z**2 - _HALF_Z**2) / 2
_FAR: Final = 4.0
"""Correlation counts deviations no further than so many scales."""
_CLEAR: Final = 0.2
"""Jitter is measured on whoever is hidden by less."""
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


def fit(recordings: Sequence[Sequence[WatchedFrame]], *, detector: str, source: str) -> NoiseModel:
    """Return the noise that explains what was found in recordings.

    Raises:
        ConfigError: There is too little in them.
    """
    seen = list(sightings(recordings))
    found = [one for one in seen if one.confidence is not None]
    if len(found) < LEAST_SIGHTINGS:
        raise ConfigError(
            f"people and things were found {len(found)} times in the recordings; "
            f"at least {LEAST_SIGHTINGS} are needed"
        )
    frames = sum(len(recording) for recording in recordings)
    return NoiseModel(
        detector=detector,
        source=source,
        frames=frames,
        objects=len({one.track for one in seen}),
        found=_fit_found(seen),
        confidence=_fit_confidence(found),
        jitter=_fit_jitter([one for one in found if one.hidden < _CLEAR]),
        confusion=_fit_confusion(found),
        false_boxes=_fit_false(list(false_boxes(recordings)), frames),
        tracker=TrackerNoise(**following(recordings)),
        appearance=_fit_appearance(found),
    )


def _neighbours(seen: Sequence[Sighting]) -> Pairs:
    """Return each object in one frame and in the next."""
    ordered = sorted(seen, key=lambda one: (one.track, one.at_s))
    return [
        (first, second)
        for first, second in pairwise(ordered)
        if first.track == second.track and second.at_s - first.at_s < 1.5 * _STEP_S
    ]


def _features(seen: Sequence[Sighting]) -> Array:
    return np.array(
        [(1.0, math.log2(max(one.size, 1e-3) / REFERENCE_SIZE), one.hidden) for one in seen]
    )


def _fit_found(seen: Sequence[Sighting]) -> Seen:
    """Fit a logistic regression, then the correlation that explains how misses come in bursts."""
    features_N3 = _features(seen)
    signs_N = np.array([1.0 if one.confidence is not None else -1.0 for one in seen])

    def loss(weights_3: Array) -> float:
        margins_N = signs_N * (features_N3 @ weights_3)
        return float(np.logaddexp(0, -margins_N).sum() + (_PULL * weights_3**2).sum())

    level, doubling, hidden = minimize(loss, np.zeros(3)).x
    pairs = _neighbours(seen)
    weights_3 = np.array([level, doubling, hidden])
    chances_K2 = np.array(
        [1 - expit(_features([first, second]) @ weights_3) for first, second in pairs]
    ).reshape(-1, 2)
    both = sum(first.confidence is None and second.confidence is None for first, second in pairs)
    correlation = burst_correlation(chances_K2, both)
    return Seen(
        level=float(level),
        per_doubling=float(doubling),
        per_hidden=float(hidden),
        spread=0.0,
        persistence_s=persistence(correlation),
    )


def burst_correlation(chances_K2: Array, both: int) -> float:
    """Return the correlation, 0 to 0.98, with which so many pairs are missed twice.

    Args:
        chances_K2: Chance of a miss in each of two frames after one another.
        both: Pairs in which both were missed.
    """
    if not len(chances_K2):
        return 0.0
    limits_K2 = ndtri(np.clip(chances_K2, 1e-6, 1 - 1e-6))

    def excess(correlation: float) -> float:
        # P(both) = E over z of P(first | z) P(second | z), z the common part of two normals.
        scale = math.sqrt(1 - correlation)
        common = math.sqrt(correlation) * _NODES
        below = ndtr((limits_K2[:, :, None] - common) / scale)
        expected = (below[:, 0] * below[:, 1] * _WEIGHTS).sum() / _WEIGHTS.sum()
        return float(expected - both)

    if excess(0.0) >= 0:
        return 0.0
    return 0.98 if excess(0.98) <= 0 else float(brentq(excess, 0.0, 0.98, xtol=1e-3))


def persistence(correlation: float) -> float:
    """Return the time constant of a deviation with this correlation from frame to frame."""
    return -_STEP_S / math.log(correlation) if correlation > 0.01 else 0.0


def _fit_confidence(found: Sequence[Sighting]) -> Seen:
    features_N3 = _features(found)
    targets_N = logit(np.clip([one.confidence or 0.0 for one in found], 0.01, 0.99))
    normal_33 = features_N3.T @ features_N3 + np.diag(_PULL)
    level, doubling, hidden = np.linalg.solve(normal_33, features_N3.T @ targets_N)
    rest_N = targets_N - features_N3 @ np.array([level, doubling, hidden])
    spread = float(np.std(rest_N))
    rests = {id(one): float(rest) for one, rest in zip(found, rest_N, strict=True)}
    products = [rests[id(a)] * rests[id(b)] for a, b in _neighbours(found)]
    correlation = float(np.mean(products)) / max(spread**2, 1e-9) if products else 0.0
    return Seen(
        level=float(level),
        per_doubling=float(doubling),
        per_hidden=float(hidden),
        spread=spread,
        persistence_s=persistence(min(0.98, correlation)),
    )


def _fit_jitter(found: Sequence[Sighting]) -> BoxJitter:
    """Measure boxes against their own track's bias: two conventions of a box are no jitter."""
    by_track: dict[tuple[int, str], list[Sighting]] = {}
    for one in found:
        by_track.setdefault(one.track, []).append(one)
    rests: dict[int, Array] = {}
    for track in by_track.values():
        offs = np.array([one.off for one in track])
        for one, rest_4 in zip(track, offs - np.median(offs, axis=0), strict=True):
            rests[id(one)] = rest_4
    rests_N4 = np.array(list(rests.values()))
    half_4, most_4 = np.quantile(np.abs(rests_N4), [0.5, _MOST], axis=0)
    tail = float(np.clip(np.mean(np.log(most_4 / half_4 * _HALF_Z / _MOST_Z)) / _STRETCH, 0, 0.8))
    shares_4 = half_4 / (_HALF_Z * math.exp(tail / 2 * _HALF_Z**2))
    calm = {key: np.clip(rest / shares_4, -_FAR, _FAR) for key, rest in rests.items()}
    products = [calm[id(a)] * calm[id(b)] for a, b in _neighbours(found)]
    square = np.mean(np.array(list(calm.values())) ** 2)
    correlation = float(np.mean(products) / square) if products else 0.0
    middle, foot, width, height = shares_4.tolist()
    return BoxJitter(
        shares_4=(middle, foot, width, height),
        persistence_s=persistence(min(0.98, correlation)),
        tail=tail,
    )


def _fit_confusion(found: Sequence[Sighting]) -> dict[str, dict[str, float]]:
    table: dict[str, dict[str, float]] = {}
    for label in sorted({one.label for one in found}):
        said = [one.said for one in found if one.label == label]
        if len(said) < LEAST_CONFUSED:
            said = [label]
        table[label] = {name: said.count(name) / len(said) for name in sorted(set(said))}
    return table


def _fit_false(odd: Sequence[FalseBox], frames: int) -> FalseBoxes:
    if not odd:
        return FalseBoxes(
            per_frame=0.0,
            persistence_s=0.0,
            median_size=REFERENCE_SIZE,
            size_spread=0.5,
            confidence=0.0,
            confidence_spread=1.0,
        )
    sizes = np.log2([max(one.size, 1e-3) for one in odd])
    confidences = logit(np.clip([one.confidence for one in odd], 0.01, 0.99))
    return FalseBoxes(
        per_frame=len(odd) / max(1, frames),
        persistence_s=persistence(min(0.98, float(np.mean([one.is_again for one in odd])))),
        median_size=float(2 ** np.median(sizes)),
        size_spread=float(np.std(sizes)),
        confidence=float(np.mean(confidences)),
        confidence_spread=float(np.std(confidences)),
    )


def _fit_appearance(found: Sequence[Sighting]) -> Appearance:
    """Compare looks of one object with each other, and with those of others of its recording."""
    looks: dict[tuple[int, str], Array] = {}
    for track in sorted({one.track for one in found}):
        own = [one.look for one in found if one.track == track and one.look is not None]
        if len(own) > 2:
            looks[track] = np.array(own, np.float64)
    same = [
        float(likeness)
        for own in looks.values()
        for likeness in (own @ own.T)[np.triu_indices(len(own), k=2)]
    ]
    other = [
        float(np.median(looks[first] @ looks[second].T))
        for first in looks
        for second in looks
        if first < second and first[0] == second[0]
    ]
    likeness = float(np.median(same)) if same else 1.0
    # Of unit vectors with noise of length s added, cosines shrink by 1 + s^2.
    spread = math.sqrt(max(0.0, 1 / min(1.0, max(likeness, 0.1)) - 1))
    alike = float(np.median(other)) * (1 + spread**2) if other else 0.0
    return Appearance(spread=spread, alike=min(0.95, max(0.0, alike)))
