from collections.abc import Callable

import numpy as np

from contracts.frames import BgrImage, Frame
from tests.fakes.scuffles import court, patch, struggling, walking
from tests.fakes.tracks import header_at
from vision.cues.stir_reader import StirReader
from vision.cues.stirs import MEASURES, Stir


def shown(
    picture: Callable[[int], BgrImage], *, steps: int = 10, reader: StirReader | None = None
) -> tuple[StirReader, list[Stir]]:
    reader = reader or StirReader()
    stirs: list[Stir] = []
    for step in range(steps + 1):
        frame = Frame(header=header_at(round(0.2 * step, 3)), pixels_HW3=picture(step))
        stirs = list(reader.look(frame, is_open=True) or ())
    return reader, stirs


def mean_of(stir: Stir, measure: str) -> float:
    return float(np.mean([one.values_F[MEASURES.index(measure)] for one in stir.past()]))


def test_nothing_stirs_in_an_empty_court() -> None:
    _, stirs = shown(lambda _: court())

    assert stirs == []


def test_two_who_struggle_are_one_stir_in_one_place() -> None:
    reader, stirs = shown(struggling)

    [stir] = stirs
    left, top, right, bottom = stir.box
    assert 0.35 < left < 0.47
    assert 0.5 < right < 0.7
    assert 0.25 < top < 0.5
    assert 0.5 < bottom < 0.75
    assert reader.window(stir).shape == (10, len(MEASURES))


def test_who_struggles_moves_against_itself_and_jerkily_and_who_walks_does_not() -> None:
    walk, fight = shown(walking)[1][0], shown(struggling)[1][0]

    for measure in ("unlike", "spread", "shear", "against", "jerk", "rough"):
        assert mean_of(fight, measure) > 1.5 * mean_of(walk, measure), measure


def test_measures_are_finite_and_do_not_depend_on_the_size() -> None:
    """Seen from twice as far, the same struggle is measured alike."""

    def far(step: int) -> BgrImage:
        near_HW3 = struggling(step)
        far_HW3 = court()
        far_HW3[45:135, 80:240] = near_HW3[::2, ::2]
        return far_HW3

    near, distant = shown(struggling)[1][0], shown(far)[1][0]

    assert np.isfinite(near.values_F).all()
    assert np.isfinite(distant.values_F).all()
    assert mean_of(near, "size") > 1.4 * mean_of(distant, "size")
    for measure in ("pace", "shape", "fill", "turmoil"):
        assert abs(mean_of(near, measure) - mean_of(distant, measure)) < 0.3, measure


def test_another_scene_begins_anew() -> None:
    squares_HW = np.indices((180, 320)).sum(axis=0) // 40 % 2 * 200 + 20
    other = np.repeat(squares_HW[..., None], 3, axis=2).astype(np.uint8)
    reader, before = shown(struggling)

    cut = reader.look(Frame(header=header_at(2.2), pixels_HW3=other), is_open=True)
    after = reader.look(Frame(header=header_at(2.4), pixels_HW3=struggling(11)), is_open=True)

    assert before
    assert not cut
    assert not after


def test_what_moves_on_and_on_is_a_machine_and_no_stir() -> None:
    def escalator(step: int) -> BgrImage:
        rows = (np.arange(80) + 10 * step) // 10 % 2 * 120 + 60
        picture = court()
        picture[60:140, 200:280] = rows[:, None, None]
        return patch(picture, at=(60, 2 * step), seed=7) if step > 20 else picture

    _, early = shown(escalator, steps=8)
    _, late = shown(escalator, steps=30)

    assert [round(stir.box[0], 1) for stir in early] == [0.6]
    assert {round(stir.box[0], 1) for stir in late} == {0.1}


def test_two_places_have_each_its_own_past() -> None:
    def both(step: int) -> BgrImage:
        draw = np.random.default_rng((9, step))
        x, y = draw.integers(-8, 9, 2).tolist()
        return patch(struggling(step), at=(40 + x, 60 + y), seed=100 + step)

    _, stirs = shown(both)

    assert len(stirs) == 2
    for stir in stirs:
        lefts = [one.box[0] for one in stir.past()]
        assert max(lefts) - min(lefts) < 0.2


def test_a_rate_of_25_gives_steps_of_a_fifth_of_a_second() -> None:
    reader = StirReader()
    steps = 0
    for index in range(51):
        frame = Frame(header=header_at(0.04 * index), pixels_HW3=struggling(index // 5))
        steps += reader.look(frame, is_open=True) is not None

    assert 10 <= steps <= 13


def test_after_a_pause_nothing_is_compared_across_it() -> None:
    reader, _ = shown(struggling)

    late = Frame(header=header_at(9.0), pixels_HW3=struggling(3))

    assert reader.look(late, is_open=True) is None


def test_frames_in_which_nothing_moves_are_only_remembered() -> None:
    reader = StirReader()
    for step in range(6):
        frame = Frame(header=header_at(0.2 * step), pixels_HW3=struggling(step))
        assert reader.look(frame, is_open=False) is None

    frame = Frame(header=header_at(1.2), pixels_HW3=struggling(6))
    [stir] = reader.look(frame, is_open=True) or ()
    assert len(list(stir.past())) == 1
    assert not reader.window(stir)[:5].any()
