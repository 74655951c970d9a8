"""Which detector ``vision.detector = auto`` stands for, and why.

The weights that came with the product, unless a published detector lies in the folder of models
that measured clearly better when they were shipped. Decided from files alone: nothing is fetched,
so a machine without a connection always has an answer.
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts.errors import ConfigError
from contracts.settings import VisionSettings
from vision.detect.model_card import sha256_of
from vision.detect.model_folder import InstalledModel, installed_models
from vision.detect.standing import Measured, Standings, read_standings
from vision.detect.weights import SHIPPED

AUTO: Final = "auto"
_WEIGHTS_OF_FOLDER: Final = "model.safetensors"
_EXTRA_PACKAGES: Final = {"transformers": "transformers"}
"""Packages that a family needs and that are not installed with Vigil."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorChoice:
    """The detector to open.

    Attributes:
        settings: Of vision, with a family that can be opened in place of ``auto``.
        name: For people: a family, or the name of an installed model.
        reason: Why it is this one, a sentence without a full stop.
        remedy: What would make it another, better one; empty if nothing would.
        is_makeshift: Whether it only stands in for weights that are missing.
    """

    settings: VisionSettings
    name: str
    reason: str
    remedy: str = ""
    is_makeshift: bool = False


def choose_detector(
    settings: VisionSettings, *, data_dir: Path, shipped: Path = SHIPPED
) -> DetectorChoice:
    """Return the detector that the settings stand for; no model is opened.

    Args:
        settings: Of vision.
        data_dir: Where pulled models lie.
        shipped: Folder of the weights that came with the product.

    Raises:
        ConfigError: ``vision.weights`` is given, but no family to open them with.
        ModelError: What was measured, or the card of an installed model, cannot be read.
    """
    if settings.detector != AUTO:
        return DetectorChoice(
            settings=settings, name=settings.detector, reason="vision.detector names it"
        )
    if settings.weights is not None:
        raise ConfigError(
            f"vision.weights = {settings.weights}, but vision.detector = 'auto' opens what came "
            "with Vigil or was pulled; name the family of these weights in vision.detector"
        )
    if not any(shipped.glob("*.onnx")):
        return DetectorChoice(
            settings=settings.model_copy(update={"detector": "motion"}),
            name="motion",
            reason=f"there are no weights in {shipped}, so it only sees that something moves",
            remedy="restore the weights that come with Vigil, or pull a published detector and "
            "name it in vision.detector",
            is_makeshift=True,
        )
    standings = read_standings(shipped)
    if standings is None:
        return _shipped(settings, shipped, "the weights that came with Vigil")
    return _by_standing(settings, shipped, standings, installed_models(data_dir))


def _by_standing(
    settings: VisionSettings,
    shipped: Path,
    standings: Standings,
    installed: Sequence[InstalledModel],
) -> DetectorChoice:
    own = f"{standings.shipped} {_figures(standings.of_shipped)}"
    here = {model.name: model for model in installed}
    better, obstacles = standings.better(), []
    for name in better:
        obstacle = _obstacle(name, here.get(name), standings.measured[name])
        if not obstacle:
            found = {"detector": here[name].family, "weights": here[name].weights}
            return DetectorChoice(
                settings=settings.model_copy(update=found),
                name=name,
                reason=f"measured better than the weights that came with Vigil: {name} "
                f"{_figures(standings.measured[name])}, against {own}",
            )
        obstacles.append(obstacle)
    others = [name for name in standings.measured if name not in (standings.shipped, *better)]
    reason = f"the weights that came with Vigil: {own}"
    if better:
        reason += f"; measured better, but not in use here: {_listed(better, standings)}"
    if others:
        reason += f"; no better were {_listed(others, standings)}"
    return _shipped(settings, shipped, reason, remedy=", or ".join(obstacles))


def _shipped(
    settings: VisionSettings, shipped: Path, reason: str, *, remedy: str = ""
) -> DetectorChoice:
    found = {"detector": "encoder", "weights": shipped}
    return DetectorChoice(
        settings=settings.model_copy(update=found), name="encoder", reason=reason, remedy=remedy
    )


def _obstacle(name: str, model: InstalledModel | None, measured: Measured) -> str:
    """Return what to do before a detector that measured better can be used; empty if nothing."""
    if model is None:
        return f"vigil models pull {name}"
    package = _EXTRA_PACKAGES.get(model.family)
    if package and importlib.util.find_spec(package) is None:
        return f"pip install {package}"
    path = model.weights / _WEIGHTS_OF_FOLDER if model.weights.is_dir() else model.weights
    if not path.is_file() or sha256_of(path) != measured.sha256:
        return f"vigil models pull --force {name} ({path} is not the file that was measured)"
    return ""


def _listed(names: Sequence[str], standings: Standings) -> str:
    return ", ".join(f"{name} {_figures(standings.measured[name])}" for name in names)


def _figures(one: Measured) -> str:
    return (
        f"(finds {one.upright:.2f} of upright people, {one.lying:.2f} of lying people, "
        f"{one.vehicles:.2f} of vehicles; {one.ms:.0f} ms a frame)"
    )
