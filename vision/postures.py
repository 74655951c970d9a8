"""How a detected person holds itself, in the words and the order that tracks use."""

import math

from contracts.detections import Detections
from contracts.tracks import POSTURES


def postures_of(detections: Detections, index: int) -> tuple[float, ...]:
    """Return the shares of ``POSTURES`` of one detection, rounded to hundredths.

    Empty where the detector knows no postures, lacks one of these, or all are alike: whoever is
    as likely to lie as to stand has not been looked at.
    """
    shares_NP, labels = detections.postures_NP, detections.posture_labels
    if shares_NP is None or any(name not in labels for name in POSTURES):
        return ()
    shares = [float(shares_NP[index, labels.index(name)]) for name in POSTURES]
    if not all(map(math.isfinite, shares)) or max(shares) - min(shares) < 1e-3:
        return ()
    return tuple(round(share, 2) for share in shares)
