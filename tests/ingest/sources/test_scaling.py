"""Pictures come at analysis size, in the order of colours that all stages expect."""

import av
import numpy as np
import pytest

from ingest.sources.scaling import PictureScaler, analysis_size


@pytest.mark.parametrize(
    ("source", "width", "expected"),
    [
        pytest.param((1920, 1080), 640, (640, 360), id="scaled down"),
        pytest.param((320, 240), 640, (320, 240), id="never up"),
        pytest.param((1280, 721), 640, (640, 360), id="an odd height becomes even"),
        pytest.param((320, 241), 640, (320, 240), id="even where nothing is scaled"),
        pytest.param((4000, 2), 640, (640, 2), id="never flat"),
    ],
)
def test_analysis_size(source: tuple[int, int], width: int, expected: tuple[int, int]) -> None:
    assert analysis_size(*source, width=width) == expected


def test_pixels_are_blue_green_red() -> None:
    red_HW3 = np.zeros((64, 64, 3), np.uint8)
    red_HW3[:, :, 2] = 255
    picture = av.VideoFrame.from_ndarray(red_HW3, format="bgr24").reformat(format="yuv420p")

    pixels_HW3 = PictureScaler(32).to_bgr(picture)

    assert pixels_HW3.shape == (32, 32, 3)
    assert pixels_HW3.mean(axis=(0, 1)).tolist() == pytest.approx([0, 0, 254], abs=8)
