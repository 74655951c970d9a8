"""Things that were left and taken on real recordings, from pixels to alerts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.analysis import Analyser
from api.commands.analyze import make_analyser
from contracts.rules import SceneRules
from contracts.settings import Settings

pytestmark = [pytest.mark.data, pytest.mark.slow]

KINDS = ("abandoned", "removed")
QUIET = (
    "fall/subject2_fall_14.mp4",
    "fight/streams/stream_tf_X.mp4",
    "intel/car_detection.mp4",
    "lowlight/night_look_dev.mp4",
    "tamper/defocus_dev.mp4",
    "tamper/moved_dev.mp4",
)


@pytest.fixture(scope="module")
def analyser() -> Iterator[Analyser]:
    with make_analyser(Settings(), None) as made:
        yield made


def alerts(analyser: Analyser, video: Path) -> list[dict[str, Any]]:
    analysis = analyser.analyse(
        video, SceneRules(), analysis_fps=5.0, progress=lambda _done, _total: None
    )
    return [record for record in analysis.records if record["kind"] in KINDS]


def test_a_bag_beside_a_table_is_reported_once_its_owner_is_gone(
    shared: Path, analyser: Analyser
) -> None:
    [alert] = alerts(analyser, shared / "data/abandoned/composite_table.mp4")

    assert alert["kind"] == "abandoned"
    assert alert["start_s"] == pytest.approx(19.2, abs=1.0)
    assert alert["end_s"] == pytest.approx(71.4, abs=1.0)
    assert alert["reasoning"]["verdict"] == "confirmed"
    assert any("who had been with" in one["text"] for one in alert["reasoning"]["claims"])


def test_a_bag_on_a_car_park_is_reported_when_it_stays_and_when_it_goes(
    shared: Path, analyser: Analyser
) -> None:
    left, taken = alerts(analyser, shared / "data/abandoned/composite_carpark_removed.mp4")

    assert (left["kind"], taken["kind"]) == ("abandoned", "removed")
    assert left["start_s"] == pytest.approx(8.4, abs=0.5)
    assert left["end_s"] == pytest.approx(20.0, abs=0.5)
    assert taken["start_s"] == pytest.approx(20.0, abs=0.5)
    assert taken["fired_s"] <= 22.0


@pytest.mark.parametrize("video", QUIET)
def test_where_nothing_was_left_or_taken_nothing_is_said(
    shared: Path, analyser: Analyser, video: str
) -> None:
    assert alerts(analyser, shared / "data" / video) == []
