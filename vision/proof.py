"""Asks for proof of what a detector is not sure of: that something moved there.

A small detector takes a bollard or a painted letter for a person now and then, frame after frame
in the same place. A camera stands still, so whoever is real came from somewhere: what is doubtful
and lies where nothing has changed for seconds begins no track. What the detector is sure of needs
no proof, and nobody who is followed already loses anything by standing still.

Shape legend: N = detections, h, w = places of the picture.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.detections import ANY_LABEL, Detections

SURE: Final = 0.6
"""A detection of this confidence needs no proof."""
LEAST_CHANGED: Final = 0.04
"""Share of some place within the box that must have changed, as for the motion gate."""


def proven(
    detections: Detections, changed_hw: npt.NDArray[np.float32] | None
) -> npt.NDArray[np.bool_] | None:
    """Say of each detection whether it may begin a track.

    Args:
        detections: Of one frame.
        changed_hw: Share (0..1) of each place that is not as it was in the last seconds; None
            if there was nothing to compare with: then nothing is known to have moved.

    Returns:
        Shape (N), or None if all may: the detector knows no classes, it found movement.
    """
    if detections.labels == (ANY_LABEL,):
        return None
    is_sure_N = detections.confidences_N >= SURE
    if changed_hw is None:
        return is_sure_N
    rows, columns = changed_hw.shape
    for index in np.flatnonzero(~is_sure_N):
        x1, y1, x2, y2 = detections.boxes_N4[index].clip(0, 1).tolist()
        if not all(np.isfinite((x1, y1, x2, y2))):
            continue
        # Places overlap by half: there is one less of them than cells each way.
        top, bottom = int(y1 * (rows + 1)), int(np.ceil(y2 * (rows + 1)))
        left, right = int(x1 * (columns + 1)), int(np.ceil(x2 * (columns + 1)))
        part = changed_hw[max(0, top - 1) : bottom, max(0, left - 1) : right]
        is_sure_N[index] = part.max(initial=0.0) >= LEAST_CHANGED
    return is_sure_N
