"""The models that were fetched or copied into the data folder, one folder each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts.errors import ConfigError, ModelError
from vision.detect.catalog import find_entry
from vision.detect.model_card import CARD_NAME, ModelCard, read_card, sha256_of

FOLDER_NAME: Final = "models"
_BY_SUFFIX: Final = {".onnx": "yolox", ".safetensors": "torchvision"}


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledModel:
    """One folder of models.

    Attributes:
        name: Of the folder.
        folder: Where it is.
        card: What was written down when it was fetched; None if it was copied by hand.
    """

    name: str
    folder: Path
    card: ModelCard | None

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    @property
    def family(self) -> str:
        """Detector family that opens it, by its card or by what lies in it; empty if unknown."""
        return self.card.family if self.card else family_of(self.folder)[0]

    @property
    def weights(self) -> Path:
        """What ``vision.weights`` must name."""
        name = self.card.weights if self.card else family_of(self.folder)[1]
        return self.folder / name if name else self.folder


def models_folder(data_dir: Path) -> Path:
    """Return where fetched models lie."""
    return data_dir / FOLDER_NAME


def installed_models(data_dir: Path) -> tuple[InstalledModel, ...]:
    """Return what lies in the folder of models, by name; what was not finished is left out.

    Raises:
        ModelError: A card cannot be read.
    """
    folder = models_folder(data_dir)
    if not folder.is_dir():
        return ()
    return tuple(
        InstalledModel(name=path.name, folder=path.absolute(), card=read_card(path))
        for path in sorted(folder.iterdir())
        if path.is_dir() and not path.name.startswith(".")
    )


def find_installed(data_dir: Path, names: Sequence[str]) -> tuple[InstalledModel, ...]:
    """Return the models of these names, all of them for no name.

    Raises:
        ConfigError: One is not there.
        ModelError: A card cannot be read.
    """
    installed = installed_models(data_dir)
    known = [model.name for model in installed]
    for name in names:
        if name not in known:
            raise ConfigError(
                f"no model {name!r} in {models_folder(data_dir)} ({', '.join(known) or 'none'} "
                f"there); 'vigil models pull {name}' fetches it"
            )
    return tuple(model for model in installed if not names or model.name in names)


def family_of(folder: Path) -> tuple[str, str]:
    """Return the family that opens what lies in a folder, and what ``vision.weights`` must name.

    Returns:
        Family and file name (empty for the folder itself); two empty texts if nothing fits.
    """
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    if "config.json" in names:
        return "transformers", ""
    for name in names:
        family = _BY_SUFFIX.get(Path(name).suffix)
        if family:
            return family, name
    return "", ""


def check_files(model: InstalledModel) -> ModelCard:
    """Hold a model's files to their checksums and return its card.

    A model that was copied by hand is held to the catalog, where that knows it; its card is made
    from its files, for the caller to write once the model has proved to work.

    Raises:
        ModelError: A file is missing, has changed, or the folder holds no model.
    """
    if model.card is None:
        return _card_of_files(model)
    for name, recorded in model.card.sha256.items():
        path = model.folder / name
        if not path.is_file():
            raise ModelError(f"{path}: is missing; pull the model again")
        _require(path, sha256_of(path), recorded, by=CARD_NAME)
    return model.card


def _card_of_files(model: InstalledModel) -> ModelCard:
    family, weights = family_of(model.folder)
    if not family:
        raise ModelError(
            f"{model.folder}: holds no model; wanted an .onnx file, a .safetensors file, or "
            "config.json, preprocessor_config.json and model.safetensors"
        )
    sums = {path.name: sha256_of(path) for path in sorted(model.folder.iterdir()) if path.is_file()}
    entry = find_entry(model.name)
    for name, pinned in (entry.sha256 if entry else {}).items():
        if name not in sums:
            raise ModelError(f"{model.folder / name}: is missing; the catalog names it")
        _require(model.folder / name, sums[name], pinned, by="the catalog")
    return ModelCard(
        name=model.name,
        family=family,
        licence=entry.licence if entry else "unknown",
        source=entry.source if entry else "copied by hand",
        weights=weights,
        sha256=sums,
    )


def _require(path: Path, sha256: str, wanted: str, *, by: str) -> None:
    if sha256 != wanted:
        raise ModelError(
            f"{path}: sha256 is {sha256[:12]}..., {by} states {wanted[:12]}...: the file was "
            "changed or damaged; pull the model again"
        )
