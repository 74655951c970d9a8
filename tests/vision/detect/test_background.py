import numpy as np
import pytest

from vision.detect.background import NOISE_CEILING, SEED_FRAMES, Background

HEIGHT, WIDTH = 60, 80
RNG = np.random.default_rng(5)


def picture(level: float = 100.0, *, noise: float = 1.5) -> np.ndarray:
    planes = np.full((3, HEIGHT, WIDTH), 128, np.float32)
    planes[0] = level + RNG.normal(0, noise, (HEIGHT, WIDTH))
    return planes


def nothing() -> np.ndarray:
    return np.zeros((HEIGHT, WIDTH), np.uint8)


def learnt(*, noise: float = 1.5, seconds: float = 10.0) -> Background:
    background = Background(HEIGHT, WIDTH)
    while not background.is_seeded:
        background.seed(picture(noise=noise), step_s=0.2)
    for _ in range(round(seconds * 5)):
        background.update(picture(noise=noise), held_HW=nothing(), step_s=0.2)
    return background


def test_needs_some_time_and_some_pictures_to_begin() -> None:
    slow, fast = Background(HEIGHT, WIDTH), Background(HEIGHT, WIDTH)

    for _ in range(SEED_FRAMES[0] - 1):
        slow.seed(picture(), step_s=2.0)
    for _ in range(19):
        fast.seed(picture(), step_s=0.04)

    assert not slow.is_seeded
    assert not fast.is_seeded


def test_begins_with_the_median_so_that_a_passer_by_is_not_learnt() -> None:
    background = Background(HEIGHT, WIDTH)
    for number in range(5):
        shown = picture()
        shown[0, :, 16 * number : 16 * number + 16] = 20
        background.seed(shown, step_s=0.25)

    assert background.is_seeded
    assert background.mean_PHW[0] == pytest.approx(np.full((HEIGHT, WIDTH), 100.0), abs=8)


def test_noise_scores_below_one_and_a_thing_far_above() -> None:
    background = learnt()
    shown = picture()
    shown[0, 20:40, 20:40] = 40

    score = background.score(shown)

    assert np.mean(score[:, 50:] > 1) < 0.01
    assert score[22:38, 22:38].min() > 2


def test_colour_alone_is_a_difference() -> None:
    background = learnt()
    shown = picture()
    shown[1, 20:40, 20:40] = 160

    assert background.score(shown)[22:38, 22:38].min() > 1


def test_a_noisier_camera_gets_a_higher_threshold() -> None:
    assert np.median(learnt(noise=6).noise()) > 1.8 * np.median(learnt(noise=1).noise())


def test_restless_foreground_becomes_noise_but_never_boundless() -> None:
    background = learnt()
    everywhere = np.full((HEIGHT, WIDTH), 255, np.uint8)

    for number in range(400):
        background.update(picture(60 + 80 * (number % 2)), held_HW=everywhere, step_s=0.2)

    assert np.median(background.noise()) == pytest.approx(NOISE_CEILING)


def test_follows_a_slow_change_where_nothing_stands_and_keeps_what_is_covered() -> None:
    background = learnt()
    held = nothing()
    held[:, :40] = 255

    for number in range(100):
        background.update(picture(100 + 0.2 * number), held_HW=held, step_s=0.2)

    assert background.mean_PHW[0, :, 45:].mean() == pytest.approx(118, abs=4)
    assert background.mean_PHW[0, :, :35].mean() == pytest.approx(100, abs=1)


def test_counts_how_long_a_held_pixel_has_not_changed() -> None:
    background = learnt()
    held = nothing()
    held[20:40, 20:40] = 255
    shown = picture(noise=0)
    shown[0, 20:40, 20:40] = 30

    for _ in range(50):
        background.update(shown, held_HW=held, step_s=0.2)
    stood_s = float(np.median(background.still_s_HW[20:40, 20:40]))
    shown[0, 20:40, 20:40] = 90
    background.update(shown, held_HW=held, step_s=0.2)

    assert 8 < stood_s <= 10
    assert background.still_s_HW[20:40, 20:40].max() == 0
    assert background.still_s_HW[:, 50:].max() == 0


def test_absorbs_exactly_what_it_is_told_to() -> None:
    background = learnt()
    mask = nothing()
    mask[20:40, 20:40] = 255

    background.absorb(picture(30, noise=0), mask)

    assert background.mean_PHW[0, 20:40, 20:40] == pytest.approx(np.full((20, 20), 30.0))
    assert background.mean_PHW[0, :20].mean() == pytest.approx(100, abs=1)


def test_follows_the_exposure_also_under_what_stands_there() -> None:
    background = learnt()
    held = nothing()
    held[20:40, 20:40] = 255
    background.update(picture(), held_HW=held, step_s=0.2)
    shown = picture(70)
    shown[0, 20:40, 20:40] = 10

    tone = background.follow_light(shown)

    assert tone.gain == pytest.approx(0.7, abs=0.01)
    assert background.mean_PHW[0, 20:40, 20:40].mean() == pytest.approx(70, abs=1.5)


def test_a_restart_forgets_the_scene() -> None:
    background = learnt()

    background.restart()

    assert not background.is_seeded


@pytest.mark.parametrize(
    ("noise", "is_found"),
    [
        pytest.param(0.5, True, id="less noise than the floor that full light asks for"),
        pytest.param(4.0, False, id="noise that was measured"),
    ],
)
def test_in_little_light_only_the_floor_of_the_noise_is_less(noise: float, is_found: bool) -> None:
    background = learnt(noise=noise, seconds=30)
    shown = picture(noise=noise)
    shown[0, 20:40, 20:40] += 5

    assert np.mean(background.score(shown)[20:40, 20:40] > 1) < 0.5
    assert (np.mean(background.score(shown, light=0.4)[20:40, 20:40] > 1) > 0.9) == is_found
    assert np.mean(background.score(shown, light=0.4)[:, 50:] > 1) < 0.02


@pytest.mark.parametrize(("level", "light"), [(20.0, 0.4), (60.0, 0.6), (100.0, 1.0), (180.0, 1.0)])
def test_the_light_of_a_scene_is_a_share_of_full_light(level: float, light: float) -> None:
    background = Background(HEIGHT, WIDTH)
    while not background.is_seeded:
        background.seed(picture(level), step_s=0.2)

    assert background.light() == pytest.approx(light, abs=0.01)


def test_black_bars_are_no_darkness() -> None:
    background = Background(HEIGHT, WIDTH)
    while not background.is_seeded:
        shown = picture(110)
        shown[0, :, :30] = 0
        background.seed(shown, step_s=0.2)

    assert background.light() == 1.0
