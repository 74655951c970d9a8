"""``model.json``: what was written down about a model's files when they were fetched.

The checksums in it are held from then on: by ``vigil models verify`` and each time a detector
loads one of the files.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from contracts.errors import ModelError

CARD_NAME: Final = "model.json"
_CHUNK_BYTES: Final = 1 << 20
_TEXTS: Final = ("name", "family", "licence", "source", "revision", "pulled_at", "weights")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """One fetched model.

    Attributes:
        name: Of its folder.
        family: Detector family that opens it.
        licence: As its publisher states it; ``unknown`` if nobody said.
        source: Where it came from, as a person would give it to ``vigil models pull``.
        revision: Commit of the source, empty where there is none.
        pulled_at: ISO 8601, UTC.
        weights: What ``vision.weights`` must name: a file of the folder, empty for the folder.
        sha256: Hexadecimal checksum of each file, by its name.
    """

    name: str
    family: str
    licence: str
    source: str
    revision: str = ""
    pulled_at: str = ""
    weights: str = ""
    sha256: Mapping[str, str] = field(default_factory=dict)


def write_card(folder: Path, card: ModelCard) -> None:
    """Write the card into the model's folder."""
    document: dict[str, Any] = {name: getattr(card, name) for name in _TEXTS}
    document["sha256"] = dict(card.sha256)
    (folder / CARD_NAME).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def read_card(folder: Path) -> ModelCard | None:
    """Return the card of a folder, None if it has none.

    Raises:
        ModelError: It cannot be read or lacks something.
    """
    path = folder / CARD_NAME
    if not path.is_file():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        texts = {name: str(document[name]) for name in _TEXTS}
        sums = {str(name): str(value) for name, value in document["sha256"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path}: is no card of a model ({type(error).__name__}: {error}); remove the folder "
            "and pull the model again"
        ) from error
    return ModelCard(**texts, sha256=sums)


def sha256_of(path: Path) -> str:
    """Return a file's checksum, hexadecimal.

    Raises:
        ModelError: The file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def require_recorded(path: Path, sha256: str) -> None:
    """Raise ModelError if the card beside a file states another checksum for it."""
    card = read_card(path.parent)
    recorded = card.sha256.get(path.name) if card else None
    if recorded is not None and recorded != sha256:
        raise ModelError(
            f"{path}: checksum is sha256 {sha256[:12]}..., {CARD_NAME} beside it states "
            f"{recorded[:12]}...: the file was changed or damaged since it was fetched; pull the "
            "model again"
        )
