"""The family: one look gives boxes, embeddings, postures and the scene."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contracts.errors import ModelError
from contracts.frames import BgrImage, Frame
from tests.vision.detect.encoders import backend_of
from tests.vision.detect.fake_backend import CLASSES, POSTURES, FakeBackend
from tests.vision.detect.pictures import frame_of, room, with_person
from vision.detect.encoder import EncoderDetector
from vision.tracker import Tracker


def painted(level: int, number: int = 0, *, size: tuple[int, int] = (360, 640)) -> Frame:
    """A picture of one grey, which the fake backend takes for a person of that confidence."""
    header = frame_of(room(), number, camera_id=f"cam{number}").header
    return Frame(header=header, pixels_HW3=np.full((*size, 3), level, np.uint8))


def plain(pixels: BgrImage) -> Frame:
    return replace(frame_of(room(), 0), pixels_HW3=pixels)


def test_every_object_is_described_and_the_scene_as_well(encoder_folder: Path) -> None:
    detector = EncoderDetector(backend_of(encoder_folder), confidence=0.5)

    [found] = detector.detect([frame_of(with_person(room(), 200, 100), 0)])

    count = len(found)
    assert count > 0
    assert found.labels == CLASSES
    assert found.posture_labels == POSTURES
    assert found.embeddings_ND is not None
    assert found.embeddings_ND.shape == (count, 12)
    assert np.linalg.norm(found.embeddings_ND, axis=1) == pytest.approx(np.ones(count), abs=1e-4)
    assert found.postures_NP is not None
    assert found.postures_NP.sum(axis=1) == pytest.approx(np.ones(count), abs=1e-4)
    assert found.scene_SD is not None
    assert found.scene_SD.shape == (7, 16)
    assert ((found.boxes_N4 >= 0) & (found.boxes_N4 <= 1)).all()
    assert (found.boxes_N4[:, 2:] > found.boxes_N4[:, :2]).all()


def test_frames_of_several_sizes_in_one_call_are_answered_each_as_alone(
    encoder_folder: Path,
) -> None:
    detector = EncoderDetector(backend_of(encoder_folder), confidence=0.5)
    picture = with_person(room(), 200, 100)
    frames = [plain(picture), plain(picture[:, :480]), plain(picture[::-1].copy())]

    together = detector.detect(frames)

    for frame, found in zip(frames, together, strict=True):
        [alone] = detector.detect([frame])
        assert found.boxes_N4 == pytest.approx(alone.boxes_N4)
        assert found.embeddings_ND == pytest.approx(alone.embeddings_ND)


def test_an_empty_picture_has_embeddings_of_nobody(encoder_folder: Path) -> None:
    detector = EncoderDetector(backend_of(encoder_folder), confidence=0.999)

    [found] = detector.detect([frame_of(room(), 0)])

    assert len(found) == 0
    assert found.embeddings_ND is not None
    assert found.embeddings_ND.shape == (0, 12)
    assert found.postures_NP is not None
    assert found.postures_NP.shape == (0, 3)
    assert found.scene_SD is not None


def test_a_tracker_follows_what_it_finds_with_its_embeddings(encoder_folder: Path) -> None:
    detector = EncoderDetector(backend_of(encoder_folder), confidence=0.5)
    tracker = Tracker()
    frames = [frame_of(with_person(room(), 200, 100), number) for number in range(3)]

    tracks = [tracker.update(detector.detect([frame])[0], frame.header) for frame in frames]

    assert tracks[-1]
    assert tracker.refused == 0


def test_no_frames_are_no_work(encoder_folder: Path) -> None:
    detector = EncoderDetector(backend_of(encoder_folder), confidence=0.5)

    assert detector.detect([]) == []


@pytest.mark.parametrize(
    "size",
    [
        pytest.param((1, 1), id="a single pixel"),
        pytest.param((4320, 7680), id="8K"),
        pytest.param((2, 3000), id="a line"),
    ],
)
def test_a_picture_of_any_size_is_looked_at(encoder_folder: Path, size: tuple[int, int]) -> None:
    detector = EncoderDetector(backend_of(encoder_folder), confidence=0.3)

    [found] = detector.detect([plain(np.full((*size, 3), 90, np.uint8))])

    assert ((found.boxes_N4 >= 0) & (found.boxes_N4 <= 1)).all()


@pytest.mark.parametrize("shape", [(360, 640), (360, 640, 1), (360, 640, 4), (0, 640, 3)])
def test_what_is_no_colour_picture_is_refused_by_name_at_the_door(
    encoder_folder: Path, shape: tuple[int, ...]
) -> None:
    detector = EncoderDetector(backend_of(encoder_folder), confidence=0.5)

    with pytest.raises(ValueError, match=r"camera cam, frame f_0: a detector takes pictures"):
        detector.detect([plain(np.zeros(shape, np.uint8))])


def test_frames_of_many_cameras_go_in_batches_of_what_the_backend_likes() -> None:
    backend = FakeBackend(batch_frames=4, batches=[])
    detector = EncoderDetector(backend, confidence=0.5)

    found = detector.detect([painted(200 + number, number) for number in range(10)])

    assert backend.batches == [4, 4, 2]
    expected = [(200 + number) / 255 for number in range(10)]
    assert [float(one.confidences_N[0]) for one in found] == pytest.approx(expected)


def test_a_device_that_runs_full_costs_no_frame() -> None:
    backend = FakeBackend(batch_frames=8, room=3, batches=[])
    detector = EncoderDetector(backend, confidence=0.5)

    found = detector.detect([painted(150 + number, number) for number in range(9)])

    expected = [(150 + number) / 255 for number in range(9)]
    assert [float(one.confidences_N[0]) for one in found] == pytest.approx(expected)
    assert detector.batch_frames == 2


def test_a_lost_device_is_replaced_in_the_middle_of_a_call() -> None:
    spare = FakeBackend(name="spare", batch_frames=1)
    detector = EncoderDetector(
        FakeBackend(batch_frames=2, looks_left=1), confidence=0.5, spare=lambda: spare
    )

    found = detector.detect([painted(150 + number, number) for number in range(5)])

    assert len(found) == 5
    assert detector.backend_name == "spare"
    assert detector.identity.sha256 == "f" * 64


def test_what_the_model_gets_wrong_is_no_reason_to_change_the_device(encoder_folder: Path) -> None:
    detector = EncoderDetector(FakeBackend(has_nan=True), confidence=0.5, spare=FakeBackend)

    with pytest.raises(ModelError, match="told to answer nonsense"):
        detector.detect([painted(200)])

    assert detector.backend_name == "fake"
