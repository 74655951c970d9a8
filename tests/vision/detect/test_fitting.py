import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.detect.fitting import GREY, LARGEST_AREA, STEP, Fit, fit_of, stack


@pytest.mark.parametrize(
    ("size", "fit"),
    [
        pytest.param((360, 640), ((224, 384), (216, 384)), id="16:9"),
        pytest.param((480, 640), ((256, 320), (240, 320)), id="4:3"),
        pytest.param((640, 360), ((384, 224), (384, 216)), id="upright"),
        pytest.param((4320, 7680), ((224, 384), (216, 384)), id="8K costs as much as any"),
        pytest.param((1, 1), ((288, 288), (288, 288)), id="a single pixel"),
        pytest.param((3, 30_000), ((32, 2688), (1, 2688)), id="a line"),
    ],
)
def test_a_picture_fills_its_input(
    size: tuple[int, int], fit: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    assert fit_of(*size) == Fit(input_size=fit[0], fitted=fit[1])


@given(st.integers(1, 9000), st.integers(1, 9000))
def test_inputs_are_of_the_network_s_kind_and_hold_the_whole_picture(
    height: int, width: int
) -> None:
    fit = fit_of(height, width)

    rows, columns = fit.input_size
    assert rows % STEP == 0
    assert columns % STEP == 0
    assert rows * columns <= LARGEST_AREA
    assert 1 <= fit.fitted[0] <= rows < fit.fitted[0] + STEP
    assert 1 <= fit.fitted[1] <= columns < fit.fitted[1] + STEP


def test_a_picture_lies_at_the_top_left_and_grey_fills_the_rest() -> None:
    white = np.full((360, 640, 3), 255, np.uint8)

    [batch_HW3] = stack([white], fit_of(360, 640))

    assert batch_HW3.shape == (224, 384, 3)
    assert (batch_HW3[:216] == 255).all()
    assert (batch_HW3[216:] == GREY).all()


def test_a_large_picture_is_averaged_and_no_pixel_left_out() -> None:
    """Bilinear sampling of 8K would see every twentieth pixel: a thin line would come and go."""
    lined = np.zeros((4320, 7680, 3), np.uint8)
    lined[:, ::20] = 255

    [batch_HW3] = stack([lined], fit_of(4320, 7680))

    assert abs(int(batch_HW3[:216].min()) - int(batch_HW3[:216].max())) <= 2
    assert batch_HW3[:216].mean() == pytest.approx(255 / 20, abs=1)
