"""Key frames: the right ones, once each, in bounded memory."""

from dataclasses import replace

from contracts.tracks import Track, TrackState
from tests.fakes.builders import track
from tests.fakes.footage import encoded
from vision.keyframes import KeyFrames, Moment


def seen_at(seq: int, *, track_id: str = "t1", state: TrackState = TrackState.CONFIRMED) -> Track:
    return replace(track([(0.5, 0.6)], track_id=track_id, first_seq=seq), state=state)


def watched(frames: int, *, track_id: str = "t1") -> KeyFrames:
    kept = KeyFrames()
    for seq in range(frames):
        kept.look(encoded(seq), tracks=[seen_at(seq, track_id=track_id)])
    return kept


def test_the_first_and_the_last_frame_of_a_track_are_kept() -> None:
    assert watched(5).cited("t1") == {Moment.FIRST: "f_0", Moment.LAST: "f_4"}


def test_a_track_is_kept_from_its_first_tentative_frame() -> None:
    kept = KeyFrames()
    kept.look(encoded(0), tracks=[seen_at(0, state=TrackState.TENTATIVE)])
    kept.look(encoded(1), tracks=[seen_at(1)])

    assert kept.cited("t1")[Moment.FIRST] == "f_0"


def test_a_frame_in_which_it_was_not_seen_is_not_its_last() -> None:
    kept = watched(3)

    kept.look(encoded(3), tracks=[seen_at(2)])
    kept.look(encoded(4), tracks=[seen_at(4, state=TrackState.LOST)])

    assert kept.cited("t1")[Moment.LAST] == "f_2"


def test_marked_moments_are_those_of_the_newest_frame() -> None:
    kept = watched(3)
    kept.mark("t1", Moment.ENTRY)
    kept.look(encoded(3), tracks=[seen_at(3)])
    kept.mark("t1", Moment.DECISIVE)

    assert kept.cited("t1") == {
        Moment.FIRST: "f_0",
        Moment.LAST: "f_3",
        Moment.ENTRY: "f_2",
        Moment.DECISIVE: "f_3",
    }


def test_the_approach_to_a_line_is_the_frame_before() -> None:
    kept = watched(3)

    kept.mark_approach("t1")

    assert kept.cited("t1")[Moment.ENTRY] == "f_1"


def test_a_frame_carries_its_bytes_and_the_boxes_of_all_who_are_seen_in_it() -> None:
    kept = KeyFrames()
    frame = encoded(0)
    kept.look(frame, tracks=[seen_at(0), seen_at(0, track_id="t2")])

    first = kept.of("t1")[Moment.FIRST]

    assert first.jpeg == frame.jpeg
    assert set(first.boxes) == {"t1", "t2"}
    assert kept.of("t2")[Moment.FIRST] is first


def test_those_seen_least_recently_are_forgotten_first() -> None:
    kept = KeyFrames(max_tracks=2)
    kept.look(encoded(0), tracks=[seen_at(0, track_id="t1"), seen_at(0, track_id="t2")])
    kept.look(encoded(1), tracks=[seen_at(1, track_id="t1")])

    kept.look(encoded(2), tracks=[seen_at(2, track_id="t1"), seen_at(2, track_id="t3")])

    assert kept.of("t2") == {}
    assert kept.cited("t1")[Moment.FIRST] == "f_0"


def test_nothing_is_known_of_a_stranger() -> None:
    assert KeyFrames().of("t1") == {}
    assert KeyFrames().cited("t1") == {}
