"""Judging the fight score out of fold: what held, whose clips are judged, and by what."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from scripts.fight_folds import held, nested, right_share, series
from tests.vision.training.test_fights import clip, clips
from vision.training import fights
from vision.training.fights import FightClip


@pytest.mark.parametrize(
    ("likelihoods", "steps", "most"),
    [
        pytest.param([0.1, 0.9, 0.8, 0.2], 2, 0.8, id="the least of two in a row"),
        pytest.param([0.1, 0.9, 0.2], 2, 0.2, id="one alone does not hold"),
        pytest.param([0.9], 2, 0.0, id="too short to hold"),
        pytest.param([], 1, 0.0, id="nothing stirs"),
    ],
)
def test_what_held(likelihoods: list[float], steps: int, most: float) -> None:
    assert held(likelihoods, steps=steps) == most


def test_no_clip_is_judged_by_a_score_that_saw_its_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fitted: list[set[str]] = []
    fit_all = fights.fit_all

    def remembering(given: Sequence[FightClip]) -> object:
        fitted.append({one.group for one in given})
        return fit_all(given)

    monkeypatch.setattr(fights, "fit_all", remembering)
    known = [*clips(30), replace(clip(99, is_fight=False, group="source99"), moments=())]
    found = series(known, seed=0)

    everybody = {one.group for one in known}
    assert found.keys() == {one.video for one in known}
    assert found["fight/clips/99.mp4"] == ([], False)
    assert all(found[one.video][0] for one in known[:-1])
    assert sorted(name for groups in fitted for name in everybody - groups) == sorted(
        [*(everybody - {"source99"})]
    )


def test_what_separates_the_clips_tells_them_right() -> None:
    known = clips(30)

    assert right_share(series(known, seed=0)) > 0.8
    assert nested(known, seed=0) > 0.8
