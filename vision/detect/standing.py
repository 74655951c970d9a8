"""``measured.json``: how well detectors did against each other when the weights were shipped.

``python -m vision.training evaluate --json`` writes it: everybody looks at the same pictures of
places that were not trained on, and recalls are taken at equal precision.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contracts.errors import ModelError

FILE_NAME: Final = "measured.json"
CLEARLY: Final = 0.02
"""A mean recall is better from here on: less is what another draw of the pictures would change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One detector's figures.

    Attributes:
        upright: Recall of people who stand, walk or sit, 0..1.
        lying: Recall of people who lie, 0..1.
        vehicles: Recall of cars, buses and trucks, 0..1.
        ms: Processor time of one frame on one thread, resizing included, milliseconds.
        sha256: Of the weights that were measured; empty if nobody wrote it down.
    """

    upright: float
    lying: float
    vehicles: float
    ms: float
    sha256: str = ""

    @property
    def mean(self) -> float:
        """Mean of the three recalls: what detectors are ranked by."""
        return (self.upright + self.lying + self.vehicles) / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """Everybody who was measured.

    Attributes:
        shipped: Name of the weights that come with the product.
        measured: Figures by name; a published detector has its name of the catalog.
        note: How it was measured, for people.
        commit: Of the code that measured; empty if nobody wrote it down.
    """

    shipped: str
    measured: Mapping[str, Measured]
    note: str = ""
    commit: str = ""

    @property
    def of_shipped(self) -> Measured:
        """Figures of the shipped weights."""
        return self.measured[self.shipped]

    def better(self) -> tuple[str, ...]:
        """Return who is clearly better than the shipped weights, the best first."""
        least = self.of_shipped.mean + CLEARLY
        names = [name for name, one in self.measured.items() if one.mean >= least]
        return tuple(sorted(names, key=lambda name: (-self.measured[name].mean, name)))


def read_standings(folder: Path) -> Standings | None:
    """Return what was measured, None if nothing was written down beside the weights.

    Raises:
        ModelError: The file is damaged; the message says where.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return _standings(document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path}: does not say what was measured ({type(error).__name__}: {error}); restore "
            "it, or name a family in vision.detector"
        ) from error


def _standings(document: Mapping[str, Any]) -> Standings:
    measured = {str(name): _measured(str(name), row) for name, row in document["measured"].items()}
    shipped = str(document["shipped"])
    if shipped not in measured:
        raise ValueError(f"shipped = {shipped!r} is none of {sorted(measured)}")
    return Standings(
        shipped=shipped,
        measured=measured,
        note=str(document.get("note", "")),
        commit=str(document.get("commit", "")),
    )


def _measured(name: str, row: Mapping[str, Any]) -> Measured:
    recalls = {part: float(row[part]) for part in ("upright", "lying", "vehicles")}
    for part, recall in recalls.items():
        if not 0 <= recall <= 1:
            raise ValueError(f"{name}: {part} must be a recall in 0..1, got {recall}")
    ms = float(row["ms"])
    if not (math.isfinite(ms) and ms > 0):
        raise ValueError(f"{name}: ms must be a positive number of milliseconds, got {ms}")
    return Measured(**recalls, ms=ms, sha256=str(row.get("sha256", "")))
