"""Cuts: said once where furniture jumps, and of nothing else that changes much at once."""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.fakes.builders import header
from tests.fakes.thing_scenes import Placed, Scene, Watcher
from vision.cues.cuts import STEPS, Cuts
from vision.cues.ground import tones_of

Picture = npt.NDArray[np.float32]
HEIGHT, WIDTH = 180, 320
CUT = 15


def textured(seed: int, height: int = HEIGHT, width: int = WIDTH) -> Picture:
    coarse = np.random.default_rng(seed).uniform(40, 200, (height // 6, width // 6, 3))
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)


HALL = textured(1)


def furnished(*places: tuple[int, int], size: int = 50, seed: int = 2) -> Picture:
    picture = HALL.copy()
    for number, (x, y) in enumerate(places):
        picture[y : y + size, x : x + size] = textured(seed + number, size, size)
    return picture


BEFORE, AFTER = furnished((20, 100)), furnished((120, 90), (230, 60), seed=9)


def told(shown: Callable[[int], Picture], *, pictures: int = 2 * CUT, fps: float = 5) -> list[int]:
    noise = np.random.default_rng(4)
    cuts = Cuts()
    found = []
    for seq in range(pictures):
        picture = shown(seq) + noise.normal(0, 2, HALL.shape)
        tones = tones_of(np.clip(picture, 0, 255).astype(np.uint8))
        if cuts.look(tones, seq / fps):
            found.append(seq)
    return found


def walking(seq: int) -> Picture:
    return furnished((10 * seq, 60), size=70)


def test_a_cut_is_said_once_as_soon_as_what_follows_is_calm() -> None:
    assert told(lambda seq: BEFORE if seq < CUT else AFTER) == [CUT + STEPS]


def test_at_a_high_rate_as_much_calm_is_asked_for() -> None:
    assert told(lambda seq: BEFORE if seq < 50 else AFTER, pictures=100, fps=25) == [60]


@pytest.mark.parametrize(
    "light",
    [0.3, 0.6, 1.6, np.linspace(0.3, 1.5, WIDTH)[None, :, None], 3.0, 8.0],
    ids=["dark", "darker", "brighter", "from one side", "glaring", "blinding"],
)
def test_light_is_no_cut(light: float | Picture) -> None:
    assert told(lambda seq: BEFORE * (light if 10 <= seq < 20 else 1.0)) == []


def test_somebody_large_who_walks_through_is_no_cut() -> None:
    assert told(walking, pictures=25) == []


def test_who_walks_at_four_pictures_a_second_and_is_recorded_twice_is_no_cut() -> None:
    assert told(lambda seq: walking(seq - seq % 2), pictures=25) == []


def test_a_thing_that_appears_between_two_pictures_is_no_cut() -> None:
    assert told(lambda seq: HALL if seq < CUT else furnished((130, 80), size=58)) == []


def test_the_first_pictures_are_no_cut() -> None:
    assert told(lambda seq: BEFORE if seq < 2 else AFTER, pictures=10) == []


def test_furniture_that_jumps_at_a_joint_was_neither_left_nor_taken() -> None:
    pieces = [((0.2, 0.6), (0.25, 0.4)), ((0.5, 0.9), (0.25, 0.5)), ((0.8, 0.7), (0.2, 0.45))]
    placed = [Placed(at=at, size=size, to_s=8.0) for at, size in pieces]
    placed += [Placed(at=(x - 0.1, y + 0.05), size=size, from_s=8.0) for (x, y), size in pieces]
    placed.append(Placed(at=(0.35, 0.6), from_s=8.0))
    watcher = Watcher(Scene(name="joint", things=tuple(placed), seconds=18))

    assert watcher.watch() == []


def test_what_was_followed_ends_at_a_cut() -> None:
    pieces = [(0.15, 0.6), (0.5, 0.5), (0.85, 0.7)]
    walls = [Placed(at=at, size=(0.2, 0.4), from_s=9.0) for at in pieces]
    watcher = Watcher(
        Scene(name="bag", things=(Placed(at=(0.5, 0.9), from_s=4.0), *walls), seconds=12)
    )
    seen = []
    for seq in range(60):
        watcher.look(header(seq))
        seen.append([thing.track.state.value for thing in watcher.cues[-1].things.things])

    assert ["confirmed"] in seen
    assert ["ended"] in seen
    assert seen[-1] == []
