import numpy as np
import pytest

from ingest.sources.scenes.shapes import (
    Figure,
    Shape,
    Sketch,
    cast_shadow,
    figure_window,
    paint,
)

WHITE = (255, 255, 255)


def square(left: float, top: float, size: float = 10.0) -> Shape:
    corners = [(0.0, 0.0), (size, 0.0), (size, size), (0.0, size)]
    return Shape(points_N2=np.array(corners) + np.array((left, top)), colour=WHITE)


def figure(*shapes: Shape) -> Figure:
    return Figure(shapes=shapes, shadows=(), depth_m=1.0)


def black(width: int = 40, height: int = 30) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.zeros((height, width, 3), np.uint8)


def test_a_shape_is_painted_where_its_corners_say() -> None:
    pixels = black()
    paint(pixels, [square(5.0, 8.0)])
    rows, columns = np.nonzero(pixels[:, :, 0] > 127)
    assert (columns.min(), columns.max()) == (5, 14)
    assert (rows.min(), rows.max()) == (8, 17)


def test_half_covered_pixels_are_half_painted() -> None:
    pixels = black()
    paint(pixels, [square(5.5, 8.0)])
    assert int(pixels[12, 5, 0]) == pytest.approx(127, abs=45)
    assert pixels[12, 10, 0] == 255


def test_a_later_shape_covers_an_earlier_one() -> None:
    pixels = black()
    over = Shape(points_N2=square(5.0, 8.0).points_N2, colour=(10, 20, 30))
    paint(pixels, [square(5.0, 8.0), over])
    assert pixels[12, 10].tolist() == [10, 20, 30]


@pytest.mark.parametrize("left", [-50.0, 200.0])
def test_what_lies_outside_changes_nothing(left: float) -> None:
    pixels = black()
    paint(pixels, [square(left, 8.0)])
    assert not pixels.any()


def test_a_box_is_cut_at_the_picture() -> None:
    assert figure(square(-5.0, 8.0)).box(40, 30) == pytest.approx((0.0, 8 / 30, 5 / 40, 18 / 30))


def test_what_lies_outside_has_no_box() -> None:
    assert figure(square(-20.0, 8.0)).box(40, 30) is None


def test_a_shadow_darkens_and_is_no_part_of_the_box() -> None:
    pixels = np.full((30, 40, 3), 200, np.uint8)
    outline = square(20.0, 10.0).points_N2
    cast_shadow(pixels, [outline], strength=0.5, blur_px=1.0)
    assert int(pixels[15, 25, 0]) == pytest.approx(100, abs=10)
    assert pixels[2, 2, 0] == 200
    standing = Figure(shapes=(square(2.0, 2.0),), shadows=(outline,), depth_m=1.0)
    box = standing.box(40, 30)
    assert box is not None
    assert box[2] == pytest.approx(12 / 40)


def test_a_window_holds_the_figure_and_its_shadow() -> None:
    standing = Figure(
        shapes=(square(2.0, 2.0),), shadows=(square(40.0, 30.0).points_N2,), depth_m=1.0
    )
    window = figure_window(standing, 100, 100)
    assert window is not None
    rows, columns = window
    assert (rows.start, columns.start) == (0, 0)
    assert rows.stop >= 40
    assert columns.stop >= 50


def test_a_sketch_keeps_the_order_and_the_reach_of_its_parts() -> None:
    sketch = Sketch()
    sketch.polygon(square(0.0, 0.0).points_N2, (1, 1, 1))
    sketch.limb(np.array([10.0, 10.0]), np.array([20.0, 10.0]), (2.0, 3.0), (2, 2, 2))
    sketch.ellipse(np.array([30.0, 10.0]), (2.0, 4.0), (3, 3, 3))

    shapes = sketch.shapes()

    assert [shape.colour for shape in shapes] == [(1, 1, 1), (2, 2, 2), (3, 3, 3)]
    _, limb, ellipse = (shape.points_N2 for shape in shapes)
    assert (limb[:, 0].min(), limb[:, 0].max()) == pytest.approx((8.0, 23.0))
    assert (ellipse[:, 1].min(), ellipse[:, 1].max()) == pytest.approx((6.0, 14.0))
