from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.detections import Detections
from contracts.geometry import Box, iou
from contracts.tracks import Track, TrackState
from tests.fakes.builders import header
from tests.fakes.clock import START
from tests.vision.trajectories import LABELS, Watch, detections, walker
from vision.tracker import LOST_S, LOST_STILL_S, Tracker

PLACE: Box = (0.4, 0.3, 0.5, 0.7)


def states(tracks: list[Track]) -> dict[str, TrackState]:
    return {track.track_id: track.state for track in tracks}


def standing(watch: Watch, frames: int = 10) -> list[Track]:
    return watch.frames([[PLACE]] * frames)


def gone(watch: Watch, seconds: float) -> list[Track]:
    return watch.frames([[]] * round(seconds * 5))


def test_a_track_is_confirmed_with_its_third_hit() -> None:
    watch = Watch()

    found = [states(watch.frame(detections(PLACE)))["t1"] for _ in range(3)]

    assert found == [TrackState.TENTATIVE, TrackState.TENTATIVE, TrackState.CONFIRMED]


def test_a_flicker_is_never_confirmed() -> None:
    watch = Watch()

    standing(watch, 2)
    tracks = gone(watch, 0.6)

    assert states(tracks) == {"t1": TrackState.ENDED}
    assert watch.confirmed_ids() == set()


def test_three_hits_within_a_tenth_of_a_second_are_a_flicker_too() -> None:
    watch = Watch(fps=30)

    assert states(standing(watch, 3)) == {"t1": TrackState.TENTATIVE}
    assert states(standing(watch, 8)) == {"t1": TrackState.CONFIRMED}


def test_two_missed_frames_leave_it_confirmed() -> None:
    watch = Watch()
    standing(watch)

    tracks = gone(watch, 0.4)

    assert states(tracks) == {"t1": TrackState.CONFIRMED}
    assert not tracks[0].last.is_observed
    assert tracks[0].last.confidence == 0.0


def test_is_lost_then_ended_and_said_to_be_ended_once() -> None:
    watch = Watch()
    watch.frames([[box] for box in walker((0.1, 0.5), (0.5, 0.5), 12)])

    lost = gone(watch, 0.8)
    ended = gone(watch, LOST_S - 0.6)
    after = watch.frame(detections())

    assert states(lost) == {"t1": TrackState.LOST}
    assert states(ended) == {"t1": TrackState.ENDED}
    assert after == []


def test_what_stood_still_is_waited_for_longer_and_keeps_its_id() -> None:
    watch = Watch()
    standing(watch)

    gone(watch, LOST_STILL_S - 1)
    tracks = standing(watch, 1)

    assert states(tracks) == {"t1": TrackState.CONFIRMED}


def test_somebody_who_walks_past_the_place_does_not_take_over_its_id() -> None:
    watch = Watch()
    standing(watch)
    gone(watch, LOST_S + 0.5)

    tracks = watch.frames([[box] for box in walker((0.05, 0.5), (0.46, 0.5), 12)])

    confirmed = [track for track in tracks if track.state is TrackState.CONFIRMED]
    assert [track.track_id for track in confirmed] == ["t2"]


def test_a_camera_that_froze_for_a_minute_starts_new_tracks() -> None:
    watch = Watch()
    standing(watch)

    tracks = watch.frame(detections(PLACE), skip_s=60)

    assert states(tracks) == {"t1": TrackState.ENDED, "t2": TrackState.TENTATIVE}


def test_patience_is_time_and_not_frames() -> None:
    slow, fast = Watch(fps=2), Watch(fps=25)
    for watch, fps in ((slow, 2), (fast, 25)):
        watch.frames([[box] for box in walker((0.1, 0.5), (0.4, 0.5), 3 * fps)])

    for watch, fps in ((slow, 2), (fast, 25)):
        tracks = watch.frames([[]] * round(1.5 * fps))
        assert states(tracks) == {"t1": TrackState.LOST}


def test_a_walk_with_every_third_detection_missing_is_one_track() -> None:
    watch = Watch()
    path = walker((0.05, 0.5), (0.95, 0.5), 60)

    tracks = watch.frames([[] if index % 3 == 2 else [box] for index, box in enumerate(path)])

    assert watch.confirmed_ids() == {"t1"}
    assert tracks[0].hits == 40
    assert tracks[0].hit_ratio == pytest.approx(2 / 3, abs=0.03)


def test_people_who_cross_keep_their_ids() -> None:
    watch = Watch()
    right, left = walker((0.1, 0.45), (0.9, 0.5), 40), walker((0.9, 0.55), (0.1, 0.5), 40, seed=1)

    watch.frames(zip(right, left, strict=True))

    assert watch.confirmed_ids() == {"t1", "t2"}
    ends = {track.track_id: track.last.box for track in watch.seen[-1]}
    assert iou(ends["t1"], right[-1]) > 0.8
    assert iou(ends["t2"], left[-1]) > 0.8


