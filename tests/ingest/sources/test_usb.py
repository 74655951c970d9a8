"""Devices of Video4Linux, as far as they can be tried where there is none: what is refused."""

import errno
from pathlib import Path

import av
import pytest

from contracts.cameras import Camera, SourceSettings, SourceType
from contracts.settings import IngestSettings
from ingest.errors import SourceError, SourceRejected, SourceUnavailable
from ingest.sources.registry import open_source, type_of_url
from ingest.sources.usb import UsbDevice, check, failure

ABSENT = "/dev/video987"


def camera(url: str) -> Camera:
    return Camera(camera_id="desk", source=SourceSettings(source_type=SourceType.USB, url=url))


def refusal(url: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_source(camera(url), IngestSettings())
    return caught.value


def test_what_a_url_says_is_what_libav_is_told() -> None:
    device = UsbDevice.of("usb:/dev/video2?size=640x480&fps=30&format=h264")

    assert device.path == "/dev/video2"
    assert device.options == {
        "input_format": "h264",
        "video_size": "640x480",
        "framerate": "30",
        "codec_whitelist": device.options["codec_whitelist"],
    }
    assert "rawvideo" not in device.options["codec_whitelist"]


def test_a_bare_path_means_mjpeg_of_720_lines() -> None:
    assert UsbDevice.of("/dev/video0") == UsbDevice(path="/dev/video0", form="mjpeg", fps=15)


@pytest.mark.parametrize(
    "url",
    [
        "usb:/dev/sda",
        "usb:/dev/video0/../sda",
        "usb:/dev/videos",
        "usb:/dev/video0\n",
        "usb:/dev/v4l/by-id/../../sda",
        "usb:video0",
        "usb:/dev/video0?size=big",
        "usb:/dev/video0?fps=0",
        "usb:/dev/video0?fps=-1",
        "usb:/dev/video0?format=rawvideo",
        "usb:/dev/video0?input_format=mjpeg",
    ],
)
def test_nothing_but_video_devices_and_known_parameters(url: str) -> None:
    with pytest.raises(ValueError, match=r"wanted: usb:/dev/video0|fps must be"):
        UsbDevice.of(url)
    assert isinstance(refusal(url), SourceRejected)


def test_a_camera_that_is_not_plugged_in_is_tried_again() -> None:
    error = refusal(f"usb:{ABSENT}")

    assert isinstance(error, SourceUnavailable)
    assert "is the camera plugged in" in error.reason


def test_a_stable_name_that_leads_nowhere_is_not_there() -> None:
    assert isinstance(refusal("usb:/dev/v4l/by-id/usb-Acme_Cam-video-index0"), SourceUnavailable)


@pytest.mark.parametrize("name", ["null", "file"])
def test_what_is_no_video_device_is_not_opened(name: str, tmp_path: Path) -> None:
    path = Path("/dev/null") if name == "null" else tmp_path / "file"
    if name == "file":
        path.touch()

    with pytest.raises(SourceRejected, match="is no video device"):
        check(path, "desk")


def test_what_libav_says_of_a_device_that_is_none() -> None:
    device = UsbDevice.of("/dev/video0")
    with pytest.raises(av.FFmpegError) as caught:
        av.open("/dev/null", format="v4l2", container_options=device.options)

    error = failure(caught.value, device, "desk")
    assert isinstance(error, SourceRejected)
    assert "gives no mjpeg pictures" in error.reason


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (errno.EBUSY, SourceUnavailable, "in use by another program"),
        (errno.ENODEV, SourceUnavailable, "is not there"),
        (errno.EINVAL, SourceRejected, "v4l2-ctl"),
        (errno.EIO, SourceUnavailable, "cannot be read"),
    ],
)
def test_each_failure_is_told_by_what_can_be_done(
    number: int, kind: type[SourceError], said: str
) -> None:
    error = failure(OSError(number, "x"), UsbDevice.of("/dev/video0"), "desk")

    assert isinstance(error, kind)
    assert said in error.reason


def test_urls_and_paths_of_devices_are_told_from_files() -> None:
    assert type_of_url("usb:/dev/video0") is SourceType.USB
    assert type_of_url("/dev/video0") is SourceType.USB
    assert type_of_url("/videos/yard.mp4") is SourceType.FILE
