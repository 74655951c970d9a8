"""How likely what stirs is a fight: a few hundred numbers over two seconds of measures.

Shape legend: T = steps, oldest first, F = measures, V = what is weighed: the mean of each measure
over the steps, then its standard deviation; M = members fitted on parts of the sources.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from contracts.errors import ModelError
from vision.cues.motion_field import Floats
from vision.cues.scuffle_reading import Likelihood
from vision.cues.stirs import MEASURES

SHIPPED: Final = Path(__file__).parents[1] / "weights" / "scuffle.json"
WINDOW_STEPS: Final = 10
"""Two seconds are weighed, or what there is of them since the camera came."""
LEAST_STEPS: Final = 6
"""Nothing is said of less than 1.2 s."""
FARTHEST: Final = 4.0
"""What is weighed counts at most so many standard deviations from the middle."""
SIGMA_FLOOR: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScuffleScore:
    """A logistic regression and its members.

    Attributes:
        middle_V, scale_V: What is weighed is taken off and divided by these.
        weights_V, bias: Of the whole.
        members_MV, biases_M: The same, each fitted without some of the sources: how far they
            disagree is how little is known.
    """

    middle_V: Floats
    scale_V: Floats
    weights_V: Floats
    bias: float
    members_MV: Floats
    biases_M: Floats

    def __call__(self, values_TF: Floats) -> Likelihood:
        """Return how likely these steps show a fight."""
        return self.of_weighed(pooled(values_TF))

    def of_weighed(self, weighed_V: Floats) -> Likelihood:
        """Return the same of steps that are pooled already."""
        standard_V = standardised(weighed_V, self.middle_V, self.scale_V)
        value = float(_share(np.array(standard_V @ self.weights_V + self.bias)))
        members_M = _share(self.members_MV @ standard_V + self.biases_M)
        spread = float(np.sqrt(np.mean((members_M - value) ** 2))) if len(members_M) else 0.0
        return Likelihood(value, max(SIGMA_FLOOR, spread))


def pooled(values_TF: Floats) -> Floats:
    """Return what is weighed of the newest ``WINDOW_STEPS``: means, then standard deviations."""
    newest = values_TF[-WINDOW_STEPS:]
    return np.concatenate([newest.mean(axis=0), newest.std(axis=0)])


def standardised(pooled_V: Floats, middle_V: Floats, scale_V: Floats) -> Floats:
    """Return it in standard deviations from the middle, cut at ``FARTHEST``."""
    return np.asarray(
        ((pooled_V - middle_V) / scale_V).clip(-FARTHEST, FARTHEST), np.float32
    )  # fmt: skip


def read_score(path: Path = SHIPPED) -> ScuffleScore:
    """Return the score that a file holds.

    Raises:
        ModelError: The file is missing, damaged, or made for other measures.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = tuple(content["measures"])
        score = ScuffleScore(
            bias=float(content["bias"]),
            **{
                name: np.array(content[name], np.float32)
                for name in ("middle_V", "scale_V", "weights_V", "members_MV", "biases_M")
            },
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: not a fight score that can be read: {error}") from error
    if found != MEASURES or score.weights_V.shape != (2 * len(MEASURES),):
        raise ModelError(
            f"{path}: weighs other measures than vision/cues/stirs.py takes; "
            "fit it again: python -m vision.training fight"
        )
    return score


def as_document(score: ScuffleScore) -> dict[str, object]:
    """Return what ``read_score`` reads, JSON-ready."""
    document: dict[str, object] = {"measures": list(MEASURES), "bias": round(score.bias, 6)}
    for name in ("middle_V", "scale_V", "weights_V", "members_MV", "biases_M"):
        document[name] = np.round(getattr(score, name).astype(float), 6).tolist()
    return document


def _share(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logits.clip(-30, 30))), np.float32)
