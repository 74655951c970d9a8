from ingest.opening import OPENING_MAX_S, Opening


def over_at(arrivals: list[tuple[float, float]]) -> float | None:
    """The arrival with which the opening is over, of (stream time, arrival)."""
    opening = Opening(*arrivals[0])
    for stream_s, now_s in arrivals[1:]:
        opening.add(stream_s, now_s)
        if opening.is_over:
            return now_s
    return None


def test_pictures_that_come_as_they_are_taken_are_no_burst() -> None:
    assert over_at([(7.0, 0.0), (7.1, 0.1)]) == 0.1


def test_the_jitter_of_a_network_is_no_burst() -> None:
    assert over_at([(7.0, 0.0), (7.1, 0.08)]) == 0.08


def test_what_is_read_faster_than_it_was_taken_is_a_burst() -> None:
    burst = [(0.1 * index, 1.0 + 0.05 * index) for index in range(10)]

    assert over_at(burst) is None
    assert over_at([*burst, (1.0, 1.6)]) == 1.6


def test_pictures_of_one_time_tell_nothing() -> None:
    assert over_at([(0.0, 0.0), (0.0, 0.1), (0.1, 0.1), (0.2, 0.2)]) == 0.2


def test_it_is_not_waited_for_without_end() -> None:
    fast = [(0.2 * index, 0.1 * index) for index in range(60)]

    assert over_at(fast) == OPENING_MAX_S


def test_once_over_it_stays_over() -> None:
    opening = Opening(0.0, 0.0)
    opening.add(0.1, 0.1)
    opening.add(1.0, 0.1)

    assert opening.is_over
