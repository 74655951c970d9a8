from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sources.damage import LOST_KEY_PACKETS, REDRAWN_S, DamageTrail, Soundness

SOUND, PATCHED, SPOILT = Soundness.SOUND, Soundness.PATCHED, Soundness.SPOILT
FPS = 10


class Stream:
    """Pictures into a trail, ten a second: K and P are whole, k and p arrive damaged."""

    def __init__(self) -> None:
        self.trail = DamageTrail()
        self._numbers = count()

    def play(self, pictures: str) -> list[Soundness]:
        return [
            self.trail.look(
                is_damaged=picture.islower(),
                is_key=picture.upper() == "K",
                stream_s=next(self._numbers) / FPS,
            )
            for picture in pictures
        ]


def test_a_whole_stream_is_sound() -> None:
    assert set(Stream().play("KPPPPKPPPP")) == {SOUND}


def test_what_is_drawn_on_a_damaged_picture_is_patched_until_the_next_key_picture() -> None:
    assert Stream().play("KPpPPKP") == [SOUND, SOUND, PATCHED, PATCHED, PATCHED, SOUND, SOUND]


def test_what_rests_on_a_damaged_key_picture_is_spoilt() -> None:
    assert Stream().play("KPkPpPKP") == [SOUND, SOUND, *[SPOILT] * 4, SOUND, SOUND]


@pytest.mark.parametrize(("is_key", "left"), [(True, SPOILT), (False, PATCHED)])
def test_what_follows_a_picture_that_could_not_be_decoded(is_key: bool, left: Soundness) -> None:
    stream = Stream()
    stream.play("KP")
    stream.trail.failed(is_key=is_key)

    assert stream.play("PPK") == [left, left, SOUND]


@pytest.mark.parametrize(
    ("packets", "left"), [(1, PATCHED), (LOST_KEY_PACKETS - 1, PATCHED), (LOST_KEY_PACKETS, SPOILT)]
)
def test_a_picture_that_got_lost_whole_is_missed(packets: int, left: Soundness) -> None:
    stream = Stream()
    stream.play("KP")
    stream.trail.lost(packets, is_caught_up=True)
    assert stream.play("P") == [left]

    stream.trail.lost(packets, is_caught_up=True)
    assert stream.play("PKP") == [left, SOUND, SOUND]


def test_a_loss_that_may_come_after_the_next_key_picture_is_not_over_with_it() -> None:
    stream = Stream()
    stream.play("KP")
    stream.trail.lost(2, is_caught_up=True)
    stream.play("P")
    stream.trail.lost(2, is_caught_up=False)
    assert stream.play("KP") == [PATCHED, PATCHED]

    stream.trail.lost(2, is_caught_up=True)
    assert stream.play("PKP") == [PATCHED, SOUND, SOUND]


def test_a_stream_without_key_pictures_has_redrawn_itself_after_a_while() -> None:
    stream = Stream()
    stream.play("Kp")

    shown = stream.play("P" * (round(REDRAWN_S * FPS) + 2))

    assert set(shown[:-2]) == {PATCHED}
    assert shown[-1] is SOUND


def test_where_key_pictures_come_they_are_waited_for() -> None:
    stream = Stream()
    stream.play("K" + "P" * 99 + "Kp")

    assert set(stream.play("P" * 150)) == {PATCHED}
    assert stream.play("K") == [SOUND]


@given(st.text("KPkp", max_size=60))
def test_after_a_whole_key_picture_nothing_before_it_counts(before: str) -> None:
    stream = Stream()
    stream.play(before)

    assert stream.play("KPP") == [SOUND] * 3


@given(st.text("KPkp", min_size=1, max_size=60))
def test_a_picture_that_arrived_damaged_is_never_sound(pictures: str) -> None:
    shown = Stream().play(pictures)

    assert all(
        one is not SOUND for one, picture in zip(shown, pictures, strict=True) if picture.islower()
    )
