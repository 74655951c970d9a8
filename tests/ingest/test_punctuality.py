import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.punctuality import CAUGHT_UP_S, LATE_MAX_S, TRIAL_S, Punctuality


def admitted(late_s: list[float], *, is_on_trial: bool = False, fps: float = 10.0) -> list[bool]:
    """Whether each picture was, of pictures that came that late."""
    kept = Punctuality(is_on_trial=is_on_trial)
    return [kept.admits(index / fps, late) for index, late in enumerate(late_s)]


@pytest.mark.parametrize(("late_s", "is_shown"), [(LATE_MAX_S, True), (LATE_MAX_S + 0.1, False)])
def test_boundary(late_s: float, is_shown: bool) -> None:
    assert admitted([late_s]) == [is_shown]


def test_what_was_too_late_must_have_caught_up() -> None:
    assert admitted([2.5, 1.5, CAUGHT_UP_S, 1.5]) == [False, False, True, True]


def test_a_connection_that_follows_a_late_one_is_shown_once_it_has_kept_up() -> None:
    shown = admitted([0.1] * 40, is_on_trial=True)

    assert shown.index(True) == TRIAL_S * 10
    assert all(shown[shown.index(True) :])


def test_a_connection_that_falls_behind_at_once_is_never_shown() -> None:
    """500 kbit/s for 4 Mbit/s: the first key frame was 2 s late, and nothing else tells so."""
    assert not any(admitted([0.7 * index for index in range(60)], is_on_trial=True, fps=1.25))


def test_a_connection_in_time_is_shown_at_once() -> None:
    assert admitted([0.0]) == [True]


@given(st.lists(st.floats(0.0, 20.0), max_size=60), st.booleans())
def test_nothing_later_than_allowed_is_ever_shown(late_s: list[float], is_on_trial: bool) -> None:
    shown = admitted(late_s, is_on_trial=is_on_trial)

    assert not any(
        is_shown and late > LATE_MAX_S for is_shown, late in zip(shown, late_s, strict=True)
    )
