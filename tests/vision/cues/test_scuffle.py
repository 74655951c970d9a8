"""The cue: regions from first to last frame, and the score behind them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contracts.errors import ModelError
from contracts.frames import BgrImage, Frame
from contracts.tracks import Track, TrackState
from tests.fakes.scuffles import court, struggling, walking
from tests.fakes.tracks import followed, header_at
from tests.vision.trajectories import detections
from vision.cues.forest import Forest
from vision.cues.port import Glimpse
from vision.cues.scuffle import ScuffleCue
from vision.cues.scuffle_reading import Scuffle
from vision.cues.scuffle_score import ScuffleScore, pooled, read_score, write_score
from vision.cues.stirs import MEASURES
from vision.motion_gate import Motion

COUNT = 2 * len(MEASURES)
JERK = MEASURES.index("jerk")


def jerk_score() -> ScuffleScore:
    """Only the jerk counts: it is small for a walker, and half its length for who struggles."""
    weights_V = np.zeros(COUNT, np.float32)
    weights_V[JERK] = 20.0
    return ScuffleScore(
        middle_V=np.full(COUNT, 0.3, np.float32),
        scale_V=np.ones(COUNT, np.float32),
        weights_V=weights_V,
        bias=0.0,
        members_MV=np.stack([weights_V, 0.5 * weights_V]),
        biases_M=np.zeros(2, np.float32),
    )


def forest(*, members: int = 2, feature: int = JERK) -> Forest:
    """One node and two leaves: 0.7 where the jerk is above the middle, else 0.1."""
    return Forest(
        feature_N=np.array([feature, 0, 0], np.int32),
        limit_N=np.zeros(3, np.float32),
        below_N=np.array([1, 1, 2], np.int32),
        above_N=np.array([2, 1, 2], np.int32),
        share_N=np.array([0.4, 0.1, 0.7], np.float32),
        roots_MT=np.zeros((members, 1), np.int32),
    )


def people(at_s: float) -> list[Track]:
    feet = [(0.45, 0.62), (0.55, 0.62)]
    return [
        followed([(at_s - 0.2, foot), (at_s, foot)], track_id=f"t{index}")
        for index, foot in enumerate(feet, 1)
    ]


def glimpse(
    at_s: float,
    picture: BgrImage,
    *,
    tracks: Sequence[Track],
    is_open: bool = True,
) -> Glimpse:
    frame = Frame(header=header_at(at_s), pixels_HW3=picture)
    boxes = [track.last.box for track in tracks]
    return Glimpse(
        small=frame,
        picture=frame if is_open else None,
        motion=Motion(share=0.02, light_change=0.0, is_moving=is_open),
        detections=detections(*boxes) if is_open else None,
        tracks=tracks,
    )


def played(
    cue: ScuffleCue,
    picture: Callable[[int], BgrImage],
    *,
    steps: range = range(16),
    somebody: bool = True,
) -> list[tuple[Scuffle, ...]]:
    return [
        cue.look(
            glimpse(
                round(0.2 * step, 3),
                picture(step),
                tracks=people(round(0.2 * step, 3)) if somebody else [],
            )
        )
        for step in steps
    ]


def test_a_struggle_becomes_a_region_with_its_past() -> None:
    readings = played(ScuffleCue(jerk_score()), struggling)

    [first] = next(reading for reading in readings if reading)
    [last] = readings[-1]
    assert first.region.is_region
    assert first.region.first_seen_s == pytest.approx(0.2)
    assert len(first.region.points) >= 6
    assert last.region.track_id == first.region.track_id
    assert last.region.state is TrackState.CONFIRMED
    assert last.likelihood.value > 0.8
    assert last.likelihood.sigma >= 0.02
    assert last.people == ("t1", "t2")


def test_a_walker_is_no_region() -> None:
    assert not any(played(ScuffleCue(jerk_score()), walking))


def test_where_nobody_is_seen_nothing_is_said() -> None:
    assert not any(played(ScuffleCue(jerk_score()), struggling, somebody=False))


def test_nothing_is_said_in_the_first_second() -> None:
    readings = played(ScuffleCue(jerk_score()), struggling)

    assert not any(readings[:6])


def test_a_region_that_calms_down_ends_once() -> None:
    cue = ScuffleCue(jerk_score())
    played(cue, struggling)

    after = played(cue, lambda _: court(), steps=range(16, 40))

    states = [reading[0].region.state for reading in after if reading]
    assert states[-1] is TrackState.ENDED
    assert states.count(TrackState.ENDED) == 1
    assert not after[-1]


def test_a_frame_without_a_step_shows_the_region_unseen() -> None:
    cue = ScuffleCue(jerk_score())
    played(cue, struggling)

    [lost] = cue.look(glimpse(3.2, struggling(16), tracks=people(3.2), is_open=False))

    assert lost.region.state is TrackState.LOST
    assert not lost.region.last.is_observed
    assert lost.region.last.seq == 3200


def test_two_cameras_are_followed_apart() -> None:
    first, second = ScuffleCue(jerk_score()), ScuffleCue(jerk_score())

    [seen] = played(first, struggling)[-1]
    [alike] = played(second, struggling)[-1]

    assert alike.region.track_id == seen.region.track_id


def test_who_takes_over_a_run_does_not_use_a_name_again() -> None:
    [before] = played(ScuffleCue(jerk_score()), struggling)[-1]
    [after] = played(ScuffleCue(jerk_score()), struggling, steps=range(100, 116))[-1]

    assert before.region.track_id != after.region.track_id


def test_the_score_disagrees_with_itself_where_its_members_do() -> None:
    steps_TF = np.zeros((10, len(MEASURES)), np.float32)
    steps_TF[:, JERK] = 0.4

    found = jerk_score()(steps_TF)

    assert found.value == pytest.approx(1 / (1 + np.exp(-2.0)), abs=1e-3)
    spread = abs(1 / (1 + np.exp(-1.0)) - found.value) / np.sqrt(2)
    assert found.sigma == pytest.approx(spread, abs=1e-3)


def test_what_is_far_out_counts_no_more_than_what_is_far() -> None:
    far, farther = (np.full((6, len(MEASURES)), value, np.float32) for value in (50, 5000))

    assert jerk_score()(far) == jerk_score()(farther)


def test_a_score_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "score.safetensors"
    write_score(jerk_score(), file)

    values_TF = np.random.default_rng(1).normal(0.3, 0.2, (10, len(MEASURES))).astype(np.float32)

    assert read_score(file)(values_TF) == pytest.approx(jerk_score()(values_TF), abs=1e-4)


def test_trees_count_as_much_as_the_line(tmp_path: Path) -> None:
    file = tmp_path / "score.safetensors"
    write_score(replace(jerk_score(), forest=forest()), file)
    steps_TF = np.zeros((10, len(MEASURES)), np.float32)
    steps_TF[:, JERK] = 0.4

    found = read_score(file)(steps_TF)

    line = 1 / (1 + np.exp(-2.0))
    assert found.value == pytest.approx((line + 0.7) / 2, abs=1e-3)


def test_a_damaged_score_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "score.safetensors"
    write_score(jerk_score(), file)
    file.write_bytes(file.read_bytes()[:-40])

    with pytest.raises(ModelError, match="not a fight score that can be read"):
        read_score(file)


@pytest.mark.parametrize(
    "other",
    [
        replace(jerk_score(), weights_V=np.zeros(COUNT - 2, np.float32)),
        replace(jerk_score(), biases_M=np.zeros(3, np.float32)),
        replace(jerk_score(), forest=forest(members=1)),
        replace(jerk_score(), forest=forest(feature=COUNT)),
    ],
    ids=["measures", "members", "trees", "features"],
)
def test_a_score_for_other_measures_is_refused(tmp_path: Path, other: ScuffleScore) -> None:
    file = tmp_path / "score.safetensors"
    write_score(other, file)

    with pytest.raises(ModelError, match="fit it again"):
        read_score(file)


def test_the_shipped_score_is_for_the_measures_that_are_taken() -> None:
    score = read_score()

    assert len(score.members_MV) == 5
    assert pooled(np.zeros((10, len(MEASURES)), np.float32)).shape == score.weights_V.shape
