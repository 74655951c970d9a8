"""Pictures and detectors for ``vigil models benchmark``."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.detections import Detector
from contracts.errors import ConfigError
from contracts.frames import BgrImage
from contracts.settings import Settings, VisionSettings
from ingest.errors import SourceRejected
from ingest.recording import read_recording
from ingest.sources.synthetic import record_scene
from vision.detect.model_folder import find_installed
from vision.detect.registry import FAMILIES, make_detector
from vision.detect.weights import encoder_files
from vision.drawing import decode_jpeg

FPS: Final = 5.0
WITHOUT_FILES: Final = ("encoder", "motion")
"""Families that run on what came with the product."""


def read_pictures(video: Path | None, *, count: int, settings: Settings) -> list[BgrImage]:
    """Return the first pictures of a video, five a second, or of the demo yard.

    They go through the same decoding and JPEG as a camera's.

    Raises:
        ConfigError: The video cannot be read, or has no picture.
    """
    if video is None:
        with tempfile.TemporaryDirectory(prefix="vigil-") as folder:
            yard = Path(folder) / "yard.mp4"
            record_scene(yard, duration_s=count / FPS + 1)
            return _read(yard, count=count, settings=settings)
    return _read(video, count=count, settings=settings)


def make_detectors(names: Sequence[str], settings: Settings) -> dict[str, Detector]:
    """Return detectors by the names that were given, on one thread each.

    Args:
        names: Installed models, families that need no files, or ``FAMILY=PATH``; everything
            that is there if empty.
        settings: Whose data folder and thresholds apply.

    Raises:
        ConfigError: A name is not known, or a model cannot be opened here.
        ModelError: A model is damaged.
    """
    if not names:
        names = [
            *_families_that_are_here(),
            *(m.name for m in find_installed(settings.data_dir, ())),
        ]
    return {name: make_detector(_settings_of(name, settings)) for name in names}


def settings_of_model(family: str, weights: Path | None, settings: Settings) -> VisionSettings:
    """Return the settings that open one model, on one thread.

    Raises:
        ConfigError: There is no such family.
    """
    if family not in FAMILIES:
        raise ConfigError(f"{family!r} is no detector family; families are {sorted(FAMILIES)}")
    changes = {"detector": family, "weights": weights, "threads": 1}
    return settings.vision.model_copy(update=changes)


def is_encoder_shipped() -> bool:
    """Say whether weights of the product's own encoder came with it."""
    try:
        encoder_files(VisionSettings())
    except ConfigError:
        return False
    return True


def _families_that_are_here() -> list[str]:
    return [name for name in WITHOUT_FILES if name != "encoder" or is_encoder_shipped()]


def _settings_of(name: str, settings: Settings) -> VisionSettings:
    family, separator, path = name.partition("=")
    if separator:
        return settings_of_model(family, Path(path), settings)
    if name in WITHOUT_FILES:
        return settings_of_model(name, None, settings)
    [model] = find_installed(settings.data_dir, [name])
    return settings_of_model(model.family, model.weights, settings)


def _read(video: Path, *, count: int, settings: Settings) -> list[BgrImage]:
    camera = Camera(
        camera_id="benchmark",
        name=video.stem,
        source=SourceSettings(source_type=SourceType.FILE, url=str(video), is_paced=False),
        analysis_fps=FPS,
    )
    try:
        starts_at = datetime(2000, 1, 1, tzinfo=UTC)
        with read_recording(camera, settings.ingest, starts_at=starts_at) as recording:
            decoded = (decode_jpeg(frame.jpeg) for frame in islice(recording, count))
            return [pixels for pixels in decoded if pixels is not None]
    except SourceRejected as error:
        raise ConfigError(f"--video {video}: {error.reason}") from error
