import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.phases import TRANSITIONS, Phase, Signal, after

STORIES = [
    pytest.param(
        [Signal.ANSWERED, Signal.OPENED, Signal.PICTURE],
        ["handshake", "wait_key_frame", "live"],
        id="a camera comes up",
    ),
    pytest.param(
        [Signal.OPENED, Signal.PICTURE, Signal.POOR, Signal.SOUND],
        ["wait_key_frame", "live", "degraded", "live"],
        id="damage and recovery",
    ),
    pytest.param(
        [Signal.OPENED, Signal.PICTURE, Signal.SILENCE, Signal.PICTURE],
        ["wait_key_frame", "live", "stalled", "live"],
        id="silence and a picture",
    ),
    pytest.param(
        [Signal.OPENED, Signal.SILENCE, Signal.FAILED, Signal.OPEN],
        ["wait_key_frame", "stalled", "back_off", "connecting"],
        id="no key frame comes",
    ),
    pytest.param(
        [Signal.ANSWERED, Signal.REFUSED, Signal.OPEN],
        ["handshake", "failed_auth", "connecting"],
        id="a wrong password",
    ),
    pytest.param(
        [Signal.FAILED, Signal.PICTURE],
        ["back_off", "back_off"],
        id="a picture that comes too late",
    ),
    pytest.param(
        [Signal.OPENED, Signal.PICTURE, Signal.END, Signal.SILENCE],
        ["wait_key_frame", "live", "ended", "ended"],
        id="a recording is silent because it is over",
    ),
    pytest.param(
        [Signal.SWITCHED_OFF, Signal.POOR, Signal.OPEN],
        ["disabled", "disabled", "connecting"],
        id="switched off and on",
    ),
]


@pytest.mark.parametrize(("signals", "phases"), STORIES)
def test_stories(signals: list[Signal], phases: list[str]) -> None:
    found = list(itertools.accumulate(signals, after, initial=Phase.CONNECTING))

    assert [phase.value for phase in found[1:]] == phases


def test_every_phase_has_a_row() -> None:
    assert set(TRANSITIONS) == set(Phase)


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.CONNECTING])
def test_every_phase_can_be_left_and_reached(phase: Phase) -> None:
    assert after(phase, Signal.OPEN) is Phase.CONNECTING
    assert any(after(before, signal) is phase for before in Phase for signal in Signal)


@given(st.lists(st.sampled_from(Signal)))
def test_only_a_picture_makes_a_camera_live(signals: list[Signal]) -> None:
    phase = Phase.CONNECTING
    for signal in signals:
        before, phase = phase, after(phase, signal)
        if phase is Phase.LIVE and before is not Phase.LIVE:
            assert signal is Signal.PICTURE or (before, signal) == (Phase.DEGRADED, Signal.SOUND)