def test_a_walker_behind_a_pillar_for_a_second_and_a_half_keeps_the_id() -> None:
    watch = Watch()
    path = walker((0.1, 0.5), (0.7, 0.5), 50)

    watch.frames([[] if 20 <= index < 27 else [box] for index, box in enumerate(path)])

    assert watch.confirmed_ids() == {"t1"}


def test_a_fast_small_object_is_one_track_though_its_boxes_do_not_overlap() -> None:
    watch = Watch()
    boxes: list[list[Box]] = [
        [(0.05 + 0.035 * index, 0.5, 0.08 + 0.035 * index, 0.53)] for index in range(20)
    ]

    watch.frames(boxes)

    assert watch.confirmed_ids() == {"t1"}


def test_a_weak_detection_continues_a_track_and_begins_none() -> None:
    watch = Watch(Tracker(confidence=0.5))
    standing(watch)

    tracks = watch.frame(
        detections(PLACE, (0.7, 0.3, 0.8, 0.7), confidence=[0.3, 0.3]),
    )

    assert states(tracks) == {"t1": TrackState.CONFIRMED}
    assert tracks[0].last.is_observed


def test_fragments_of_a_body_begin_no_tracks() -> None:
    watch = Watch()
    standing(watch)

    watch.frames([[(0.42, 0.3, 0.48, 0.42), (0.41, 0.45, 0.49, 0.7)]] * 4)
    tracks = standing(watch, 3)

    assert states(tracks) == {"t1": TrackState.CONFIRMED}


def test_fragments_are_measured_as_the_body_that_they_were() -> None:
    watch = Watch()
    standing(watch)

    [track] = watch.frame(detections((0.4, 0.3, 0.5, 0.48), (0.4, 0.5, 0.5, 0.7)))

    assert iou(track.last.box, PLACE) > 0.95


def test_a_bag_does_not_become_the_person_who_steps_before_it() -> None:
    watch = Watch()
    bag: Box = (0.39, 0.8, 0.46, 0.93)
    watch.frames([[bag]] * 15)

    watch.frames([[(0.25, 0.75 - 0.1 * step, 0.46, 1.0)] for step in range(5)])

    ends = {track.track_id: track.last for track in watch.seen[-1]}
    assert ends["t2"].is_observed
    assert not ends["t1"].is_observed


def test_two_people_who_part_become_two_tracks() -> None:
    watch = Watch()
    standing(watch)
    left, right = walker((0.43, 0.5), (0.2, 0.5), 20), walker((0.47, 0.5), (0.75, 0.5), 20, seed=1)

    tracks = watch.frames(zip(left, right, strict=True))

    assert list(states(tracks).values()) == [TrackState.CONFIRMED] * 2


def test_somebody_inside_a_cars_box_is_nobody_elses_fragment() -> None:
    watch = Watch()
    car: Box = (0.2, 0.2, 0.8, 0.8)

    for _ in range(7):
        watch.frame(detections(car, PLACE, label=["car", "person"]))
    tracks = watch.frame(detections(car, PLACE, label=["car", "person"]))

    assert sorted(track.label for track in tracks) == ["car", "person"]


def test_the_label_is_the_one_with_most_confidence() -> None:
    watch = Watch()
    for label, confidence in [("car", 0.4), ("car", 0.4), ("person", 0.9)]:
        watch.frame(detections(PLACE, label=label, confidence=confidence))
    [track] = watch.frame(detections(PLACE, label="person", confidence=0.9))

    assert track.label == "person"
    assert track.label_confidence == pytest.approx(1.8 / 2.6)


def test_looks_decide_who_is_who_after_an_encounter() -> None:
    looks = np.eye(2, dtype=np.float32)
    watch = Watch()
    first, second = (0.30, 0.3, 0.40, 0.7), (0.42, 0.3, 0.52, 0.7)

    def seen(*boxes: Box, order: list[int]) -> Detections:
        found = detections(*boxes)
        return Detections(
            boxes_N4=found.boxes_N4,
            confidences_N=found.confidences_N,
            class_ids_N=found.class_ids_N,
            labels=LABELS,
            embeddings_ND=looks[order],
        )

    for _ in range(6):
        watch.frame(seen(first, second, order=[0, 1]))
    watch.frame(seen(order=[]))
    between, beyond = (0.35, 0.3, 0.45, 0.7), (0.37, 0.3, 0.47, 0.7)
    tracks = watch.frame(seen(between, beyond, order=[1, 0]))

    ends = {track.track_id: track.last.box for track in tracks}
    assert ends["t2"] == pytest.approx(between, abs=1e-4)


