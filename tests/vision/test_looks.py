import numpy as np
import pytest

from vision.looks import GALLERY, Looks

FRONT, SIDE, OTHER = np.eye(8, dtype=np.float32)[:3]


def known(*looks: np.ndarray, every_s: float = 1.0) -> Looks:
    memory = Looks()
    memory.add(1)
    for index, look in enumerate(looks):
        memory.learn([0], look[None], now_s=index * every_s)
    return memory


def distance(memory: Looks, look: np.ndarray) -> float:
    distances = memory.distances(look[None])
    assert distances is not None
    return float(distances[0, 0])


def test_remembers_how_it_looked_from_another_side() -> None:
    memory = known(FRONT, SIDE, SIDE, SIDE)

    assert distance(memory, FRONT) == pytest.approx(0.0, abs=1e-6)
    assert distance(memory, OTHER) == pytest.approx(1.0, abs=1e-6)


def test_the_oldest_look_makes_room() -> None:
    memory = known(FRONT, *[SIDE] * (GALLERY + 40))

    assert distance(memory, FRONT) > 0.9


def test_looks_of_one_moment_take_one_place() -> None:
    memory = known(FRONT, *[SIDE] * 4, every_s=0.2)

    assert distance(memory, FRONT) == pytest.approx(0.0, abs=1e-6)


def test_a_look_of_zeros_is_none() -> None:
    memory = known(FRONT)
    memory.add(1)
    memory.learn([1], np.zeros((1, 8), np.float32), now_s=0.0)

    distances = memory.distances(np.stack([FRONT, np.zeros(8, np.float32)]))

    assert distances is not None
    assert np.isnan(distances).tolist() == [[False, True], [True, True]]


def test_nobody_known_is_no_distance() -> None:
    memory = Looks()
    memory.add(2)

    assert memory.distances(FRONT[None]) is None


def test_another_size_of_embedding_begins_anew() -> None:
    memory = known(FRONT)
    memory.learn([0], np.eye(4, dtype=np.float32)[:1], now_s=5.0)

    assert memory.distances(FRONT[None]) is None
    assert distance(memory, np.eye(4, dtype=np.float32)[0]) == pytest.approx(0.0, abs=1e-6)


def test_rows_move_up_together() -> None:
    memory = Looks()
    memory.add(2)
    memory.learn([0, 1], np.stack([FRONT, SIDE]), now_s=0.0)

    memory.keep([False, True])

    assert distance(memory, SIDE) == pytest.approx(0.0, abs=1e-6)
