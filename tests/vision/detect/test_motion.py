from dataclasses import replace

import numpy as np
import pytest

from contracts.detections import Detections
from contracts.geometry import Box, iou
from tests.vision.detect.pictures import Picture, frame_of, room, with_person
from vision.detect.motion import ABSORB_S, LIGHT_S, MotionDetector

LEARNING_S = 1.2


class Camera:
    """Shows pictures to a detector, five a second."""

    def __init__(self, detector: MotionDetector | None = None, *, camera_id: str = "cam") -> None:
        self.detector = detector or MotionDetector()
        self.number = 0
        self.now_s = 0.0
        self._camera_id = camera_id

    def show(
        self,
        picture: Picture,
        *,
        noise: float = 2.0,
        step_s: float = 0.2,
        is_patched: bool = False,
    ) -> Detections:
        frame = frame_of(
            picture, self.number, camera_id=self._camera_id, at_s=self.now_s, noise=noise
        )
        frame = replace(frame, header=replace(frame.header, is_patched=is_patched))
        self.number += 1
        self.now_s += step_s
        [found] = self.detector.detect([frame])
        return found

    def learn(self, picture: Picture | None = None) -> "Camera":
        self.show_for(room() if picture is None else picture, LEARNING_S)
        return self

    def show_for(
        self, picture: Picture, seconds: float, *, step_s: float = 0.2
    ) -> list[Detections]:
        return [self.show(picture, step_s=step_s) for _ in range(round(seconds / step_s))]


def box_of(left: int, top: int, width: int = 50, height: int = 140) -> Box:
    return (left / 640, top / 360, (left + width) / 640, (top + height) / 360)


def test_says_nothing_while_it_learns_the_scene() -> None:
    camera = Camera()

    found = camera.show_for(with_person(room(), 300, 150), 0.8)

    assert [len(detections) for detections in found] == [0, 0, 0, 0]


def test_an_empty_scene_with_noise_has_no_boxes() -> None:
    camera = Camera().learn()

    found = [camera.show(room(), noise=4.0) for _ in range(40)]

    assert sum(len(detections) for detections in found) == 0


def test_finds_a_person_where_they_are_and_is_sure() -> None:
    camera = Camera().learn()

    found = camera.show(with_person(room(), 300, 150))

    assert len(found) == 1
    assert found.label(0) == "object"
    assert iou(tuple(found.boxes_N4[0].tolist()), box_of(300, 150)) > 0.8
    assert found.confidences_N[0] > 0.6


def test_finds_two_people_apart() -> None:
    camera = Camera().learn()

    found = camera.show(with_person(with_person(room(), 120, 150), 450, 160))

    assert len(found) == 2


def test_somebody_who_stands_still_for_a_minute_stays_detected() -> None:
    camera = Camera().learn()
    for left in range(0, 300, 20):
        camera.show(with_person(room(), left, 150))

    found = camera.show_for(with_person(room(), 300, 150), 60, step_s=0.5)

    assert all(len(detections) == 1 for detections in found)
    assert min(detections.confidences_N[0] for detections in found) > 0.6


def test_what_stands_for_long_becomes_part_of_the_scene_and_leaves_no_hole() -> None:
    camera = Camera().learn()

    found = camera.show_for(with_person(room(), 300, 150), ABSORB_S + 6, step_s=1.0)
    after = camera.show_for(room(), 3)

    assert len(found[-1]) == 0
    assert len(after[-1]) == 0


def test_the_hole_of_somebody_who_was_there_at_the_start_is_no_object() -> None:
    camera = Camera().learn(with_person(room(), 300, 150))
    for left in range(300, 640, 40):
        camera.show(with_person(room(), left, 150))

    found = camera.show_for(room(), 4)

    assert len(found[-1]) == 0


@pytest.mark.parametrize("gain", [0.55, 0.8, 1.3])
def test_a_change_of_exposure_is_no_object(gain: float) -> None:
    camera = Camera().learn()
    changed = np.clip(room().astype(np.float32) * gain, 0, 255).astype(np.uint8)

    found = camera.show_for(changed, 4)

    assert sum(len(detections) for detections in found) == 0


def test_a_person_stays_found_while_the_exposure_changes() -> None:
    camera = Camera().learn()
    scene = with_person(room(), 300, 150)
    camera.show_for(scene, 2)

    found = [
        camera.show(np.clip(scene * np.float32(1 - 0.03 * step), 0, 255).astype(np.uint8))
        for step in range(12)
    ]

    for detections in found:
        assert len(detections) == 1
        assert iou(tuple(detections.boxes_N4[0].tolist()), box_of(300, 150)) > 0.6


def test_a_covered_lens_is_no_object_and_the_view_is_learnt_again() -> None:
    camera = Camera().learn()

    covered = camera.show_for(np.full((360, 640, 3), 12, np.uint8), 3)
    back = camera.show_for(room(), 2)
    found = camera.show(with_person(room(), 300, 150))

    assert sum(len(detections) for detections in [*covered, *back]) == 0
    assert len(found) == 1


def test_a_shadow_on_the_floor_is_no_object() -> None:
    camera = Camera().learn()
    shaded = room()
    shaded[220:340, 200:400] = (shaded[220:340, 200:400] * 0.65).astype(np.uint8)

    found = camera.show_for(shaded, 2)

    assert sum(len(detections) for detections in found) == 0


def test_another_size_of_picture_is_learnt_anew() -> None:
    camera = Camera().learn()
    small = np.ascontiguousarray(with_person(room(), 300, 150)[::2, ::2])

    assert len(camera.show(small)) == 0


