from dataclasses import replace

import pytest

from contracts.incidents import FactName
from moe_core.fact_table import FactTable, problem_of
from tests.fakes.builders import fact


def test_the_newest_fact_about_the_same_thing_is_offered() -> None:
    early = fact(FactName.DWELL, 1.0, fact_id="a1", target="dock")
    late = replace(early, fact_id="a2", value=3.0, end_s=9.0)

    assert FactTable((late, early)).newest(FactName.DWELL, "t1", "dock") == late


def test_a_fact_of_a_moment_is_found_by_its_time() -> None:
    early = fact(FactName.DWELL, 1.0, fact_id="a1", target="dock")
    late = replace(early, fact_id="a2", value=3.0, end_s=9.0)

    assert FactTable((late, early)).at(FactName.DWELL, "t1", "dock", end_s=4.2) == early


def test_facts_about_other_things_are_kept_apart() -> None:
    table = FactTable((fact(FactName.DWELL, 1.0, fact_id="a1", target="dock"),))

    assert table.newest(FactName.DWELL, "t1", "yard") is None
    assert table.newest(FactName.DWELL, "t2", "dock") is None


@pytest.mark.parametrize("change", ["value", "sigma", "end_s"])
def test_a_fact_that_is_no_number_can_be_looked_up_but_is_not_offered(change: str) -> None:
    broken = replace(fact(FactName.PRESENT, 4.0, fact_id="a1"), **{change: float("nan")})  # type: ignore[arg-type]  # a number field
    table = FactTable((broken,))

    assert table.newest(FactName.PRESENT, "t1") is None
    found = table.get("a1")
    assert found is not None
    assert problem_of(found) is not None


def test_a_negative_uncertainty_is_a_problem() -> None:
    assert "uncertainty" in str(problem_of(fact(FactName.PRESENT, 4.0, fact_id="a1", sigma=-1.0)))


def test_an_id_that_stands_for_two_facts_stands_for_none() -> None:
    first = fact(FactName.PRESENT, 4.0, fact_id="a1")
    table = FactTable((first, replace(first, value=9.0)))

    assert table.get("a1") is None
    assert "a1" not in table.names
    assert table.newest(FactName.PRESENT, "t1") is None


def test_the_same_fact_twice_is_one_fact() -> None:
    first = fact(FactName.PRESENT, 4.0, fact_id="a1")

    assert FactTable((first, first)).get("a1") == first
