"""Smoke laid over real recordings is told, and nothing is told of them as they are."""

from pathlib import Path

import pytest

from tests.bench.smoke import recorded, small, watched
from tests.fakes.smoke_scenes import Plume

pytestmark = [pytest.mark.data, pytest.mark.slow]

CLIPS = ["intel/one_by_one_dev.mp4", "fight/streams/stream_Bparg.mp4"]


@pytest.mark.parametrize("video", CLIPS)
def test_smoke_over_a_recording_is_told(shared: Path, video: str) -> None:
    plume = Plume(starts_s=8.0)

    run = watched(small(recorded(shared / "data" / video), plume))

    assert run.events
    assert 8.0 <= run.events[0].since_s <= 18.0


@pytest.mark.parametrize(
    "video",
    [*CLIPS, "intel/car_detection.mp4", "tamper/moved_dev.mp4", "fire/wildfire_aerial.mp4",
     "background/highway_trees.mp4", "lowlight/night_look_dev.mp4"],
)  # fmt: skip
def test_a_recording_without_smoke_or_without_a_still_camera_is_quiet(
    shared: Path, video: str
) -> None:
    assert watched(small(recorded(shared / "data" / video))).events == []
