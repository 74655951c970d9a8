from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.frames import EncodedFrame, Frame
from tests.bench import gate_scenes as scenes
from tests.bench.gate_scenes import Disturb, Mover
from tests.fakes.builders import header
from tests.vision.detect.pictures import Picture, frame_of, room, with_person
from vision.drawing import decode_jpeg, encode_jpeg
from vision.motion_gate import (
    GATE_SIZE,
    LOOK_ANYWAY_S,
    LOOK_IN_WEATHER_S,
    Motion,
    MotionGate,
    gate_frame,
    gate_picture,
)

NEVER_S = 1e9


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


def seen_by(gate: MotionGate, pictures: Sequence[Picture]) -> list[Motion]:
    """Show pictures of 5 frames a second as they are, brought to 320 x 180 as substreams are."""
    return [
        gate.look(Frame(header=header(number), pixels_HW3=np.ascontiguousarray(picture[::2, ::2])))
        for number, picture in enumerate(pictures)
    ]


def only_for_changes() -> MotionGate:
    """A gate that does not look anyway."""
    return MotionGate(look_anyway_s=NEVER_S, look_in_weather_s=NEVER_S)


def open_share(motions: Sequence[Motion], *, of: Sequence[bool]) -> float:
    return float(np.mean([m.is_moving for m, counts in zip(motions, of, strict=True) if counts]))


@pytest.mark.parametrize(
    ("disturb", "light"),
    [
        pytest.param(scenes.dimming, 1.0, id="light fades"),
        pytest.param(scenes.clouds, 1.0, id="shadows of clouds drift"),
        pytest.param(scenes.lamp, 1.0, id="a lamp is switched on and off"),
        pytest.param(scenes.headlights, 0.25, id="headlights sweep by night"),
        pytest.param(scenes.rain(300), 1.0, id="it rains"),
        pytest.param(scenes.shake(0.5), 1.0, id="the camera trembles"),
        pytest.param(scenes.tree, 1.0, id="a tree waves at the edge"),
    ],
)
def test_what_is_no_object_does_not_hold_it_open(disturb: Disturb, light: float) -> None:
    pictures = scenes.disturbed(disturb, noise=2.0, light=light, seconds=24.0)

    motions = seen_by(only_for_changes(), pictures)

    assert np.mean([motion.is_moving for motion in motions[50:]]) <= 0.1


@pytest.mark.parametrize(
    ("height", "speed"),
    [
        pytest.param(0.1, 0.002, id="slow: 0.2 % of the width per second"),
        pytest.param(0.05, 0.01, id="distant: 5 % of the height"),
        pytest.param(0.05, 0.2, id="distant and fast"),
    ],
)
def test_a_slow_or_distant_mover_never_finds_it_shut(height: float, speed: float) -> None:
    mover = Mover(height=height, speed=speed, noise=2.0, clothes="dark")
    pictures, present = mover.frames()

    motions = seen_by(only_for_changes(), pictures)

    assert any(present)
    assert open_share(motions, of=present) >= 0.95


def test_somebody_in_clothes_like_the_background_is_seen_walking() -> None:
    pictures, present = Mover(height=0.1, speed=0.05, noise=2.0, clothes="dull").frames()

    motions = seen_by(only_for_changes(), pictures)

    assert open_share(motions, of=present) >= 0.8


def test_rain_hides_nobody_of_a_fifth_of_the_height() -> None:
    pictures, present = Mover(
        height=0.2,
        speed=0.05,
        noise=2.0,
        clothes="dark",
        lead_s=12.0,
        lasts_s=6.0,
        disturb=scenes.rain(300),
    ).frames()

    motions = seen_by(only_for_changes(), pictures)

    assert open_share(motions, of=present) >= 0.95


def test_looks_more_often_while_it_rains() -> None:
    pictures = scenes.disturbed(scenes.rain(300), noise=2.0, light=1.0, seconds=20.0)

    motions = seen_by(MotionGate(), pictures)[50:]

    looks = [number for number, motion in enumerate(motions) if motion.is_moving]
    assert max(np.diff(looks)) / 5 <= LOOK_IN_WEATHER_S
    assert len(looks) < len(motions) / 2


