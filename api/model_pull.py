"""Brings a planned model into the data folder, whole or not at all."""

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

from api.model_download import Downloader, Progress, RemoteFile
from api.model_sources import PullPlan
from contracts.clock import Clock
from contracts.errors import ConfigError, ModelError
from vision.detect.model_card import ModelCard, write_card
from vision.detect.model_folder import InstalledModel, models_folder

ProgressOf = Callable[[RemoteFile], Progress]
"""Makes the progress of one file."""
Accept = Callable[[InstalledModel], None]
"""Opens what was fetched before it gets its final name. Raises ModelError if it is no model."""


def require_free_name(plan: PullPlan, data_dir: Path) -> None:
    """Raise ConfigError if a model of this name is there."""
    folder = models_folder(data_dir) / plan.name
    if folder.exists():
        raise ConfigError(
            f"{folder} is there; 'vigil models verify {plan.name}' checks it, --force fetches it "
            "again, --name gives this one another name"
        )


def pull(
    plan: PullPlan,
    data_dir: Path,
    *,
    downloader: Downloader,
    progress_of: ProgressOf,
    accept: Accept,
    clock: Clock,
) -> InstalledModel:
    """Fetch a model, look at it, and give it its name; one of the same name is replaced.

    What has arrived before a failure lies in a hidden folder, and the next call for the same
    files goes on from there.

    Raises:
        ConfigError: An address is refused, or the folder cannot be written.
        TransportUnavailable: The server cannot be reached now.
        ModelError: What came has another checksum or is no model; it is removed.
        StorageFull: The disk is full.
    """
    folder = models_folder(data_dir) / plan.name
    staging = folder.with_name(f".{plan.name}-{plan.digest}.part")
    try:
        staging.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{staging}: cannot be made ({error.strerror})") from error
    try:
        sums = {
            file.name: downloader.fetch(file, staging, progress=progress_of(file))
            for file in plan.files
        }
    finally:
        # Goes only if it is empty: nothing has arrived that could be continued.
        with contextlib.suppress(OSError):
            staging.rmdir()
    card = ModelCard(
        name=plan.name,
        family=plan.family,
        licence=plan.licence,
        source=plan.source,
        revision=plan.revision,
        pulled_at=clock.now().isoformat(timespec="seconds"),
        weights=plan.weights,
        sha256=sums,
    )
    write_card(staging, card)
    try:
        accept(InstalledModel(name=plan.name, folder=staging, card=card))
    except ModelError:
        shutil.rmtree(staging)
        raise
    _replace(staging, folder)
    return InstalledModel(name=plan.name, folder=folder.absolute(), card=card)


def _replace(staging: Path, folder: Path) -> None:
    old = folder.with_name(f".{folder.name}.old")
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    staging.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
