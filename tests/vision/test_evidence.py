"""Evidence: frames as they were, a snapshot that shows the point, and a full store."""

import cv2
import numpy as np

from contracts.incidents import EvidenceItem, EvidenceKind
from tests.fakes.builders import box_at, scene, track
from tests.fakes.footage import encoded
from tests.fakes.ports import InMemoryEvidence
from vision.evidence import MAX_FRAMES, EvidenceKeeper, kept_frames
from vision.keyframes import KeyFrame
from vision.picture import Picture


def key_frame(seq: int, *, run_id: str = "run1", starts_s: float = 0.0) -> KeyFrame:
    frame = encoded(seq, run_id=run_id, starts_s=starts_s)
    picture = Picture(frame.header, jpeg=frame.jpeg)
    return KeyFrame(picture=picture, boxes={"t1": box_at((0.5, 0.8))})


def keeper(store: InMemoryEvidence) -> EvidenceKeeper:
    return EvidenceKeeper(store, camera_id="cam")


def snapshot(store: InMemoryEvidence, frame: KeyFrame) -> EvidenceItem:
    return keeper(store).snapshot(
        frame, tracks=[track([(0.5, 0.8)])], alerting={"t1"}, zones=scene().zones, lines=()
    )


def test_frames_are_kept_as_they_came_oldest_first() -> None:
    store = InMemoryEvidence()

    items = keeper(store).add_frames((), [key_frame(7), key_frame(3)])

    assert [item.frame_id for item in items] == ["f_3", "f_7"]
    assert store.get(items[0].ref) == encoded(3).jpeg
    assert items[0].boxes == {"t1": box_at((0.5, 0.8))}
    assert items[0].captured_at == encoded(3).header.captured_at


def test_a_frame_is_kept_once() -> None:
    evidence = keeper(InMemoryEvidence())
    known = evidence.add_frames((), [key_frame(3)])

    assert evidence.add_frames(known, [key_frame(3)]) == known


def test_a_frame_id_that_an_earlier_run_used_is_not_given_to_another_picture() -> None:
    evidence = keeper(InMemoryEvidence())
    known = evidence.add_frames((), [key_frame(3)])

    again = evidence.add_frames(known, [key_frame(3, run_id="run2", starts_s=60.0)])

    assert again == known


def test_the_number_of_frames_is_bounded() -> None:
    items = keeper(InMemoryEvidence()).add_frames((), [key_frame(seq) for seq in range(100)])

    assert len(items) == MAX_FRAMES


def test_a_full_store_is_said_and_not_raised() -> None:
    store = InMemoryEvidence()
    store.is_full = True

    [item] = keeper(store).add_frames((), [key_frame(3)])

    assert item.ref == ""
    assert "full" in item.problem
    assert kept_frames([item]) == frozenset()


def test_the_snapshot_draws_on_the_frame() -> None:
    store = InMemoryEvidence()

    item = snapshot(store, key_frame(3))

    assert item.kind is EvidenceKind.SNAPSHOT
    picture = cv2.imdecode(np.frombuffer(store.get(item.ref), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    reds = (picture[..., 2].astype(int) - picture[..., 1] > 120).sum()
    assert reds > 500


def test_a_snapshot_of_a_broken_picture_says_so() -> None:
    frame = key_frame(3)
    broken = KeyFrame(picture=Picture(frame.header, jpeg=b"broken"), boxes=frame.boxes)

    assert snapshot(InMemoryEvidence(), broken).problem == "unreadable JPEG"
