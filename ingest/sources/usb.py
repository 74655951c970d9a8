"""Cameras at this machine itself: USB, and whatever else Video4Linux has as a device.

Only what the device has compressed already is taken (MJPEG, H.264): a minute of raw pictures is a
gigabyte in the memory from which clips are cut.
"""

import errno
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import parse_qs

import av

from contracts.cameras import Camera
from contracts.settings import IngestSettings
from ingest.errors import SourceError, SourceRejected, SourceUnavailable
from ingest.sources.acceleration import acceleration
from ingest.sources.opened import OpenedStream
from ingest.sources.stream import CODEC_WHITELIST, plain_reason

PREFIX: Final = "usb:"
_NAMES: Final = re.compile(r"/dev/(?:video\d{1,3}|v4l/by-(?:id|path)/[\w.:+-]{1,200})")
"""Nothing else is opened, whatever a URL says. The long names stay when others are plugged in."""
_DEVICES: Final = re.compile(r"/dev/video\d{1,3}")
_MAJOR: Final = 81
"""Of Video4Linux among the kernel's character devices."""
_FORMATS: Final = ("mjpeg", "h264")
_SIZE: Final = re.compile(r"(\d{2,4})x(\d{2,4})")
_FPS_MAX: Final = 120
_WANTED: Final = "wanted: usb:/dev/video0[?size=1280x720&fps=15&format=mjpeg|h264]"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsbDevice:
    """What a ``usb:`` URL says.

    Attributes:
        path: Of the device.
        form: What it is to send.
        width: Pixels. The driver takes the nearest size and rate that it has.
    """

    path: str
    form: str = "mjpeg"
    width: int = 1280
    height: int = 720
    fps: int = 15

    @classmethod
    def of(cls, url: str) -> Self:
        """Return what a URL, or a device's path, says. Raises ValueError: what is wanted."""
        path, _, query = url.removeprefix(PREFIX).partition("?")
        given = {name: values[-1] for name, values in parse_qs(query).items()}
        size = _SIZE.fullmatch(given.pop("size", "1280x720"))
        form, fps = given.pop("format", "mjpeg"), given.pop("fps", "15")
        if not _NAMES.fullmatch(path):
            raise ValueError(f"names no video device; {_WANTED}")
        if given or size is None or form not in _FORMATS or not re.fullmatch(r"\d{1,3}", fps):
            raise ValueError(f"has a parameter that is none; {_WANTED}")
        if not 1 <= int(fps) <= _FPS_MAX:
            raise ValueError(f"fps must be 1 to {_FPS_MAX}")
        return cls(path=path, form=form, width=int(size[1]), height=int(size[2]), fps=int(fps))

    @property
    def options(self) -> dict[str, str]:
        """What libav's reader of such devices is told."""
        return {
            "input_format": self.form,
            "video_size": f"{self.width}x{self.height}",
            "framerate": str(self.fps),
            "codec_whitelist": CODEC_WHITELIST,
        }


def is_device(url: str) -> bool:
    """Say whether a URL, or a path, means such a device."""
    return url.startswith((PREFIX, "/dev/video", "/dev/v4l/"))


def open_usb(camera: Camera, settings: IngestSettings) -> OpenedStream:
    """Open the device and begin to read it.

    Raises:
        SourceRejected: It is no video device, may not be read, or does not have such a format.
        SourceUnavailable: It is not plugged in, or another program has it.
    """
    try:
        device = UsbDevice.of(camera.source.url)
    except ValueError as error:
        raise SourceRejected(camera.camera_id, f"its address {error}") from None
    path = Path(os.path.realpath(device.path))
    if not _DEVICES.fullmatch(str(path)):
        raise SourceUnavailable(camera.camera_id, _not_there(device.path))
    check(path, camera.camera_id)
    try:
        container = av.open(
            str(path),
            mode="r",
            format="v4l2",
            container_options=device.options,
            hwaccel=acceleration(settings),
            timeout=(settings.open_timeout_s, settings.read_timeout_s),
        )
    except (av.FFmpegError, OSError) as error:
        raise failure(error, device, camera.camera_id) from None
    return OpenedStream(
        container=container,
        close=container.close,
        is_live=True,
        read_timeout_s=settings.read_timeout_s,
    )


def check(path: Path, camera_id: str) -> None:
    """See that a path is a video device that this user may read. Raises SourceError."""
    try:
        found = path.stat()
    except FileNotFoundError:
        raise SourceUnavailable(camera_id, _not_there(str(path))) from None
    except OSError as error:
        raise SourceRejected(camera_id, f"{path} cannot be looked at ({error.strerror})") from None
    if not stat.S_ISCHR(found.st_mode) or os.major(found.st_rdev) != _MAJOR:
        raise SourceRejected(camera_id, f"{path} is no video device")
    if not os.access(path, os.R_OK | os.W_OK):
        raise SourceRejected(
            camera_id, f"{path} may not be read by this user; put it into the group video"
        )


def failure(error: Exception, device: UsbDevice, camera_id: str) -> SourceError:
    """Return what it means that a device could not be opened."""
    number = getattr(error, "errno", None)
    if number == errno.EBUSY:
        return SourceUnavailable(
            camera_id, f"{device.path} is in use by another program; one at a time may read it"
        )
    if number in (errno.ENODEV, errno.ENOENT, errno.ENXIO):
        return SourceUnavailable(camera_id, _not_there(device.path))
    if number in (errno.EINVAL, errno.ENOTTY):
        return SourceRejected(
            camera_id,
            f"{device.path} gives no {device.form} pictures; wanted: a camera that compresses them "
            f"({' or '.join(_FORMATS)}; v4l2-ctl --list-formats-ext says what it has)",
        )
    reason = type(error).__name__
    if isinstance(error, av.FFmpegError):
        reason = plain_reason(error)
    return SourceUnavailable(camera_id, f"{device.path} cannot be read ({reason})")


def _not_there(path: str) -> str:
    return f"{path} is not there; is the camera plugged in, and given to this container?"
