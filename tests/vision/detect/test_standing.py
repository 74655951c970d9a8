from pathlib import Path

import pytest

from contracts.errors import ModelError
from tests.vision.detect.standings import row, write_measured
from vision.detect.standing import read_standings


def test_figures_are_read_with_the_mean_that_ranks_them(tmp_path: Path) -> None:
    write_measured(tmp_path, encoder=row(0.6, lying=0.9, vehicles=0.3, ms=13.5, sha256="ab"))

    standings = read_standings(tmp_path)

    assert standings is not None
    own = standings.of_shipped
    assert (own.upright, own.lying, own.vehicles) == (0.6, 0.9, 0.3)
    assert (own.ms, own.sha256) == (13.5, "ab")
    assert own.mean == pytest.approx(0.6)


def test_nothing_was_measured_where_there_is_no_file(tmp_path: Path) -> None:
    assert read_standings(tmp_path) is None


def test_only_who_is_clearly_better_is_better_and_the_best_comes_first(tmp_path: Path) -> None:
    measured = {"encoder": row(0.50), "a": row(0.51), "b": row(0.53), "c": row(0.9), "d": row(0.1)}
    write_measured(tmp_path, **measured)

    standings = read_standings(tmp_path)

    assert standings is not None
    assert standings.better() == ("c", "b")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param('{"measured": {', "JSONDecodeError", id="cut off"),
        pytest.param("[]", "TypeError", id="no object"),
        pytest.param('{"measured": [], "shipped": "encoder"}', "AttributeError", id="a list"),
        pytest.param('{"measured": {}, "shipped": "encoder"}', "is none of", id="without ours"),
        pytest.param('{"measured": {"encoder": {}}, "shipped": "encoder"}', "upright", id="empty"),
    ],
)
def test_a_damaged_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "measured.json").write_text(text)

    with pytest.raises(ModelError, match=rf"measured\.json: does not say .*{found}"):
        read_standings(tmp_path)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"lying": 1.2}, r"encoder: lying must be a recall in 0\.\.1, got 1\.2"),
        ({"upright": float("nan")}, "upright must be a recall"),
        ({"vehicles": -0.1}, "vehicles must be a recall"),
        ({"ms": 0.0}, "ms must be a positive number"),
        ({"ms": float("inf")}, "ms must be a positive number"),
    ],
)
def test_impossible_figures_are_refused(
    tmp_path: Path, change: dict[str, float], found: str
) -> None:
    write_measured(tmp_path, encoder={**row(0.5), **change})

    with pytest.raises(ModelError, match=found):
        read_standings(tmp_path)
