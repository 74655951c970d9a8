"""Key frames: the right ones, once each, in bounded memory."""

from dataclasses import replace

import numpy as np
import pytest

from contracts.frames import BgrImage
from contracts.tracks import Track, TrackState
from tests.fakes.builders import track
from tests.fakes.footage import encoded
from vision.drawing import encode_jpeg
from vision.keyframes import KeyFrames, Moment
from vision.picture import Picture


def seen_at(seq: int, *, track_id: str = "t1", state: TrackState = TrackState.CONFIRMED) -> Track:
    return replace(track([(0.5, 0.6)], track_id=track_id, first_seq=seq), state=state)


def shown(seq: int) -> Picture:
    return Picture(encoded(seq).header, jpeg=encoded(seq).jpeg)


def in_pixels(seq: int) -> Picture:
    pixels_HW3 = np.full((36, 64, 3), 10 * seq, np.uint8)
    return Picture(encoded(seq).header, pixels_HW3=pixels_HW3)


def watched(frames: int, *, track_id: str = "t1") -> KeyFrames:
    kept = KeyFrames()
    for seq in range(frames):
        kept.look(shown(seq), tracks=[seen_at(seq, track_id=track_id)])
    return kept


def test_the_first_and_the_last_frame_of_a_track_are_kept() -> None:
    assert watched(5).cited("t1") == {Moment.FIRST: "f_0", Moment.LAST: "f_4"}


def test_a_track_is_kept_from_its_first_tentative_frame() -> None:
    kept = KeyFrames()
    kept.look(shown(0), tracks=[seen_at(0, state=TrackState.TENTATIVE)])
    kept.look(shown(1), tracks=[seen_at(1)])

    assert kept.cited("t1")[Moment.FIRST] == "f_0"


def test_a_frame_in_which_it_was_not_seen_is_not_its_last() -> None:
    kept = watched(3)

    kept.look(shown(3), tracks=[seen_at(2)])
    kept.look(shown(4), tracks=[seen_at(4, state=TrackState.LOST)])

    assert kept.cited("t1")[Moment.LAST] == "f_2"


def test_marked_moments_are_those_of_the_newest_frame() -> None:
    kept = watched(3)
    kept.mark("t1", Moment.ENTRY)
    kept.look(shown(3), tracks=[seen_at(3)])
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
    kept.look(shown(0), tracks=[seen_at(0), seen_at(0, track_id="t2")])

    first = kept.of("t1")[Moment.FIRST]

    assert first.picture.jpeg == encoded(0).jpeg
    assert set(first.boxes) == {"t1", "t2"}
    assert kept.of("t2")[Moment.FIRST] is first


def test_those_seen_least_recently_are_forgotten_first() -> None:
    kept = KeyFrames(max_tracks=2)
    kept.look(shown(0), tracks=[seen_at(0, track_id="t1"), seen_at(0, track_id="t2")])
    kept.look(shown(1), tracks=[seen_at(1, track_id="t1")])

    kept.look(shown(2), tracks=[seen_at(2, track_id="t1"), seen_at(2, track_id="t3")])

    assert kept.of("t2") == {}
    assert kept.cited("t1")[Moment.FIRST] == "f_0"


def test_nothing_is_known_of_a_stranger() -> None:
    assert KeyFrames().of("t1") == {}
    assert KeyFrames().cited("t1") == {}


def test_only_frames_that_are_kept_become_jpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def note(pixels_HW3: BgrImage, *, quality: int) -> bytes:
        made.append(int(pixels_HW3[0, 0, 0]) // 10)
        return encode_jpeg(pixels_HW3, quality=quality)

    monkeypatch.setattr("vision.picture.encode_jpeg", note)
    kept = KeyFrames()
    for seq in range(10):
        is_there = 2 <= seq <= 6
        kept.look(in_pixels(seq), tracks=[seen_at(seq)] if is_there else [])

    assert kept.cited("t1") == {Moment.FIRST: "f_2", Moment.LAST: "f_6"}
    assert made == [2, 6]


def test_of_what_is_kept_for_long_no_pixels_stay() -> None:
    kept = KeyFrames()
    pictures = [in_pixels(seq) for seq in range(4)]
    for seq, picture in enumerate(pictures):
        kept.look(picture, tracks=[seen_at(seq)] if seq == 0 else [])

    assert kept.of("t1")[Moment.FIRST].picture is pictures[0]
    whole = [picture.whole() for picture in pictures]
    assert all(frame is not None for frame in whole)
    assert [picture.has_pixels for picture in pictures] == [False, True, True, True]
