"""Pictures of a file at a steady rate, small enough to train on."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts.errors import ConfigError
from tests.fakes.clips import WalkerClip, walker_path
from tests.vision.training.scenes import RED, scene
from vision.training.videos import fitted, pictures, still


@pytest.mark.parametrize(
    ("fps", "times_s"), [(1, [0, 1, 2, 3]), (2, [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5])]
)
def test_pictures_come_at_the_rate_that_was_asked_for(fps: float, times_s: list[float]) -> None:
    found = [time_s for time_s, _ in pictures(walker_path(), fps=fps)]
    assert found == pytest.approx(times_s)


def test_a_rate_above_the_files_gives_every_picture_once() -> None:
    clip = WalkerClip()
    assert len(list(pictures(walker_path(clip), fps=100))) == clip.frames


def test_the_picture_is_that_of_its_time() -> None:
    clip = WalkerClip()
    [_, (time_s, pixels_HW3), *_] = pictures(walker_path(clip), fps=1)

    wanted = clip.picture(round(time_s * clip.fps)).astype(float)
    before = clip.picture(0).astype(float)
    assert np.abs(pixels_HW3 - wanted).mean() < 3
    assert np.abs(pixels_HW3 - wanted).max() < np.abs(pixels_HW3 - before).max()


def test_large_videos_are_made_smaller() -> None:
    clip = WalkerClip(width=1280, height=720, duration_s=0.3)
    _, pixels_HW3 = next(iter(pictures(walker_path(clip), fps=1)))
    assert pixels_HW3.shape == (360, 640, 3)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [((480, 640), (480, 640)), ((1080, 1920), (360, 640)), ((1920, 1080), (640, 360)),
     ((10, 64_00), (1, 640)), ((1, 1), (1, 1))],
)  # fmt: skip
def test_only_what_is_too_large_is_fitted(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    assert fitted(np.zeros((*size, 3), np.uint8)).shape[:2] == wanted


@pytest.mark.parametrize("content", [b"", b"no video at all"])
def test_a_file_that_is_no_video_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "gate.mp4"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"gate\.mp4: not a video that can be read"):
        list(pictures(path, fps=1))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gate\.mp4: not a video that can be read"):
        list(pictures(tmp_path / "gate.mp4", fps=1))


def test_a_still_is_read_blue_first_at_full_size(tmp_path: Path) -> None:
    path = tmp_path / "1.png"
    cv2.imwrite(str(path), scene(people=[(0, 0, 5, 5)], size=(700, 900)))

    pixels_HW3 = still(path)

    assert pixels_HW3.shape == (700, 900, 3)
    assert tuple(pixels_HW3[2, 2]) == RED


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_a_file_that_is_no_picture_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "1.jpg"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"1\.jpg: not a picture that can be read"):
        still(path)


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"1\.jpg: not a picture that can be read"):
        still(tmp_path / "1.jpg")
