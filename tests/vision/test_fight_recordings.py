"""The shipped fight score on real recordings: high while people fight, low before."""

import json
from pathlib import Path

import pytest

from vision.cues.scuffle_score import read_score
from vision.rules.fight import THRESHOLD
from vision.training.fights import read_clips

LOOKS_BACK_S = 2.0


@pytest.mark.data
def test_in_streams_the_fight_scores_higher_than_what_came_before(
    shared: Path, tmp_path: Path
) -> None:
    data = shared / "data"
    records = json.loads((data / "ground_truth_video.json").read_text())["videos"]
    streams = [one for one in records if one["video"].startswith("fight/streams/")]
    (tmp_path / "fight").symlink_to(data / "fight")
    (tmp_path / "ground_truth_video.json").write_text(json.dumps({"videos": streams}))
    score = read_score()

    told = 0
    for clip in read_clips(tmp_path):
        [(start_s, end_s)] = clip.events
        at_s = {
            moment[0].at_s: max(score.of_weighed(window.weighed_V).value for window in moment)
            for moment in clip.moments
        }
        before = [value for time_s, value in at_s.items() if time_s < start_s]
        during = [
            value for time_s, value in at_s.items() if start_s + LOOKS_BACK_S / 2 <= time_s <= end_s
        ]
        told += max(during) > THRESHOLD and max(during) > max(before, default=0.0)

    assert len(streams) == 7
    assert told >= 6
