import numpy as np
import pytest

from vision.detect.feet import with_feet

SIZE = (180, 320)
COAT = (100.0, 50.0, 112.0, 74.0)


def picture(*parts: tuple[int, int, int, int], score: float = 1.6) -> np.ndarray:
    """How far pixels are from the empty scene: noise, and more in these parts."""
    faint = np.random.default_rng(3).uniform(0, 0.6, SIZE).astype(np.float32)
    for x1, y1, x2, y2 in parts:
        faint[y1:y2, x1:x2] = score
    return faint


def foot(faint: np.ndarray, *others: tuple[float, float, float, float]) -> float:
    whole, is_own = with_feet(np.array([COAT, *others], np.float32), faint)
    assert is_own.all()
    assert whole[0, :3] == pytest.approx(COAT[:3])
    return float(whole[0, 3])


@pytest.mark.parametrize(
    ("parts", "ends"),
    [
        pytest.param([], 74, id="nothing below it"),
        pytest.param([(102, 74, 110, 94)], 94, id="legs"),
        pytest.param([(97, 76, 101, 92), (111, 76, 115, 92)], 92, id="in mid stride"),
        pytest.param([(102, 74, 110, 80), (102, 85, 110, 95)], 95, id="legs and shoes"),
        pytest.param([(102, 88, 110, 95)], 74, id="something further below"),
        pytest.param([(102, 74, 110, 76)], 74, id="the edge of its shadow"),
        pytest.param([(102, 74, 110, 140)], 103, id="no legs are longer than the rest"),
        pytest.param([(140, 74, 150, 95)], 74, id="something beside it"),
        pytest.param([(60, 74, 160, 95)], 74, id="light on the ground"),
    ],
)
def test_a_body_ends_where_its_legs_do(parts: list[tuple[int, int, int, int]], ends: int) -> None:
    assert foot(picture(*parts)) == pytest.approx(ends, abs=1)


def test_the_body_before_it_is_no_leg_of_it() -> None:
    nearer = (98.0, 75.0, 114.0, 120.0)

    assert foot(picture((98, 75, 114, 120)), nearer) == 74


@pytest.mark.parametrize(
    "box",
    [
        pytest.param((100, 150, 112, 180), id="at the lower edge"),
        pytest.param((0, 50, 8, 70), id="at the left edge"),
        pytest.param((310, 50, 320, 70), id="at the right edge"),
        pytest.param((0, 0, 320, 180), id="the whole picture"),
    ],
)
def test_a_body_at_the_edge_stays_in_the_picture(box: tuple[int, int, int, int]) -> None:
    boxes = np.array([box], np.float32)

    whole, _ = with_feet(boxes, picture())

    assert whole == pytest.approx(boxes)


def test_a_car_has_no_legs() -> None:
    boxes = np.array([(100, 50, 150, 70)], np.float32)

    whole, _ = with_feet(boxes, picture((105, 70, 145, 90)))

    assert whole == pytest.approx(boxes)


def test_nobody_has_no_feet() -> None:
    whole, is_own = with_feet(np.zeros((0, 4), np.float32), picture())

    assert (whole.shape, is_own.shape) == ((0, 4), (0,))


def test_shoes_below_faint_legs_are_no_body_of_their_own() -> None:
    shoes = (101.0, 92.0, 111.0, 96.0)
    faint = picture((102, 74, 110, 92), (101, 92, 111, 96))

    whole, is_own = with_feet(np.array([COAT, shoes], np.float32), faint)

    assert whole[0, 3] == pytest.approx(96, abs=1)
    assert is_own.tolist() == [True, False]


def test_a_dog_behind_whom_somebody_walks_stays_a_body() -> None:
    dog = (101.0, 92.0, 113.0, 96.0)

    _, is_own = with_feet(np.array([COAT, dog], np.float32), picture())

    assert is_own.all()
