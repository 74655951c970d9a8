"""Displays: what shows something else again and again is no place of things."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from contracts.rules import RuleKind
from tests.fakes.thing_scenes import Placed, Scene, Watcher
from vision.cues.ground import Ground
from vision.cues.restless import RESTLESS

Tones = npt.NDArray[np.uint8]
SHAPE = (40, 60)
SCREEN = (slice(10, 20), slice(20, 35))
STEP_S = 0.2


def changes(
    shown: Callable[[float], Tones],
    *,
    seconds: float = 40.0,
    covered: Callable[[float], bool] = lambda _: False,
) -> float:
    ground = Ground(shown(0.0))
    for number in range(1, round(seconds / STEP_S)):
        at_s = number * STEP_S
        covered_HW = np.zeros(SHAPE, np.uint8)
        covered_HW[SCREEN] = 255 if covered(at_s) else 0
        ground.look(shown(at_s), covered_HW=covered_HW, step_s=STEP_S)
    return float(np.median(ground.changes_HW[SCREEN]))


def picture(screen: int, *, rest: int = 120) -> Tones:
    tones = np.full((*SHAPE, 3), rest, np.uint8)
    tones[SCREEN] = screen
    return tones


def display(at_s: float) -> Tones:
    return picture((60, 200, 130)[int(at_s / 5) % 3])


def test_each_other_picture_on_a_display_counts() -> None:
    assert 5.5 < changes(display) < 7


def test_changes_are_forgotten() -> None:
    assert changes(lambda at_s: display(min(at_s, 21.0)), seconds=30) > RESTLESS
    assert changes(lambda at_s: display(min(at_s, 21.0)), seconds=180) < RESTLESS


def test_who_passes_and_leaves_what_was_there_does_not_count() -> None:
    assert changes(lambda at_s: picture(200 if at_s % 5 < 1 else 60)) < 0.1


def test_what_changes_behind_somebody_does_not_count() -> None:
    assert changes(display, covered=lambda at_s: at_s % 5 > 4) < 0.1


def test_light_does_not_count() -> None:
    def lit(at_s: float) -> Tones:
        level = (60, 100, 160)[int(at_s / 5) % 3]
        return picture(level, rest=level)

    assert changes(lit) < 0.1


@pytest.mark.parametrize("shown_s", [6.5, 9.0])
def test_nothing_is_removed_from_a_display(shown_s: float) -> None:
    pictures = [
        Placed(at=(0.5, 0.3), size=(0.12, 0.2), from_s=start, to_s=start + 4, seed=20 + number)
        for number, start in enumerate((4.0, 8.0, 12.0, 16.0))
    ]
    pictures.append(Placed(at=(0.5, 0.3), size=(0.12, 0.2), from_s=22, to_s=22 + shown_s, seed=9))
    watcher = Watcher(
        Scene(
            name="display",
            things=tuple(pictures),
            seconds=36,
            params={RuleKind.ABANDONED: {"threshold_s": 5}},
        )
    )

    assert [event.kind for event in watcher.watch()] == []
