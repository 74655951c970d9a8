"""The matrix is whole: every row has a test, and the table shows what became of each."""

import re
from pathlib import Path

import pytest

from tests.chaos.__main__ import Table
from tests.chaos.matrix import ROWS
from tests.chaos.measured import KEY, KEY_ID, Measured


def test_every_row_has_a_test() -> None:
    marked = {
        row_id
        for path in Path(__file__).parent.glob("test_*.py")
        for row_id in re.findall(r'@pytest\.mark\.row\("(\w+)"\)', path.read_text())
    }
    assert marked == set(ROWS)
    assert [f"C{n}" for n in range(1, 25)] + [f"P{n}" for n in range(1, 11)] == list(ROWS)


def report(
    when: str, outcome: str, found: Measured, *, longrepr: object = None
) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid=f"tests/chaos/x.py::{found.row_id}",
        location=("x.py", 1, "x"),
        keywords={},
        outcome=outcome,  # type: ignore[arg-type]  # one of its literals
        longrepr=longrepr,  # type: ignore[arg-type]  # any object
        when=when,  # type: ignore[arg-type]  # one of its literals
        user_properties=[(KEY_ID, found.row_id), (KEY, found.as_property())],
    )


def test_the_table_shows_what_was_met_what_not_and_what_was_not_run() -> None:
    met, missed = Measured(row_id="C1"), Measured(row_id="C2")
    met.detected(2.0, at_most_s=5.0)
    met.detected(1.0, at_most_s=5.0)
    missed.recovered(11.0, at_most_s=10.0)
    table = Table()
    for found, outcome in ((met, "passed"), (missed, "failed")):
        text = "E   AssertionError: C2: recovered after 11.0 s" if outcome == "failed" else None
        table.pytest_runtest_logreport(report("call", outcome, found, longrepr=text))
        table.pytest_runtest_logreport(report("teardown", "passed", found))

    failed = report("setup", "failed", Measured(row_id="C4"), longrepr="E   no Vigil")
    failed.user_properties = [(KEY_ID, "C4")]
    table.pytest_runtest_logreport(failed)

    lines = table.lines(["C1", "C2", "C3", "C4"])[2:]

    assert len(lines) == 4
    assert "| 2.0 s |" in lines[0]
    assert lines[0].endswith("| met |")
    assert lines[1].endswith("| **not met**: C2: recovered after 11.0 s |")
    assert lines[2].endswith("| not run |")
    assert lines[3].endswith("| **not run**, could not be set up: no Vigil |")


def test_a_measurement_that_misses_its_bar_fails_the_row() -> None:
    found = Measured(row_id="C1")
    found.note("fine")
    found.hold()
    found.lost("3 alerts", is_allowed=False)
    with pytest.raises(AssertionError, match="C1: 3 alerts"):
        found.hold()
