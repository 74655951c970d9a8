import numpy as np
import pytest

from tests.vision.detect.pictures import Picture, frame_of, room, with_person
from vision.motion_gate import LOOK_ANYWAY_S, Motion, MotionGate


class Eye:
    """Shows pictures to a gate, five a second."""

    def __init__(self) -> None:
        self.gate = MotionGate()
        self.number = 0

    def show(self, picture: Picture) -> Motion:
        self.number += 1
        return self.gate.look(frame_of(picture, self.number, noise=3.0))

    def show_for(self, picture: Picture, seconds: float) -> list[Motion]:
        return [self.show(picture) for _ in range(round(seconds * 5))]


def at_rest() -> Eye:
    eye = Eye()
    eye.show_for(room(), 3)
    return eye


def test_is_open_at_the_start_so_that_who_is_there_is_found() -> None:
    found = Eye().show_for(room(), 0.8)

    assert all(motion.is_moving for motion in found)


def test_closes_on_a_still_scene_in_spite_of_noise() -> None:
    eye = at_rest()

    found = eye.show_for(room(), 20)

    assert np.mean([motion.is_moving for motion in found]) < 0.15
    assert max(motion.share for motion in found) < 0.0005


def test_looks_now_and_then_at_a_still_scene() -> None:
    eye = at_rest()

    found = eye.show_for(room(), 2 * LOOK_ANYWAY_S + 0.4)

    assert any(motion.is_moving for motion in found)


@pytest.mark.parametrize("size", [(50, 140), (8, 24)])
def test_opens_at_once_when_somebody_walks_near_or_far(size: tuple[int, int]) -> None:
    eye = at_rest()

    motion = eye.show(with_person(room(), 300, 150, size=size))

    assert motion.is_moving


def test_says_how_much_of_the_picture_moved() -> None:
    eye = at_rest()

    motion = eye.show(with_person(room(), 300, 150, size=(100, 180)))

    assert motion.share == pytest.approx(100 * 180 / (640 * 360), rel=0.15)


def test_stays_open_for_a_moment_after_the_last_movement() -> None:
    eye = at_rest()
    eye.show(with_person(room(), 300, 150))

    found = eye.show_for(room(), 0.8)

    assert all(motion.is_moving for motion in found)


def test_a_change_of_light_is_measured_and_moves_nothing() -> None:
    eye = at_rest()
    brighter = np.clip(room().astype(np.int16) + 25, 0, 255).astype(np.uint8)

    motion = eye.show(brighter)

    assert motion.light_change == pytest.approx(25 / 255, abs=0.01)
    assert motion.share < 0.01


def test_a_change_of_light_is_over_after_a_second() -> None:
    eye = at_rest()
    brighter = np.clip(room().astype(np.int16) + 25, 0, 255).astype(np.uint8)

    motion = eye.show_for(brighter, 2)[-1]

    assert motion.light_change < 0.005


def test_a_new_size_begins_again() -> None:
    eye = at_rest()

    motion = eye.show(np.ascontiguousarray(room()[:, :320]))

    assert motion.is_moving
    assert motion.share == 0.0


def test_forgets_what_it_compared_with() -> None:
    eye = at_rest()

    eye.gate.forget()
    motion = eye.show(np.full_like(room(), 10))

    assert motion.is_moving
    assert (motion.share, motion.light_change) == (0.0, 0.0)


def test_gates_share_nothing() -> None:
    at_rest()

    assert MotionGate().look(frame_of(np.full_like(room(), 10), 1)).share == 0.0
