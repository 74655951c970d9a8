"""What is fitted after training, on cameras that were not trained on: floors and calibration.

Shape legend: C = proposals, N = examples.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.optimize import minimize

from moe_core.decoding import Floors, Written, decode
from moe_core.model.network import ClaimNetwork
from moe_core.model.weights import Calibration
from moe_core.training.examples import Example
from moe_core.training.measures import Tally, chance_of

UNTRUE_SHARE: Final = 0.02
"""Share of untrue claims that the floor is set for."""
_CLAIM_FLOORS: Final = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
_HYPOTHESIS_FLOORS: Final = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)


def fit(network: ClaimNetwork, found: Sequence[Example]) -> tuple[Floors, Calibration]:
    """Return the floors and the calibration that suit examples of unseen cameras.

    The hypothesis' floor is where verdicts are best; the claims' floor is the lowest at which no
    more than ``UNTRUE_SHARE`` of the claims is untrue.
    """
    best = max(
        _HYPOTHESIS_FLOORS, key=lambda floor: _tally(network, found, Floors(hypothesis=floor)).f1
    )
    chosen = Floors(claim=_CLAIM_FLOORS[-1], hypothesis=best)
    for floor in _CLAIM_FLOORS:
        floors = Floors(claim=floor, hypothesis=best)
        if _tally(network, found, floors).h_true <= UNTRUE_SHARE:
            chosen = floors
            break
    written = [decode(network, one.prompt, floors=chosen) for one in found]
    return chosen, calibrated(written, [one.is_real for one in found])


def calibrated(written: Sequence[Written], real: Sequence[bool]) -> Calibration:
    """Return scale and shift of least log loss (Platt 1999)."""
    logit_N = np.array([one.real_logit for one in written])
    real_N = np.array(real, np.float64)

    def loss(x: np.ndarray) -> float:
        z_N = x[0] * logit_N + x[1]
        return float(np.mean(np.logaddexp(0, z_N) - real_N * z_N))

    scale, shift = minimize(loss, np.array([1.0, 0.0]), method="BFGS").x
    return Calibration(scale=float(max(0.05, scale)), shift=float(shift))


def _tally(network: ClaimNetwork, found: Sequence[Example], floors: Floors) -> Tally:
    tally = Tally()
    for one in found:
        written = decode(network, one.prompt, floors=floors)
        tally.add(one, written.chain, chance_of(written))
    return tally
