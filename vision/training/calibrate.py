"""Makes scores mean what they say: of finds with a score of 0.7, seven of ten are right.

Two numbers are fitted on held-out cameras (Platt 1999, logistic regression on the logit) and put
into the last layer, so that no format and no reader knows of it. The order of finds, and with it
recall at a precision, stays as it was.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # its usual name

from vision.encoder import Encoder
from vision.training.evaluate import Verdicts

LEAST_SCALE: Final = 0.25
MOST_SCALE: Final = 4.0


def fit(verdicts: Sequence[Verdicts]) -> tuple[float, float]:
    """Return scale and shift of the logit under which scores are shares of right finds.

    Finds of several sets count alike, whatever the size of the set.
    """
    scores = torch.from_numpy(np.concatenate([one.scores_N for one in verdicts])).double()
    right = torch.from_numpy(np.concatenate([one.is_right_N for one in verdicts])).double()
    weights = torch.cat(
        [torch.full((len(one.scores_N),), 1 / max(1, len(one.scores_N))) for one in verdicts]
    )
    logits = torch.logit(scores.clamp(1e-4, 1 - 1e-4))
    line = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([line], max_iter=200, line_search_fn="strong_wolfe")

    def lost() -> torch.Tensor:
        optimizer.zero_grad()
        error = F.binary_cross_entropy_with_logits(
            logits * line[0] + line[1], right, weight=weights.double(), reduction="sum"
        )
        error.backward()  # type: ignore[no-untyped-call]  # torch's
        return error

    optimizer.step(lost)  # type: ignore[no-untyped-call]  # torch's
    scale, shift = (float(value) for value in line.detach())
    return min(max(scale, LEAST_SCALE), MOST_SCALE), shift


@torch.no_grad()
def apply(encoder: Encoder, scale: float, shift: float) -> None:
    """Put scale and shift of the class logits into the last layer, in place."""
    count = len(encoder.shape.classes)
    for output in encoder.outputs:
        if isinstance(output, torch.nn.Conv2d) and output.bias is not None:
            output.weight[:count] *= scale
            output.bias[:count] = output.bias[:count] * scale + shift
