"""Looks at what is installed, reachable and missing, and says how to get it."""

import importlib.metadata
import importlib.util
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import av

from api.transport.connection import check_server, connect
from api.transport.redis_server import redis_binary
from contracts.clock import SystemClock
from contracts.errors import ConfigError, ModelError, TransportUnavailable
from contracts.settings import QueueSettings, Settings, VisionSettings
from ingest.frame_ring import ring_bytes
from ingest.shared_pixels import shared_folder, slots_of
from moe_core.registry import describe
from vision.detect.backends.driver import has_cuda_driver
from vision.detect.detector_choice import AUTO, choose_detector
from vision.detect.inspection import PathCost, inspect_encoder
from vision.detect.weights import SHIPPED, check_weights

_PACKAGES: Final = (
    "av", "opencv-python-headless", "onnxruntime", "torch", "torchvision", "aiortc", "redis",
    "fastapi", "uvicorn", "sqlalchemy",
)  # fmt: skip
_LOW_SPACE_BYTES: Final = 1_000_000_000
_USUAL_PICTURE_BYTES: Final = 640 * 360 * 3 // 2
_WANTED_CODECS: Final = ("h264", "hevc", "mjpeg", "vp8", "vp9", "av1")


class CheckState(StrEnum):
    """How a check ended; only ``failed`` stops Vigil from working."""

    OK = "ok"
    NOTE = "note"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at, what was found, and what to do about it."""

    name: str
    state: CheckState
    found: str
    remedy: str = ""


def examine(
    settings: Settings, *, is_compiling: bool = False, shipped: Path = SHIPPED
) -> list[Check]:
    """Return every check, in the order in which a newcomer would ask.

    Args:
        settings: To check.
        is_compiling: Whether to measure what has to be compiled first, for most of a minute.
        shipped: Folder of the weights that came with Vigil.
    """
    return [
        _python(),
        *_packages(),
        _codecs(),
        _accelerator(),
        _data_dir(settings.data_dir),
        _redis(settings),
        _shared_memory(settings.queue),
        _time_zone(settings.time_zone),
        *_detector(settings, shipped=shipped, is_compiling=is_compiling),
        _reasoner(settings),
    ]


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Check(name="Python", state=CheckState.OK, found=version)


def _packages() -> list[Check]:
    checks: list[Check] = []
    for name in _PACKAGES:
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            checks.append(
                Check(
                    name=name,
                    state=CheckState.FAILED,
                    found="not installed",
                    remedy="pip install --require-hashes -r constraints.txt -r constraints-gpu.txt",
                )
            )
        else:
            checks.append(Check(name=name, state=CheckState.OK, found=found))
    return checks


def _codecs() -> Check:
    lacking = [name for name in _WANTED_CODECS if name not in av.codecs_available]
    libav = ", ".join(
        f"{name} {'.'.join(str(part) for part in version)}"
        for name, version in sorted(av.library_versions.items())
        if name in ("libavcodec", "libavformat")
    )
    if lacking:
        return Check(
            name="decoders",
            state=CheckState.NOTE,
            found=f"{libav}; without {', '.join(lacking)}",
            remedy="cameras with these codecs cannot be read; use the wheel of av from the index",
        )
    return Check(name="decoders", state=CheckState.OK, found=libav)


def _accelerator() -> Check:
    """Ask the driver, not torch: importing torch takes seconds and answers nothing more."""
    cores = os.cpu_count() or 1
    if has_cuda_driver():
        return Check(name="accelerator", state=CheckState.OK, found="CUDA driver present")
    return Check(
        name="accelerator", state=CheckState.NOTE, found=f"none; {cores} CPU core(s) do the work"
    )


def _data_dir(folder: Path) -> Check:
    name = "data folder"
    there = folder if folder.exists() else next(p for p in folder.absolute().parents if p.exists())
    if not os.access(there, os.W_OK):
        return Check(
            name=name,
            state=CheckState.FAILED,
            found=f"{folder} cannot be written",
            remedy="set VIGIL_DATA_DIR to a folder that can",
        )
    free = shutil.disk_usage(there).free
    found = f"{folder.absolute()}, {free / 1e9:.1f} GB free"
    if free < _LOW_SPACE_BYTES:
        return Check(name=name, state=CheckState.NOTE, found=found, remedy="make room for evidence")
    return Check(name=name, state=CheckState.OK, found=found)


def _redis(settings: Settings) -> Check:
    url = settings.redis_url.get_secret_value()
    try:
        if not url:
            return Check(
                name="Redis", state=CheckState.OK, found=f"embedded, {redis_binary().name}"
            )
        client = connect(url)
        try:
            problems = check_server(client)
        finally:
            client.close()
    except ConfigError as error:
        return Check(name="Redis", state=CheckState.FAILED, found=str(error))
    except TransportUnavailable as error:
        return Check(
            name="Redis",
            state=CheckState.FAILED,
            found=str(error),
            remedy="start it, or unset VIGIL_REDIS_URL to use the embedded one",
        )
    if problems:
        return Check(name="Redis", state=CheckState.FAILED, found="; ".join(problems))
    return Check(name="Redis", state=CheckState.OK, found="reachable, durable, does not evict")


def _shared_memory(queue: QueueSettings) -> Check:
    """Say whether frames can go to vision without JPEG, and for how many cameras there is room."""
    name = "shared memory"
    folder = shared_folder(queue)
    if folder is None:
        return Check(name=name, state=CheckState.OK, found="off by the settings: frames go as JPEG")
    try:
        folder.place()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Check(
            name=name,
            state=CheckState.NOTE,
            found=f"{folder.path}: {reason}; frames go as JPEG",
            remedy="set VIGIL_QUEUE__SHARED_MEMORY_FOLDER to a tmpfs that can be written",
        )
    one = ring_bytes(slots_of(queue), _USUAL_PICTURE_BYTES)
    free = shutil.disk_usage(folder.path).free
    cameras = int(min(folder.limit_bytes - folder.used_bytes(), free) / one)
    found = f"{folder.path}, {free / 1e6:.0f} MB free: {one / 1e6:.1f} MB a camera of 640x360"
    if cameras < 1:
        return Check(
            name=name,
            state=CheckState.NOTE,
            found=f"{found}; there is room for no more, the others' frames go as JPEG",
            remedy="raise VIGIL_QUEUE__SHARED_MEMORY_MB, or --shm-size of the container",
        )
    return Check(name=name, state=CheckState.OK, found=f"{found}, room for {cameras} more")


def _time_zone(name: str) -> Check:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return Check(
            name="time zone",
            state=CheckState.FAILED,
            found=f"{name!r} is not known here",
            remedy="use an IANA name such as Europe/Berlin; install tzdata",
        )
    return Check(name="time zone", state=CheckState.OK, found=name)


def _detector(settings: Settings, *, shipped: Path, is_compiling: bool) -> list[Check]:
    """Say which detector is at work and why, and what it costs if that is the encoder."""
    name = "detector"
    try:
        choice = choose_detector(settings.vision, data_dir=settings.data_dir, shipped=shipped)
        check_weights(choice.settings)
    except (ConfigError, ModelError) as error:
        return [
            Check(
                name=name,
                state=CheckState.FAILED,
                found=str(error),
                remedy="set VIGIL_VISION__WEIGHTS, or another VIGIL_VISION__DETECTOR",
            )
        ]
    found = f"{choice.name}: {choice.reason}"
    vision = choice.settings
    if vision.detector == "motion":
        found += "; it cannot tell a person from a car"
        remedy = choice.remedy or "VIGIL_VISION__DETECTOR=auto"
        return [Check(name=name, state=CheckState.NOTE, found=found, remedy=remedy)]
    if settings.vision.detector != AUTO:
        weights = vision.weights.name if vision.weights else "the weights that came with Vigil"
        found += f"; {weights}"
    check = Check(name=name, state=CheckState.OK, found=found, remedy=choice.remedy)
    if vision.detector != "encoder":
        return [check]
    published = find_published(settings.data_dir)
    return [check, *_encoder(vision, published=published, is_compiling=is_compiling)]


def _encoder(vision: VisionSettings, *, published: Path | None, is_compiling: bool) -> list[Check]:
    """Say what runs the encoder and what that costs."""
    name = "encoder"
    try:
        report = inspect_encoder(
            vision, clock=SystemClock(), published=published, is_compiling=is_compiling
        )
    except (ConfigError, ModelError) as error:
        return [
            Check(
                name=name,
                state=CheckState.FAILED,
                found=str(error),
                remedy="fetch the weights again, or set VIGIL_VISION__BACKEND=auto",
            )
        ]
    weights = "shipped" if report.is_shipped else "your own"
    chosen = f"{weights} weights {report.sha256[:12]}, {report.backend}: {report.reason}"
    if report.share_of_published is not None:
        chosen += f"; {report.share_of_published:.2f} of YOLOX-nano's time"
    return [
        Check(name=name, state=CheckState.OK, found=chosen),
        *(_path(path) for path in report.paths),
    ]


def _path(path: PathCost) -> Check:
    name = f"encoder in {path.backend}"
    if path.ms_a_frame is None:
        return Check(name=name, state=CheckState.NOTE, found=path.problem)
    found = f"{path.ms_a_frame:.1f} ms a frame of 640x360"
    if path.agreed is None:
        return Check(name=name, state=CheckState.OK, found=found)
    found += f", cosine {path.agreed.cosine:.5f} and boxes {path.agreed.box_px:.2f} px from the CPU"
    state = CheckState.OK if path.agreed.is_good else CheckState.NOTE
    return Check(name=name, state=state, found=found)


def _reasoner(settings: Settings) -> Check:
    try:
        found = describe(settings.reasoning)
    except ModelError as error:
        return Check(
            name="reasoner",
            state=CheckState.NOTE,
            found=f"{error}; the program reasons",
            remedy="VIGIL_REASONING__REASONER=program, core or a path of weights",
        )
    return Check(name="reasoner", state=CheckState.OK, found=found)


def find_published(data_dir: Path) -> Path | None:
    """Return a pulled YOLOX-nano to compare with, if there is one."""
    return next(iter(sorted((data_dir / "models").rglob("yolox_nano*.onnx"))), None)


def is_healthy(checks: Sequence[Check]) -> bool:
    """Say whether nothing failed."""
    return all(check.state is not CheckState.FAILED for check in checks)
