import math

import pytest

from contracts.cameras import CameraState
from ingest.health import Delay, Health, Pulse
from ingest.phases import Signal


class Stream:
    """Pictures into a pulse, in seconds that a test makes pass."""

    def __init__(self, *, wanted_fps: float = 5.0) -> None:
        self.now_s = 100.0
        self.pulse = Pulse(self.now_s, wanted_fps=wanted_fps, stall_after_s=5.0)

    def play(self, seconds: float, *, fps: float, is_sound: bool = True) -> None:
        for _ in range(round(seconds * fps)):
            self.now_s += 1 / fps
            self.pulse.packet()
            if is_sound:
                self.pulse.picture(self.now_s)
            self.pulse.look(self.now_s)

    def look(self) -> Health:
        return self.pulse.look(self.now_s)


def test_a_steady_stream_is_sound() -> None:
    stream = Stream()
    stream.play(60.0, fps=25.0)

    assert stream.look() == Health(signal=Signal.SOUND, state=CameraState.SEEING)
    assert stream.pulse.fps(stream.now_s) == pytest.approx(25.0)


def test_silence_is_told_with_its_values() -> None:
    stream = Stream()
    stream.play(10.0, fps=25.0)
    stream.now_s += 7.25

    assert stream.look().signal is Signal.SILENCE
    assert stream.look().cause == "no frame for 7.2 s (stall_after_s = 5)"


def test_packets_without_pictures_are_told_apart_from_silence() -> None:
    stream = Stream()
    stream.play(6.0, fps=10.0, is_sound=False)

    assert stream.look().state is CameraState.BLIND
    assert "though 60 packets came; is it sending key frames?" in stream.look().cause


def test_a_camera_whose_pictures_come_too_late_to_be_shown_is_blind() -> None:
    stream = Stream()
    stream.play(20.0, fps=10.0)

    stream.pulse.picture(stream.now_s, delay=Delay(late_s=2.1, is_held_back=True))

    assert stream.look().state is CameraState.BLIND
    stream.play(0.1, fps=10.0)
    assert stream.look().state is CameraState.SEEING


def test_lateness_is_told_with_its_values() -> None:
    stream = Stream()
    stream.pulse.picture(stream.now_s, delay=Delay(late_s=4.56, is_held_back=True))

    assert "come 4.6 s after they were taken (allowed: 2 s)" in stream.look().cause


@pytest.mark.parametrize(
    ("waiting", "advice"),
    [
        pytest.param(0.9, "use a sub-stream", id="nothing was there to be read"),
        pytest.param(0.1, "this machine is too busy", id="it was there and was not read"),
    ],
)
def test_what_comes_late_is_told_with_what_helps(waiting: float, advice: str) -> None:
    stream = Stream()
    delay = Delay(late_s=1.5, is_held_back=True, waiting=waiting)
    stream.pulse.picture(stream.now_s, delay=delay)

    assert advice in stream.look().cause
    assert "have not been in time for 3 s yet" in stream.look().cause


@pytest.mark.parametrize(
    ("corrupt", "state"), [(13, CameraState.SEEING), (14, CameraState.DEGRADED)]
)
def test_one_picture_in_twenty_may_be_damaged(corrupt: int, state: CameraState) -> None:
    stream = Stream()
    stream.play(20.0, fps=25.0)

    stream.pulse.corrupt(stream.now_s, corrupt)

    assert stream.look().state is state


def damaged(stream: Stream, *, sound: int, of: int) -> Health:
    """What is said after 20 s at 10 fps, of which ``sound`` pictures in ``of`` are sound."""
    for number in range(200):
        stream.now_s += 0.1
        stream.pulse.packet()
        if number % of < sound:
            stream.pulse.picture(stream.now_s)
        else:
            stream.pulse.corrupt(stream.now_s, 1)
    return stream.look()


