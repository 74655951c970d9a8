"""How likely what stirs is a fight: what a line and some trees say of two seconds of measures.

Shape legend: T = steps, oldest first, F = measures, V = what is weighed: the mean of each measure
over the steps, then its standard deviation; M = members fitted on parts of the sources.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from contracts.errors import ModelError
from vision.cues.forest import Forest
from vision.cues.motion_field import Floats
from vision.cues.scuffle_reading import Likelihood
from vision.cues.stirs import MEASURES

SHIPPED: Final = Path(__file__).parents[1] / "weights" / "scuffle.safetensors"
WINDOW_STEPS: Final = 10
"""Two seconds are weighed, or what there is of them since the camera came."""
LEAST_STEPS: Final = 6
"""Nothing is said of less than 1.2 s."""
FARTHEST: Final = 4.0
"""What is weighed counts at most so many standard deviations from the middle."""
SIGMA_FLOOR: Final = 0.02


_LINE: Final = ("middle_V", "scale_V", "weights_V", "bias", "members_MV", "biases_M")
_MEASURES: Final = "measures"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScuffleScore:
    """A logistic regression and trees, and what members of both say that saw less.

    Attributes:
        middle_V, scale_V: What is weighed is taken off and divided by these.
        weights_V, bias: The regression's.
        members_MV, biases_M: The same, each fitted without some of the sources: how far the
            members disagree is how little is known.
        forest: As many members, each grown without the same sources; None for none. Both count
            alike: the line knows what is far from all that was seen, the trees what goes together.
    """

    middle_V: Floats
    scale_V: Floats
    weights_V: Floats
    bias: float
    members_MV: Floats
    biases_M: Floats
    forest: Forest | None = None

    def __call__(self, values_TF: Floats) -> Likelihood:
        """Return how likely these steps show a fight."""
        return self.of_weighed(pooled(values_TF))

    def of_weighed(self, weighed_V: Floats) -> Likelihood:
        """Return the same of steps that are pooled already."""
        standard_V = standardised(weighed_V, self.middle_V, self.scale_V)
        value = float(_share(np.array(standard_V @ self.weights_V + self.bias)))
        members_M = _share(self.members_MV @ standard_V + self.biases_M)
        if self.forest is not None:
            trees_M = self.forest(standard_V)
            value = (value + float(trees_M.mean())) / 2
            members_M = np.asarray((members_M + trees_M) / 2, np.float32)
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
        with safe_open(path, framework="numpy") as file:
            measured = tuple(json.loads((file.metadata() or {})[_MEASURES]))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        line = {name: arrays.pop(name) for name in _LINE}
        score = ScuffleScore(
            **{**line, "bias": float(line["bias"])}, forest=Forest(**arrays) if arrays else None
        )
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: not a fight score that can be read: {error}") from error
    if measured != MEASURES or not _fits(score):
        raise ModelError(
            f"{path}: weighs other measures than vision/cues/stirs.py takes; "
            "fit it again: python -m vision.training fight"
        )
    return score


def write_score(score: ScuffleScore, path: Path) -> None:
    """Write what ``read_score`` reads."""
    arrays: dict[str, npt.NDArray[Any]] = {
        name: np.asarray(getattr(score, name), np.float32) for name in _LINE
    }
    if score.forest is not None:
        arrays |= score.forest.arrays()
    save_file(arrays, path, metadata={_MEASURES: json.dumps(MEASURES)})


def _fits(score: ScuffleScore) -> bool:
    count, members = 2 * len(MEASURES), len(score.members_MV)
    lines = (score.middle_V, score.scale_V, score.weights_V)
    forest = score.forest
    return (
        all(line.shape == (count,) for line in lines)
        and score.members_MV.shape == (members, count)
        and score.biases_M.shape == (members,)
        and (
            forest is None
            or (len(forest.roots_MT) == members and int(forest.feature_N.max()) < count)
        )
    )


def _share(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logits.clip(-30, 30))), np.float32)
