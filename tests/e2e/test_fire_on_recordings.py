"""Flames on real recordings, from pixels to alerts, held to the boxes beside them."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.commands.analyze import make_analyser
from contracts.rules import SceneRules
from contracts.settings import Settings

pytestmark = [pytest.mark.data, pytest.mark.slow]

FPS = 29.97
SIZE = (426, 240)
SLACK_PX = 8


def alerts(video: Path) -> list[dict[str, Any]]:
    with make_analyser(Settings(), None) as analyser:
        analysis = analyser.analyse(
            video, SceneRules(), analysis_fps=5.0, progress=lambda _done, _total: None
        )
    return [record for record in analysis.records if record["kind"] == "fire"]


def test_a_fire_is_reported_where_it_burns(shared: Path) -> None:
    [alert] = alerts(shared / "data/fire/furg_house6_dev.mp4")
    truth = json.loads((shared / "data/fire/furg_house6_dev_boxes.json").read_text())["frames"]

    assert alert["start_s"] == pytest.approx(0.0, abs=1.0)
    assert alert["fired_s"] <= 5.0
    assert alert["reasoning"]["verdict"] == "confirmed"
    x1, y1, x2, y2 = alert["objects"][0]["box"]
    middle = ((x1 + x2) / 2 * SIZE[0], (y1 + y2) / 2 * SIZE[1])
    assert any(
        x - SLACK_PX <= middle[0] <= x + wide + SLACK_PX
        and y - SLACK_PX <= middle[1] <= y + high + SLACK_PX
        for boxes in truth.values()
        for x, y, wide, high in boxes
    )


def test_a_fire_below_a_camera_that_moves_is_reported_once(shared: Path) -> None:
    [alert] = alerts(shared / "data/fire/wildfire_aerial.mp4")

    assert 1.0 <= alert["start_s"] <= 6.0


@pytest.mark.parametrize(
    "video", ["intel/one_by_one_dev.mp4", "fight/streams/stream_jQeO.mp4", "tamper/freeze_dev.mp4"]
)
def test_where_nothing_burns_nothing_is_said(shared: Path, video: str) -> None:
    assert alerts(shared / "data" / video) == []