@pytest.mark.parametrize(
    "box",
    [
        pytest.param((float("nan"), 0.1, 0.5, 0.5), id="not a number"),
        pytest.param((0.1, 0.1, float("inf"), 0.5), id="infinite"),
        pytest.param((0.5, 0.1, 0.2, 0.5), id="left of itself"),
        pytest.param((0.1, 0.1, 0.1, 0.5), id="without width"),
        pytest.param((0.1, 0.1, 1.5, 0.5), id="out of the picture"),
        pytest.param((-0.4, 0.1, 0.5, 0.5), id="out to the left"),
    ],
)
def test_what_is_no_box_is_refused_and_counted(box: Box) -> None:
    watch = Watch()
    standing(watch)

    tracks = watch.frame(detections(box, PLACE))

    assert watch.tracker.refused == 1
    assert states(tracks) == {"t1": TrackState.CONFIRMED}
    assert tracks[0].last.is_observed


def test_a_confidence_that_is_no_number_is_refused_and_counted() -> None:
    watch = Watch()

    tracks = watch.frame(detections(PLACE, confidence=float("nan")))

    assert tracks == []
    assert watch.tracker.refused == 1


def test_a_frame_that_goes_back_in_time_is_ignored_and_counted() -> None:
    tracker = Tracker()
    for seq in range(5):
        tracker.update(detections(PLACE), header(seq))

    [track] = tracker.update(detections((0.9, 0.9, 0.99, 0.99)), header(5, at_s=0.3))

    assert tracker.out_of_order == 1
    assert track.last.box == pytest.approx(PLACE, abs=1e-4)


def test_points_say_what_was_measured_and_when() -> None:
    watch = Watch()

    [track] = standing(watch, 4)

    assert [point.seq for point in track.points] == [0, 1, 2, 3]
    assert track.last.captured_at == START + timedelta(seconds=0.6)
    assert track.last.box == pytest.approx(PLACE, abs=1e-4)
    assert track.first_seen_s == 0.0
    assert (track.camera_id, track.run_id) == ("cam", "run1")


def test_history_is_forgotten_after_three_minutes_and_the_beginning_remembered() -> None:
    watch = Watch(fps=1)

    [track] = standing(watch, 200)

    assert len(track.points) == 181
    assert track.first_seen_s == 0.0
    assert track.hits == 200


def test_a_successor_continues_the_numbers() -> None:
    tracker = Tracker(first_number=17)

    [track] = tracker.update(detections(PLACE), header(0))

    assert track.track_id == "t17"
    assert tracker.next_number == 18


def test_trackers_share_nothing() -> None:
    one, two = Watch(), Watch()

    standing(one)

    assert states(standing(two, 1)) == {"t1": TrackState.TENTATIVE}


def test_is_idle_only_while_nothing_is_followed() -> None:
    watch = Watch()
    begins = watch.tracker.is_idle
    standing(watch, 1)
    follows = watch.tracker.is_idle
    gone(watch, 1)

    assert (begins, follows, watch.tracker.is_idle) == (True, False, True)


boxes = st.tuples(
    st.floats(-0.1, 1.05), st.floats(-0.1, 1.05), st.floats(-0.05, 0.4), st.floats(-0.05, 0.5)
).map(lambda place: (place[0], place[1], place[0] + place[2], place[1] + place[3]))
frames = st.lists(
    st.tuples(st.floats(0, 3), st.lists(st.tuples(boxes, st.floats(0, 1)), max_size=6)),
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(frames)
def test_whatever_comes_tracks_are_consistent(
    script: list[tuple[float, list[tuple[Box, float]]]],
) -> None:
    tracker = Tracker()
    now_s = 0.0
    ended: set[str] = set()
    for seq, (step_s, found) in enumerate(script):
        now_s += step_s
        tracks = tracker.update(
            detections(*[box for box, _ in found], confidence=[float(c) for _, c in found]),
            header(seq, at_s=now_s),
        )
        ids = [track.track_id for track in tracks]
        assert len(ids) == len(set(ids))
        assert not ended & set(ids)
        ended |= {track.track_id for track in tracks if track.state is TrackState.ENDED}
        for track in tracks:
            times = [point.monotonic_s for point in track.points]
            assert times == sorted(times)
            assert track.hits >= 1
            assert sum(point.is_observed for point in track.points) == track.hits
            for point in track.points:
                x1, y1, x2, y2 = point.box
                assert 0 <= x1 <= x2 <= 1
                assert 0 <= y1 <= y2 <= 1
        observed = [track for track in tracks if track.last.seq == seq and track.last.is_observed]
        assert len(observed) <= len(found)