def test_cameras_do_not_share_their_scenes() -> None:
    detector = MotionDetector()
    Camera(detector, camera_id="one").learn()
    other = Camera(detector, camera_id="two").learn(with_person(room(), 300, 150))

    assert len(other.show(with_person(room(), 300, 150))) == 0


def test_frames_of_several_cameras_are_answered_in_order() -> None:
    detector = MotionDetector()
    Camera(detector, camera_id="one").learn()
    Camera(detector, camera_id="two").learn()
    person = with_person(room(), 300, 150)

    found = detector.detect(
        [frame_of(room(), 7, camera_id="one"), frame_of(person, 7, camera_id="two")]
    )

    assert [len(detections) for detections in found] == [0, 1]


def test_a_forgotten_camera_learns_from_its_next_frame() -> None:
    camera = Camera().learn()

    camera.detector.forget("cam")

    assert len(camera.show(with_person(room(), 300, 150))) == 0


def test_is_a_program_that_knows_no_classes() -> None:
    detector = MotionDetector()

    assert detector.labels == ("object",)
    assert detector.identity.sha256 == ""


def test_a_stream_that_repeats_its_time_does_no_harm() -> None:
    camera = Camera().learn()
    camera.now_s -= 0.2

    assert len(camera.show(with_person(room(), 300, 150))) == 1


def test_a_tiny_picture_does_no_harm() -> None:
    detector = MotionDetector()
    pixels = np.full((6, 8, 3), 90, np.uint8)

    found = [detector.detect([frame_of(pixels, number)])[0] for number in range(10)]

    assert sum(len(detections) for detections in found) == 0


def test_a_patched_picture_teaches_nothing_and_shows_who_is_there() -> None:
    camera = Camera().learn()
    grey = np.full_like(room(), 128)

    for _ in range(10):
        camera.show(grey, is_patched=True)
    found = camera.show(with_person(room(), 300, 150), is_patched=True)

    assert len(found) == 1
    assert len(camera.show(room())) == 0


def test_a_scene_that_is_not_known_yet_is_learnt_from_patched_pictures_too() -> None:
    camera = Camera()
    for _ in range(6):
        camera.show(room(), is_patched=True)

    assert len(camera.show(with_person(room(), 300, 150))) == 1


COLUMNS = np.arange(640, dtype=np.float32)[None, :, None]
ROWS = np.arange(360, dtype=np.float32)[:, None, None]


def dimmed(picture: Picture, light: float = 0.4) -> Picture:
    return np.asarray(picture * np.float32(light), np.uint8)


def with_beam(picture: Picture, column: float) -> Picture:
    """A beam that more than doubles the light of the floor around a column."""
    beam = np.exp(-(((COLUMNS - column) / 70) ** 2 + ((ROWS - 260) / 45) ** 2))
    return np.asarray(np.clip(picture * (1 + 1.5 * beam), 0, 255), np.uint8)


def test_headlights_that_pass_somebody_hide_him_only_while_they_are_on_him() -> None:
    """What was learnt of the light and of him in it made him noise for the next minute."""
    empty, scene = dimmed(room()), dimmed(with_person(room(), 300, 150))
    camera = Camera().learn(empty)
    for _ in range(2):
        for column in range(-100, 740, 40):
            camera.show(with_beam(scene, column))

    found = [camera.show(scene) for _ in range(5)]

    for detections in found:
        assert len(detections) == 1
        assert iou(tuple(detections.boxes_N4[0].tolist()), box_of(300, 150)) > 0.6


def test_light_that_stays_belongs_to_the_scene_and_who_walks_in_it_is_seen() -> None:
    camera = Camera().learn()
    lit = with_beam(room(), 320)

    found = camera.show_for(lit, LIGHT_S + 4)
    walking = camera.show(with_person(lit, 300, 150))

    assert sum(len(detections) for detections in found) == 0
    assert len(walking) == 1
    assert iou(tuple(walking.boxes_N4[0].tolist()), box_of(300, 150)) > 0.6


def grey_legs(picture: Picture, left: int, top: int, *, contrast: int) -> Picture:
    """A dark coat, legs that are ``contrast`` grey levels brighter than the floor, dark shoes."""
    changed = picture.copy()
    changed[top : top + 60, left : left + 40] = (10, 10, 60)
    legs = changed[top + 60 : top + 112, left + 4 : left + 36]
    changed[top + 60 : top + 112, left + 4 : left + 36] = legs + np.uint8(contrast)
    changed[top + 112 : top + 120, left + 2 : left + 38] = (10, 10, 10)
    return changed


def floor(level: int) -> Picture:
    return np.full((360, 640, 3), level, np.uint8)


def test_legs_that_hardly_differ_at_dusk_end_the_body_at_the_foot() -> None:
    camera = Camera().learn(floor(45))

    found = camera.show(grey_legs(floor(45), 300, 150, contrast=6), noise=1.0)

    assert len(found) == 1
    assert found.boxes_N4[0, 3] == pytest.approx(270 / 360, abs=0.02)


def test_who_is_too_faint_to_be_an_object_at_dusk_is_a_guess() -> None:
    camera = Camera()
    for _ in range(60):
        camera.show(floor(45), noise=1.0)
    scene = floor(45)
    scene[150:290, 300:350] = 51

    found = camera.show(scene, noise=1.0)

    assert len(found) == 0
    assert found.guesses is not None
    assert iou(tuple(found.guesses.boxes_N4[0].tolist()), box_of(300, 150)) > 0.8


def test_there_are_no_guesses_in_full_light() -> None:
    camera = Camera().learn(floor(120))

    assert camera.show(grey_legs(floor(120), 300, 150, contrast=6)).guesses is None