@pytest.mark.parametrize(
    ("sound", "state", "left"),
    [
        (50, CameraState.DEGRADED, ""),
        (10, CameraState.DEGRADED, ", 1.0 a second are left to see by"),
        (4, CameraState.BLIND, ", 0.4 a second are left to see by"),
    ],
)
def test_few_sound_pictures_among_damaged_ones(sound: int, state: CameraState, left: str) -> None:
    found = damaged(Stream(), sound=sound, of=100)

    share = 100 - sound
    assert found.state is state
    assert found.cause == (
        f"{share}% of its pictures arrive damaged (allowed: 5%){left}; is the network overloaded?"
    )


@pytest.mark.parametrize(("patched", "state"), [(5, CameraState.SEEING), (6, CameraState.DEGRADED)])
def test_pictures_that_are_damaged_in_parts_count_as_damaged(
    patched: int, state: CameraState
) -> None:
    stream = Stream()
    for number in range(100):
        stream.now_s += 0.1
        stream.pulse.picture(stream.now_s, is_patched=number < patched)

    assert stream.look().state is state


@pytest.mark.parametrize(
    ("fps", "state"),
    [
        pytest.param(1.0, CameraState.DEGRADED, id="one a second"),
        pytest.param(0.3, CameraState.BLIND, id="gaps of more than 2 s"),
    ],
)
def test_key_pictures_alone_are_told_and_not_taken_for_a_starved_stream(
    fps: float, state: CameraState
) -> None:
    stream = Stream()
    stream.play(20.0, fps=25.0)
    for _ in range(round(20 * fps)):
        stream.now_s += 1 / fps
        stream.pulse.picture(stream.now_s, delay=Delay(is_thinned=True))

    assert stream.look().state is state
    assert "too busy to decode all of its pictures: only its key pictures" in stream.look().cause


def test_advice_takes_the_place_of_the_question_whether_the_network_is_busy() -> None:
    stream = Stream()
    stream.pulse.advice = "TCP was tried"

    assert damaged(stream, sound=50, of=100).cause.endswith("; TCP was tried")


def test_nothing_but_damaged_pictures_is_no_silence() -> None:
    found = damaged(Stream(), sound=0, of=100)

    assert (found.signal, found.state) == (Signal.POOR, CameraState.BLIND)
    assert found.cause.startswith("100% of its pictures arrive damaged")


def test_silence_after_damaged_pictures_is_told_as_such() -> None:
    stream = Stream()
    damaged(stream, sound=0, of=100)
    stream.now_s += 5.1

    assert stream.look().signal is Signal.SILENCE


@pytest.mark.parametrize(
    ("fps", "state"),
    [(3.0, CameraState.SEEING), (2.0, CameraState.DEGRADED), (0.4, CameraState.BLIND)],
)
def test_a_stream_that_starves(fps: float, state: CameraState) -> None:
    stream = Stream()
    stream.play(30.0, fps=25.0)

    stream.play(20.0, fps=fps)

    assert stream.look().state is state
    if state is not CameraState.SEEING:
        assert "starved" in stream.look().cause
        assert "(wanted: 2.5)" in stream.look().cause


def test_pictures_that_are_not_analysed_are_not_missed() -> None:
    stream = Stream(wanted_fps=5.0)
    stream.play(30.0, fps=25.0)
    stream.play(20.0, fps=5.0)

    assert stream.look().state is CameraState.SEEING


def test_a_camera_that_is_always_slow_is_not_starved() -> None:
    stream = Stream()
    stream.play(60.0, fps=1.0)

    assert stream.look().state is CameraState.SEEING


def test_a_rate_that_stays_becomes_the_usual_one() -> None:
    stream = Stream(wanted_fps=math.inf)
    stream.play(60.0, fps=25.0)
    stream.play(60.0, fps=10.0)
    assert stream.look().state is CameraState.DEGRADED

    stream.play(600.0, fps=10.0)

    assert stream.look().state is CameraState.SEEING


def test_a_new_connection_begins_with_its_own_silence() -> None:
    stream = Stream()
    stream.play(10.0, fps=25.0)
    stream.now_s += 60.0
    stream.pulse.restart(stream.now_s)

    assert stream.look().state is CameraState.SEEING