def traffic() -> list[Picture]:
    """Twenty seconds in which somebody runs through every two seconds."""
    return [with_person(room(), (number % 10) * 60, 150) for number in range(100)]


def test_what_is_followed_is_never_learned_as_weather() -> None:
    """A gate that learns whatever passes would take the traffic of a road for rain."""
    gate = only_for_changes()
    calm = [frame_of(room(), number) for number in range(40)]
    road = [frame_of(picture, 40 + number) for number, picture in enumerate(traffic())]
    for frame in calm:
        gate.look(frame)
    for frame in road:
        gate.look(frame, is_followed=True)

    open_again = [gate.look(frame_of(room(), number)).is_moving for number in range(140, 240)]
    motion = gate.look(frame_of(with_person(room(), 300, 180, size=(20, 60)), 240))

    assert not open_again[-1]
    assert motion.is_moving


def test_begins_again_when_time_goes_back() -> None:
    eye = at_rest()

    motion = eye.gate.look(frame_of(np.full_like(room(), 10), 1))

    assert (motion.share, motion.is_moving) == (0.0, True)


@given(width=st.integers(1, 4000), height=st.integers(1, 3000))
def test_pictures_of_any_size_are_brought_to_the_size_of_the_gate(width: int, height: int) -> None:
    pixel = np.array([[[10, 200, 30]]], np.uint8)
    picture = np.broadcast_to(pixel, (height, width, 3))

    luma_HW = gate_picture(picture)

    assert 1 <= luma_HW.shape[0] <= GATE_SIZE[1]
    assert 1 <= luma_HW.shape[1] <= GATE_SIZE[0]
    assert (luma_HW == 200).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (2000, 2)])
def test_odd_shapes_are_looked_at_like_others(size: tuple[int, int]) -> None:
    gate = MotionGate()
    dark = np.full((size[1], size[0], 3), 20, np.uint8)

    found = [gate.look(Frame(header=header(number), pixels_HW3=dark)) for number in range(12)]

    assert not found[-1].is_moving


def test_a_gap_in_the_stream_counts_as_a_short_one() -> None:
    eye = at_rest()
    frame = frame_of(with_person(room(), 300, 150), 100)
    later = replace(frame, header=replace(frame.header, monotonic_s=900.0))

    assert eye.gate.look(later).is_moving


def test_a_colour_of_equal_light_is_seen() -> None:
    """Green stands for luma, so a coat as light as the wall but of another colour shows."""
    eye = at_rest()
    coat = room()
    cv2.rectangle(coat, (300, 20), (340, 120), (150, 110, 228), -1)

    assert eye.show(coat).is_moving


def encoded_of(width: int, height: int) -> EncodedFrame:
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[:, : width // 2] = 180
    sized = replace(header(0), width=width, height=height)
    return EncodedFrame(header=sized, jpeg=encode_jpeg(picture))


@pytest.mark.parametrize(
    ("width", "height"),
    [(640, 360), (640, 480), (320, 180), (160, 90), (1280, 720), (1920, 1080), (7, 5), (800, 450)],
)
def test_the_gate_compares_as_many_pixels_of_a_frame_that_is_decoded_small(
    width: int, height: int
) -> None:
    encoded = encoded_of(width, height)
    whole = decode_jpeg(encoded.jpeg)
    small = gate_frame(encoded)

    assert whole is not None
    assert small is not None
    assert small.header is encoded.header
    of_whole, of_small = gate_picture(whole), gate_picture(small.pixels_HW3)
    assert of_small.shape == of_whole.shape
    edge = of_whole.shape[1] // 2
    assert abs(of_small.astype(int) - of_whole)[:, : max(0, edge - 2)].max(initial=0) <= 2


def test_a_frame_that_is_no_jpeg_is_none_for_the_gate() -> None:
    assert gate_frame(EncodedFrame(header=header(0), jpeg=b"no picture")) is None
