import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from contracts.geometry import iou
from vision import association
from vision.outlines import Outlines

TALL = np.array([[0.4, 0.3, 0.46, 0.6]])


def moved(x: float, y: float = 0.0, *, scale: float = 1.0) -> np.ndarray:
    centre = (TALL[:, :2] + TALL[:, 2:]) / 2 + [x, y]
    half = (TALL[:, 2:] - TALL[:, :2]) / 2 * scale
    return np.hstack([centre - half, centre + half])


def cost(detection: np.ndarray, *, reach: float = 1.0) -> float:
    pairs = association.Pairs(Outlines.of(TALL), Outlines.of(detection), reach_N=np.array([reach]))
    return float(pairs.costs_K[0]) if len(pairs.costs_K) else association.FORBIDDEN


def test_the_same_place_costs_nothing() -> None:
    assert cost(moved(0.0)) == pytest.approx(0.0, abs=1e-9)


def test_farther_costs_more() -> None:
    assert cost(moved(0.01)) < cost(moved(0.03)) < cost(moved(0.05)) < 1


def test_a_small_fast_object_is_found_without_overlap() -> None:
    assert cost(moved(0.07), reach=1.5) < association.FORBIDDEN


def test_out_of_reach_is_forbidden_and_patience_widens_it() -> None:
    assert cost(moved(0.1)) == association.FORBIDDEN
    assert cost(moved(0.1), reach=2.0) < association.FORBIDDEN


def test_another_size_needs_overlap() -> None:
    assert cost(moved(0.04, scale=0.3)) == association.FORBIDDEN
    assert cost(moved(0.0, scale=0.5)) < association.FORBIDDEN


def test_assigns_the_cheapest_sum_and_leaves_out_what_cannot_be() -> None:
    edges = [(0, 0, 0.1), (0, 1, 0.2), (1, 0, 0.15)]

    assert sorted(association.assign(edges)) == [(0, 1), (1, 0)]


def test_plain_pairs_have_no_other_choice() -> None:
    edges = [(0, 0, 0.1), (0, 1, 0.2), (1, 2, 0.9), (2, 3, 0.1), (3, 3, 0.2)]

    assert association.plain(edges) == [(1, 2)]
    assert sorted(association.assign(edges)) == [(0, 0), (1, 2), (2, 3)]


def test_nothing_goes_with_nothing() -> None:
    assert association.assign([]) == []


edges_of_few = st.dictionaries(
    st.tuples(st.integers(0, 5), st.integers(0, 5)), st.floats(0, 1.5), max_size=20
)


@given(edges_of_few)
def test_the_assignment_is_that_of_the_whole_matrix(found: dict[tuple[int, int], float]) -> None:
    costs = np.full((6, 6), association.FORBIDDEN)
    for (row, column), cost in found.items():
        costs[row, column] = cost
    rows, columns = linear_sum_assignment(costs)
    best = costs[rows, columns]

    pairs = association.assign([(row, column, cost) for (row, column), cost in found.items()])

    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert len(pairs) == np.count_nonzero(best < association.FORBIDDEN)
    assert sum(found[pair] for pair in pairs) == pytest.approx(
        best[best < association.FORBIDDEN].sum()
    )


def test_appearance_decides_between_equal_places() -> None:
    costs = np.array([[0.3, 0.3]])
    distances = np.array([[1.0, 0.0]], np.float32)

    mixed = association.add_appearance(costs, distances)

    assert mixed[0, 1] < 0.3 < mixed[0, 0] + 0.15


def test_where_no_look_is_known_costs_stay() -> None:
    costs = np.array([[0.3, association.FORBIDDEN]])
    distances = np.full((1, 2), np.nan, np.float32)

    mixed = association.add_appearance(costs, distances)

    assert mixed.tolist() == costs.tolist()


def test_coverage_is_the_inner_boxes_share() -> None:
    inner = np.array([[0.1, 0.1, 0.2, 0.2], [0.15, 0.1, 0.25, 0.2]])
    outer = np.array([[0.0, 0.0, 0.2, 0.5]])

    assert association.coverage(inner, outer)[:, 0] == pytest.approx([1.0, 0.5])


side = st.floats(0.0, 0.9)


@given(side, side, side, side)
def test_agrees_with_the_contract_about_overlap(x: float, y: float, u: float, v: float) -> None:
    first, second = (x, y, x + 0.1, y + 0.1), (u, v, u + 0.1, v + 0.1)

    assert association.ious(np.array([first]), np.array([second]))[0, 0] == pytest.approx(
        iou(first, second), abs=1e-9
    )
