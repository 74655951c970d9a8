import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.geometry import Line, Zone, foot, iou, segment_distance

SQUARE = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))
UNIT = st.floats(0, 1)


def test_a_zone_contains_what_is_inside_it() -> None:
    zone = Zone(zone_id="z", polygon=SQUARE)
    assert zone.contains((0.5, 0.5))
    assert not zone.contains((0.1, 0.5))
    assert zone.area == pytest.approx(0.36)


def test_a_concave_zone_leaves_its_notch_out() -> None:
    notch = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.2), (0.0, 1.0))
    zone = Zone(zone_id="z", polygon=notch)
    assert zone.contains((0.5, 0.1))
    assert not zone.contains((0.5, 0.6))


@pytest.mark.parametrize(
    ("polygon", "message"),
    [
        pytest.param(SQUARE[:2], "at least 3 points, got 2", id="two points"),
        pytest.param(((0, 0), (0.5, 0.5), (1, 1)), "on one line", id="no area"),
        pytest.param(((0, 0), (2, 0), (0, 1)), "must lie in 0..1", id="outside the picture"),
        pytest.param(((0, 0), (math.nan, 0), (0, 1)), "must lie in 0..1", id="not a number"),
    ],
)
def test_a_zone_that_encloses_nothing_is_refused(
    polygon: tuple[tuple[float, float], ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Zone(zone_id="z", polygon=polygon)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        pytest.param(((0.1, 0.1),), "at least 2 points", id="one point"),
        pytest.param(((0.1, 0.1), (0.1, 0.1)), "are the same", id="length zero"),
    ],
)
def test_a_line_without_length_is_refused(
    points: tuple[tuple[float, float], ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Line(line_id="l", points=points)


@given(UNIT, UNIT)
def test_distance_to_the_edge_and_containment_agree(x: float, y: float) -> None:
    zone = Zone(zone_id="z", polygon=SQUARE)
    distance = zone.distance_to_edge((x, y))
    assert distance >= 0
    if 0.2 < x < 0.8 and 0.2 < y < 0.8:
        assert zone.contains((x, y))
        assert distance == pytest.approx(min(x - 0.2, 0.8 - x, y - 0.2, 0.8 - y))


@given(st.tuples(UNIT, UNIT, UNIT, UNIT), st.tuples(UNIT, UNIT, UNIT, UNIT))
def test_iou_is_a_symmetric_share(
    a: tuple[float, float, float, float], b: tuple[float, float, float, float]
) -> None:
    first = (min(a[0], a[2]), min(a[1], a[3]), max(a[0], a[2]), max(a[1], a[3]))
    second = (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
    assert 0 <= iou(first, second) <= 1 + 1e-9
    assert iou(first, second) == pytest.approx(iou(second, first))


def test_iou_of_a_box_with_itself_is_one_and_with_a_far_one_zero() -> None:
    assert iou((0, 0, 0.5, 0.5), (0, 0, 0.5, 0.5)) == pytest.approx(1)
    assert iou((0, 0, 0.1, 0.1), (0.5, 0.5, 0.6, 0.6)) == 0


def test_the_foot_is_the_bottom_centre() -> None:
    assert foot((0.2, 0.1, 0.4, 0.9)) == pytest.approx((0.3, 0.9))


def test_distance_to_a_segment_ends_at_its_ends() -> None:
    assert segment_distance((0.0, 0.0), (0.3, 0.4), (0.6, 0.4)) == pytest.approx(0.5)
    assert segment_distance((0.5, 0.0), (0.0, 0.4), (1.0, 0.4)) == pytest.approx(0.4)
