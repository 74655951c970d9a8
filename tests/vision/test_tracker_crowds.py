"""Many objects, time that does not pass, looks that are none."""

from dataclasses import replace

import numpy as np
import pytest

from contracts.geometry import Box, iou
from contracts.tracks import TrackState
from tests.fakes.builders import header
from tests.vision.trajectories import Watch, detections, walker
from vision.tracker import Tracker

PLACE: Box = (0.4, 0.3, 0.5, 0.7)


def test_a_lost_track_does_not_get_the_detection_of_another() -> None:
    """Once, a lost track that stood first in the list took what lay at its neighbour's place."""
    watch = Watch()
    first, second, third = (walker((x, 0.5), (x, 0.5), 30, seed=1) for x in (0.1, 0.4, 0.7))

    watch.frames([[*boxes] for boxes in zip(first[:10], second, third, strict=False)])
    tracks = watch.frames([[*boxes] for boxes in zip(second[10:], third[10:], strict=True)][:5])

    lost, *others = tracks
    assert lost.track_id == "t1"
    assert not lost.last.is_observed
    assert all(track.last.is_observed for track in others)


def test_in_a_crowd_nobody_is_moved_on_to_make_room_for_one_more() -> None:
    watch = Watch()
    row = [(0.1 + 0.07 * index, 0.4, 0.16 + 0.07 * index, 0.6) for index in range(8)]
    for _ in range(6):
        watch.frames([row])
    before = {track.track_id: track.last.box for track in watch.seen[-1]}

    # The first has gone and somebody new stands behind the last.
    newcomer: Box = (0.1 + 0.07 * 8, 0.4, 0.16 + 0.07 * 8, 0.6)
    tracks = watch.frames([[*row[1:], newcomer]])

    stays = [track for track in tracks if track.track_id in before and track.last.is_observed]
    assert [track.track_id for track in stays] == [f"t{number}" for number in range(2, 9)]
    assert all(iou(track.last.box, before[track.track_id]) > 0.9 for track in stays)


def test_five_hundred_objects_are_followed_all_at_once() -> None:
    watch = Watch()
    boxes: list[Box] = [
        (0.04 * column, 0.05 * row, 0.04 * column + 0.03, 0.05 * row + 0.04)
        for column in range(25)
        for row in range(20)
    ]

    tracks = watch.frames([boxes] * 4)

    assert len(tracks) == 500
    assert all(track.state is TrackState.CONFIRMED for track in tracks)


def test_time_that_stands_still_changes_nothing_but_the_hits() -> None:
    tracker = Tracker()
    for seq in range(6):
        tracker.update(detections(PLACE), header(seq))

    tracks = [tracker.update(detections(PLACE), header(6, at_s=1.0)) for _ in range(3)]

    [track] = tracks[-1]
    assert track.state is TrackState.CONFIRMED
    assert track.last.box == pytest.approx(PLACE, abs=1e-4)  # boxes are told on a grid


def test_embeddings_that_are_no_numbers_are_left_out() -> None:
    watch = Watch()
    found = detections(PLACE)
    watch.frames([[PLACE]] * 3)

    [track] = watch.frame(replace(found, embeddings_ND=np.full((1, 8), np.nan, np.float32)))

    assert track.last.is_observed


def test_who_has_no_look_is_followed_by_position() -> None:
    watch = Watch()
    looks = np.zeros((2, 8), np.float32)
    first, second = (0.1, 0.3, 0.2, 0.7), (0.22, 0.3, 0.32, 0.7)
    for _ in range(5):
        watch.frame(replace(detections(first, second), embeddings_ND=looks))

    on, beyond = (0.16, 0.3, 0.26, 0.7), (0.28, 0.3, 0.38, 0.7)
    tracks = watch.frame(replace(detections(beyond, on), embeddings_ND=looks))

    ends = {track.track_id: track.last.box[0] for track in tracks}
    assert ends == {"t1": pytest.approx(0.16, abs=1e-4), "t2": pytest.approx(0.28, abs=1e-4)}
