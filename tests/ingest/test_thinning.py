"""Key pictures alone, while there is no time to decode all: when, for how long, and of whom not."""

import itertools
import random

import pytest

from ingest.thinning import (
    AGAIN_S,
    CALM_FOR_MAX_S,
    CALM_FOR_S,
    CALM_S,
    KEYS_APART_MAX_S,
    LATE_FOR_S,
    LATE_S,
    VAIN_S,
    Thinning,
)

FPS = 10


class Stream:
    """Pictures of one camera, a key picture every ``key_every`` of them."""

    def __init__(self, *, key_every: int = 10, is_ordered: bool = True) -> None:
        self.now_s = 100.0
        self.thinning = Thinning(chance=random.Random(5))  # noqa: S311  # jitter, no secret
        self.thinning.begin(is_ordered=is_ordered)
        self.decoded = 0
        self.sent = 0
        self._key_every = key_every

    def play(self, seconds: float, *, late_s: float, waiting: float = 0.5) -> int:
        """Return how many of these pictures were decoded."""
        before = self.decoded
        for _ in range(round(seconds * FPS)):
            self.now_s += 1 / FPS
            is_key = self.sent % self._key_every == 0
            self.sent += 1
            if self.thinning.takes(is_key, self.now_s):
                self.decoded += 1
                self.thinning.look(late_s=late_s, waiting=waiting, now_s=self.now_s)
        return self.decoded - before


def thinned() -> Stream:
    stream = Stream()
    stream.play(5.0, late_s=0.0)
    stream.play(5.0, late_s=LATE_S + 0.5)
    assert stream.thinning.is_on
    return stream


def test_a_loop_in_time_decodes_all() -> None:
    assert Stream().play(600.0, late_s=0.2) == 600 * FPS


def test_a_loop_that_is_late_decodes_key_pictures_alone() -> None:
    assert thinned().play(10.0, late_s=0.7) == 10


def test_a_burst_is_no_lateness() -> None:
    stream = Stream()
    for _ in range(50):
        stream.play(LATE_FOR_S - 0.2, late_s=LATE_S + 1.0)
        stream.play(0.2, late_s=0.1)

    assert stream.decoded == stream.sent


def test_decoding_begins_and_ends_at_key_pictures_so_that_none_lacks_what_it_rests_on() -> None:
    stream = Stream()
    taken: list[tuple[bool, bool]] = []
    for number in range(2000):
        stream.now_s += 1 / FPS
        is_key = number % 10 == 0
        takes = stream.thinning.takes(is_key, stream.now_s)
        taken.append((is_key, takes))
        if takes:
            late_s = LATE_S + 1 if 300 <= number < 330 else 0.0
            stream.thinning.look(late_s=late_s, waiting=0.5, now_s=stream.now_s)

    assert not all(takes for _, takes in taken)
    for before, (is_key, takes) in itertools.pairwise(taken):
        assert is_key or takes is False or before[1], "a picture whose reference was left out"
    assert all(takes for _, takes in taken[-100:])


def test_all_is_decoded_again_after_calm_and_tried_ever_more_seldom_in_vain() -> None:
    stream = thinned()
    waits: list[float] = []
    for _ in range(8):
        began_s = stream.now_s
        while stream.thinning.is_on:
            stream.play(1.0, late_s=0.1)
        waits.append(stream.now_s - began_s)
        stream.play(4.0, late_s=LATE_S + 0.5)
        assert stream.thinning.is_on

    assert CALM_FOR_S <= waits[0] <= 1.5 * CALM_FOR_S + 3
    assert waits[1] > 1.8 * waits[0]
    assert waits[-1] <= CALM_FOR_MAX_S + 3


def test_a_try_that_held_makes_the_next_one_short_again() -> None:
    stream = thinned()
    for _ in range(3):
        while stream.thinning.is_on:
            stream.play(1.0, late_s=0.1)
        stream.play(4.0, late_s=LATE_S + 0.5)
    while stream.thinning.is_on:
        stream.play(1.0, late_s=0.1)
    stream.play(120.0, late_s=0.1)
    stream.play(5.0, late_s=LATE_S + 0.5)
    began_s = stream.now_s
    while stream.thinning.is_on:
        stream.play(1.0, late_s=0.1)

    assert stream.now_s - began_s <= 1.5 * CALM_FOR_S + 3


def test_neither_late_nor_calm_stays_as_it_is() -> None:
    stream = thinned()

    assert stream.play(600.0, late_s=(LATE_S + CALM_S) / 2) == 600


def test_a_loop_that_waits_for_its_line_is_late_for_that() -> None:
    assert Stream().play(60.0, late_s=3.0, waiting=0.95) == 60 * FPS


def test_a_machine_too_busy_for_key_pictures_as_well_is_not_made_to_decode_all() -> None:
    stream = thinned()

    assert stream.play(600.0, late_s=3.0) == 600


def test_a_line_that_is_too_slow_is_not_helped_and_not_tried_again_soon() -> None:
    stream = thinned()
    stream.play(VAIN_S + 2, late_s=3.0, waiting=0.95)
    assert not stream.thinning.is_on
    assert stream.play(AGAIN_S - 10, late_s=3.0) == round((AGAIN_S - 10) * FPS)

    stream.play(15.0, late_s=3.0)
    assert stream.thinning.is_on


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"key_every": round(KEYS_APART_MAX_S * FPS) + 1}, id="keys are rare"),
        pytest.param({"key_every": 10**6}, id="there are none"),
        pytest.param({"key_every": 1}, id="there are no others"),
        pytest.param({"is_ordered": False}, id="a key picture waits for others to be shown"),
    ],
)
def test_where_key_pictures_alone_would_show_too_little_all_are_decoded(
    how: dict[str, int],
) -> None:
    stream = Stream(**how)  # type: ignore[arg-type]  # of one of its arguments
    stream.play(10.0, late_s=0.0)

    assert stream.play(60.0, late_s=LATE_S + 0.5) == 60 * FPS
    assert not stream.thinning.is_on


def test_a_new_connection_goes_on_as_it_was_from_its_first_key_picture() -> None:
    stream = thinned()
    stream.thinning.begin(is_ordered=True)

    assert stream.play(10.0, late_s=0.7) <= 11
