import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from contracts.geometry import Box, iou
from vision import association
from vision.boxes import area

TALL: list[Box] = [(0.4, 0.3, 0.46, 0.6)]


def moved(x: float, y: float = 0.0, *, scale: float = 1.0) -> Box:
    middle_x, middle_y = 0.43 + x, 0.45 + y
    return (
        middle_x - 0.03 * scale,
        middle_y - 0.15 * scale,
        middle_x + 0.03 * scale,
        middle_y + 0.15 * scale,
    )


def cost(detection: Box, *, reach: float = 1.0) -> float:
    pairs = association.measure(TALL, [detection], [(reach, 0.0, math.inf)])
    return pairs.costs[0] if pairs.costs else association.FORBIDDEN


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


def with_looks(*distances: float) -> tuple[list[float], list[bool]]:
    """Costs of pairs in equal places, and which of them are near, once looks have been seen."""
    count = len(distances)
    pairs = association.Pairs([0] * count, [*range(count)], [0.1] * count, [0.3] * count, [])
    is_near = [False] * count
    association.mix_in_looks(pairs, is_near, [*range(count)], distances)
    return pairs.costs, is_near


def test_appearance_decides_between_equal_places() -> None:
    [friend, like, unlike, stranger], is_near = with_looks(0.0, 0.1, 0.25, 1.0)

    assert friend < like < 0.3 < unlike < stranger
    assert is_near == [True, True, False, False]


def test_no_look_is_stranger_than_strange() -> None:
    costs, _ = with_looks(association.OTHER_LOOK, 0.9, 2.0, association.SAME_LOOK, 0.0, -1e-7)

    assert costs == pytest.approx([0.65, 0.65, 0.65, 0.15, 0.15, 0.15])


def test_where_no_look_is_known_costs_stay() -> None:
    assert with_looks(math.nan) == ([0.3], [False])


def test_looks_are_asked_for_where_somebody_has_a_choice() -> None:
    pairs = association.Pairs(
        rows=[0, 1, 1, 2, 3, 4, 5],
        columns=[0, 1, 2, 3, 4, 4, 5],
        ious=[0.5] * 7,
        costs=[0.1] * 7,
        covers=[],
    )

    is_near, is_sure = [True] + [False] * 6, [False] + [True] * 4 + [False]

    assert association.contested(pairs, is_near=is_near, is_sure=is_sure) == [1, 2, 4, 5, 6]


def test_among_no_pairs_nobody_has_a_choice() -> None:
    nothing = association.Pairs([], [], [], [], [])

    assert association.contested(nothing, is_near=[], is_sure=[True]) == []


def test_what_lies_behind_another_is_told_though_it_cannot_be_that() -> None:
    wall: Box = (0.0, 0.0, 1.0, 1.0)
    beside: Box = (0.43, 0.3, 0.49, 0.6)
    tracks = [*TALL, wall]

    pairs = association.measure(tracks, [moved(0.0), beside], [(1.0, 0.0, 2.5)] * 2)

    assert [pair[:2] for pair in pairs.covers] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [pair[2] for pair in pairs.covers] == pytest.approx([0.018, 0.009, 0.018, 0.018])
    assert 1 not in pairs.rows


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


boxes = st.tuples(
    st.floats(0, 0.8), st.floats(0, 0.8), st.floats(0.005, 0.2), st.floats(0.005, 0.2)
)
terms = st.tuples(st.floats(1, 2), st.floats(0, 0.5), st.sampled_from([2.5, math.inf]))


@given(st.lists(st.tuples(boxes, terms), min_size=1, max_size=8), st.lists(boxes, min_size=1))
def test_few_and_many_are_measured_alike(
    known: list[tuple[Box, association.Terms]], seen: list[Box]
) -> None:
    tracks, found = (
        [(x, y, x + wide, y + high) for x, y, wide, high in shapes]
        for shapes in ([box for box, _ in known], seen)
    )
    given_terms = [one for _, one in known]

    few = association._measure_few(tracks, found, given_terms)
    many = association._measure_many(tracks, found, given_terms)

    assert (few.rows, few.columns) == (many.rows, many.columns)
    for name in ("ious", "costs"):
        assert getattr(few, name) == pytest.approx(getattr(many, name), abs=1e-9)
    told, told_by_arrays = (
        {(row, column): common for row, column, common in pairs.covers} for pairs in (few, many)
    )
    shared = told.keys() & told_by_arrays.keys()
    assert [told[pair] for pair in shared] == pytest.approx([told_by_arrays[p] for p in shared])
    for row, column in told.keys() ^ told_by_arrays.keys():  # only by a rounding
        smaller = min(area(tracks[row]), area(found[column]))
        common = (told | told_by_arrays)[row, column]
        assert common / smaller == pytest.approx(0.5, rel=1e-6)
