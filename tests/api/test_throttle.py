from api.problems import Refusal
from api.throttle import SignInThrottle
from tests.fakes.clock import ManualClock


def refused_for_s(throttle: SignInThrottle, key: str = "k") -> int:
    """Try once; return the wait asked for, 0 if the attempt may be made."""
    try:
        throttle.attempt(key)
    except Refusal as refusal:
        return int(refusal.problem.headers["Retry-After"])
    return 0


def test_the_wait_doubles_with_each_further_attempt() -> None:
    clock = ManualClock()
    throttle = SignInThrottle(clock)
    for _ in range(5):
        assert refused_for_s(throttle) == 0

    waits = []
    for _ in range(4):
        waits.append(refused_for_s(throttle))
        clock.advance(waits[-1])
        assert refused_for_s(throttle) == 0, "after the wait one attempt may be made"

    assert waits == [60, 120, 240, 480]


def test_the_wait_ends_at_an_hour() -> None:
    clock = ManualClock()
    throttle = SignInThrottle(clock)
    for _ in range(30):
        clock.advance(refused_for_s(throttle))

    assert max(refused_for_s(throttle), refused_for_s(throttle)) <= 3600


def test_a_minute_without_attempts_forgives_a_few() -> None:
    clock = ManualClock()
    throttle = SignInThrottle(clock)
    for _ in range(4):
        throttle.attempt("k")

    clock.advance(60)

    assert [refused_for_s(throttle) for _ in range(5)] == [0] * 5


def test_success_forgives_all() -> None:
    throttle = SignInThrottle(ManualClock())
    for _ in range(4):
        throttle.attempt("k")

    throttle.succeed("k")

    assert [refused_for_s(throttle) for _ in range(5)] == [0] * 5


def test_many_names_do_not_use_up_memory() -> None:
    throttle = SignInThrottle(ManualClock())
    for _ in range(5):
        throttle.attempt("first")

    for number in range(10_000):
        throttle.attempt(f"name {number}")

    assert [refused_for_s(throttle, "name 9999") for _ in range(5)] == [0, 0, 0, 0, 60]
    assert refused_for_s(throttle, "first") == 0, "the longest unused is forgotten"
