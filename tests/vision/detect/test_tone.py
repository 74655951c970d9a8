import numpy as np
import pytest

from vision.detect.tone import find_tone

RNG = np.random.default_rng(3)


def planes(count: int = 2000) -> np.ndarray:
    luma = RNG.uniform(20, 230, count)
    chroma = RNG.uniform(110, 146, (2, count))
    return np.vstack([luma, chroma]).astype(np.float32)


def test_the_same_picture_is_plain() -> None:
    was = planes()

    assert find_tone(was + RNG.normal(0, 1, was.shape).astype(np.float32), was, enough=10).is_plain


@pytest.mark.parametrize("gain", [0.5, 0.8, 1.1])
def test_finds_the_exposure(gain: float) -> None:
    was = planes()
    now = was * np.float32(gain)
    now[1:] += np.float32(128 * (1 - gain))

    tone = find_tone(now, was, enough=10)

    assert tone.gain == pytest.approx(gain, rel=0.01)
    assert tone.applied(was.reshape(3, 40, 50)) == pytest.approx(now.reshape(3, 40, 50), abs=1.5)


def test_an_object_on_a_third_of_the_picture_changes_nothing() -> None:
    was = planes(3000)
    now = was.copy()
    now[0, :1000] = 30

    tone = find_tone(now, was, enough=10)

    assert tone.gain == pytest.approx(1.0, abs=0.01)
    assert np.abs(tone.curve_L - np.arange(256)).max() < 1


def test_follows_a_curve_that_spares_the_bright_parts() -> None:
    was = planes(4000)
    now = was.copy()
    now[0] = 255 * (was[0] / 255) ** 0.8

    tone = find_tone(now, was, enough=10)

    levels = np.arange(40, 220)
    assert tone.curve_L[levels] == pytest.approx(255 * (levels / 255) ** 0.8, abs=4)


def test_follows_the_white_balance() -> None:
    was = planes()
    now = was.copy()
    now[1] += 6

    tone = find_tone(now, was, enough=10)

    assert tone.casts == pytest.approx((6.0, 0.0), abs=0.1)
    assert not tone.is_plain


@pytest.mark.parametrize("count", [0, 5])
def test_says_nothing_of_too_few_pixels(count: int) -> None:
    was = planes(count)

    assert find_tone(was * 2, was, enough=10).is_plain


def test_says_nothing_of_darkness() -> None:
    was = np.full((3, 500), 2, np.float32)

    assert find_tone(was * 3, was, enough=10).is_plain
