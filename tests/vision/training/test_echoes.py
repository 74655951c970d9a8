"""Each view is shown several times, late and mixed with others, and then forgotten."""

from collections import Counter

import numpy as np
import pytest

from vision.encoder import anchor_points
from vision.training.echoes import Echoes, Taught

SIZE = (64, 96)


def taught(number: int, size: tuple[int, int] = SIZE) -> Taught:
    points = len(anchor_points(*size))
    return Taught(
        np.full((*size, 3), number % 256, np.uint8),
        np.full((points, 2), number, np.float16),
        np.zeros((points, 4), np.float32),
        np.zeros((points, 3), np.float16),
    )


class Maker:
    """Makes views that are told apart by their scores."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, size: tuple[int, int]) -> Taught:
        self.made += 1
        return taught(self.made, size)


def numbers(views: list[Taught]) -> list[int]:
    return [int(view.scores_AC[0, 0]) for view in views]


def echoes_of(maker: Maker, *, echoes: int = 4, waiting: int = 10) -> Echoes:
    return Echoes(maker, random=np.random.default_rng(0), echoes=echoes, waiting=waiting)


def test_a_view_is_shown_as_often_as_asked_and_no_more() -> None:
    maker = Maker()
    shown = echoes_of(maker)

    counts = Counter(number for _ in range(300) for number in numbers(shown.take(8, SIZE)))

    assert max(counts.values()) == 4
    assert np.mean([counts[number] for number in range(1, maker.made - 60)]) > 3.8


def test_making_is_needed_for_a_share_of_the_views_only() -> None:
    maker = Maker()
    shown = echoes_of(maker)

    for _ in range(100):
        assert len(shown.take(8, SIZE)) == 8

    assert maker.made <= 800 / 4 + 20


def test_no_batch_shows_a_view_twice() -> None:
    shown = echoes_of(Maker())
    for _ in range(100):
        seen = numbers(shown.take(8, SIZE))
        assert len(set(seen)) == len(seen)


def test_nothing_is_repeated_before_enough_views_wait() -> None:
    maker = Maker()
    shown = echoes_of(maker, waiting=40)

    for _ in range(5):
        shown.take(8, SIZE)

    assert maker.made == 40


def test_sizes_do_not_mix() -> None:
    shown = echoes_of(Maker())
    for _ in range(30):
        for size in (SIZE, (32, 64)):
            assert {view.clear_HW3.shape[:2] for view in shown.take(4, size)} == {size}


def test_without_echoes_every_view_is_new() -> None:
    maker = Maker()
    shown = echoes_of(maker, echoes=1)

    for _ in range(20):
        shown.take(8, SIZE)

    assert maker.made == 160


def test_the_mirror_turns_targets_with_the_picture() -> None:
    """A view whose features say where each anchor point lies, and whose boxes lie around it."""
    points_A3 = anchor_points(*SIZE).numpy()
    x, y, stride = points_A3.T
    boxes_A4 = np.stack([x - 3, y - stride, x + 5, y + 2], axis=1).astype(np.float32)
    plain = Taught(
        np.random.default_rng(0).integers(0, 255, (*SIZE, 3)).astype(np.uint8),
        x[:, None].astype(np.float16),
        boxes_A4,
        y[:, None].astype(np.float16),
    )

    mirrored = plain.mirrored()

    assert np.array_equal(mirrored.clear_HW3, plain.clear_HW3[:, ::-1])
    assert mirrored.scores_AC[:, 0] == pytest.approx(SIZE[1] - x)
    assert mirrored.features_AD[:, 0] == pytest.approx(y)
    assert mirrored.boxes_A4 == pytest.approx(
        np.stack([x - 5, y - stride, x + 3, y + 2], axis=1), abs=1e-4
    )
    assert np.array_equal(mirrored.mirrored().boxes_A4, plain.boxes_A4)
