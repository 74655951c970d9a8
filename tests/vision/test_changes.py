import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.changes import Change, LocalChanges, Luma, detail_of

SIZE = (90, 160)


def textured(seed: int = 1) -> Luma:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(60, 180, (12, 20)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, SIZE[::-1]), np.uint8)


def noisy(luma_HW: Luma, number: int, *, sigma: float = 1.0) -> Luma:
    grain = np.random.default_rng(number).normal(0, sigma, luma_HW.shape)
    return np.clip(luma_HW + grain, 0, 255).astype(np.uint8)


def watched(changes: LocalChanges, lumas: list[Luma], *, is_learning: bool = True) -> list[Change]:
    return [changes.look(luma, step_s=0.2, is_learning=is_learning) for luma in lumas]


def with_spot(luma_HW: Luma, x: int, y: int, *, size: int = 3) -> Luma:
    changed = luma_HW.copy()
    changed[y : y + size, x : x + size] = 30
    return changed


def at_rest() -> LocalChanges:
    changes = LocalChanges(textured())
    watched(changes, [noisy(textured(), number) for number in range(50)])
    return changes


def test_nothing_changes_in_a_scene_that_is_only_noisy() -> None:
    found = watched(at_rest(), [noisy(textured(), number) for number in range(100, 150)])

    assert not any(change.is_there for change in found)


@given(x=st.integers(0, 156), y=st.integers(0, 86))
def test_a_spot_of_nine_pixels_is_found_wherever_it_is(x: int, y: int) -> None:
    [change] = watched(at_rest_once(), [with_spot(textured(), x, y)], is_learning=False)

    assert change.is_there


def at_rest_once() -> LocalChanges:
    """Cheap: without noise a single picture is enough to compare with."""
    return LocalChanges(textured())


@given(gain=st.floats(0.6, 1.3))
def test_detail_is_the_same_in_any_light(gain: float) -> None:
    """But for the tones that a darker picture no longer has."""
    lit = np.clip(textured() * gain, 0, 255).astype(np.uint8)

    off = np.abs(detail_of(lit).astype(int) - detail_of(textured()))

    assert np.percentile(off, 99) <= 4


def test_there_is_no_detail_on_a_wall() -> None:
    assert (detail_of(np.full(SIZE, 77, np.uint8)) == 128).all()


def test_a_place_that_stirs_by_itself_is_learned_and_the_others_stay_alert() -> None:
    rng = np.random.default_rng(3)
    changes = at_rest()
    leaves = [textured() for _ in range(200)]
    for number, luma in enumerate(leaves):
        luma[:, :30] = rng.permuted(luma[:, :30], axis=0)
        leaves[number] = noisy(luma, number)
    watched(changes, leaves)

    [waving] = watched(changes, [leaves[7]])
    [somebody] = watched(changes, [with_spot(leaves[7], 100, 40, size=6)])

    assert not waving.is_there
    assert somebody.is_there
    assert not waving.is_restless


@pytest.mark.parametrize("is_learning", [True, False])
def test_a_picture_that_stirs_everywhere_is_restless_if_that_may_be_learned(
    is_learning: bool,
) -> None:
    changes = LocalChanges(textured())
    snow = [noisy(textured(), number) for number in range(100)]
    for number, luma in enumerate(snow):
        rng = np.random.default_rng(number)
        luma[rng.integers(0, 90, 400), rng.integers(0, 160, 400)] = 220

    found = watched(changes, snow, is_learning=is_learning)

    assert found[-1].is_restless is is_learning


def test_what_stays_is_part_of_the_scene_after_a_while() -> None:
    changes = at_rest()
    parked = [noisy(with_spot(textured(), 80, 40, size=8), number) for number in range(400)]

    found = watched(changes, parked)

    assert found[0].is_there
    assert not any(change.is_there for change in found[300:])
