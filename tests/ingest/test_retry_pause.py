"""What failed is tried again after a while that fits what the failure cost."""

import errno

import pytest

from ingest.retry_pause import RetryPause, is_short_of_files


def test_nothing_is_held_off_before_a_failure() -> None:
    pause = RetryPause()

    assert pause.is_due(now_s=0.0)
    assert not pause.is_on


def test_a_quick_failure_holds_off_for_half_a_second() -> None:
    pause = RetryPause()

    pause.failed(now_s=10.0, took_s=0.01)

    assert pause.is_on
    assert not pause.is_due(now_s=10.4)
    assert pause.is_due(now_s=10.5)


def test_a_slow_failure_holds_off_for_twice_its_time() -> None:
    pause = RetryPause()

    pause.failed(now_s=10.0, took_s=2.0)

    assert not pause.is_due(now_s=13.9)
    assert pause.is_due(now_s=14.0)


def test_success_ends_it() -> None:
    pause = RetryPause()
    pause.failed(now_s=10.0, took_s=2.0)

    pause.succeeded()

    assert pause.is_due(now_s=10.0)
    assert not pause.is_on


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_a_want_of_files_is_known_behind_another_error(number: int) -> None:
    error = ConnectionError("cannot connect")
    error.__cause__ = OSError(number, "Too many open files")

    assert is_short_of_files(error)


def test_other_errors_are_no_want_of_files() -> None:
    assert not is_short_of_files(ConnectionRefusedError(errno.ECONNREFUSED, "refused"))
    assert not is_short_of_files(ValueError("number"))
