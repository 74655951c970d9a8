"""What failed is tried again after a while that fits what the failure cost."""

from ingest.retry_pause import RetryPause


def test_nothing_is_held_off_before_a_failure() -> None:
    pause = RetryPause()

    assert pause.is_due(now_s=0.0)
    assert not pause.succeeded()


def test_a_quick_failure_holds_off_for_half_a_second() -> None:
    pause = RetryPause()

    pause.failed(now_s=10.0, took_s=0.01)

    assert not pause.is_due(now_s=10.4)
    assert pause.is_due(now_s=10.5)


def test_a_slow_failure_holds_off_for_twice_its_time() -> None:
    pause = RetryPause()

    pause.failed(now_s=10.0, took_s=2.0)

    assert not pause.is_due(now_s=13.9)
    assert pause.is_due(now_s=14.0)


def test_the_first_failure_and_the_first_success_are_news() -> None:
    pause = RetryPause()

    assert [pause.failed(now_s=10.0, took_s=2.0) for _ in range(2)] == [True, False]
    assert [pause.succeeded() for _ in range(2)] == [True, False]
    assert pause.is_due(now_s=10.0)
