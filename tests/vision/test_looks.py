import math

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
    return float(memory.distances([0], [0], look[None])[0])


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


def test_where_no_look_is_known_there_is_no_distance() -> None:
    memory = known(FRONT)
    memory.add(1)
    nothing = np.full(8, np.nan, np.float32)

    distances = memory.distances([0, 0, 1, 1], [0, 1, 0, 1], np.stack([FRONT, nothing]))

    assert np.isnan(distances).tolist() == [False, True, True, True]


def test_who_takes_the_place_of_one_who_left_knows_nothing_of_it() -> None:
    memory = known(FRONT)
    memory.keep([False])
    memory.add(1)

    assert math.isnan(distance(memory, FRONT))


def test_another_size_of_embedding_begins_anew() -> None:
    memory = known(FRONT)
    memory.learn([0], np.eye(4, dtype=np.float32)[:1], now_s=5.0)

    assert math.isnan(distance(memory, FRONT))
    assert distance(memory, np.eye(4, dtype=np.float32)[0]) == pytest.approx(0.0, abs=1e-6)


def test_rows_move_up_together() -> None:
    memory = Looks()
    memory.add(2)
    memory.learn([0, 1], np.stack([FRONT, SIDE]), now_s=0.0)

    memory.keep([False, True])

    assert distance(memory, SIDE) == pytest.approx(0.0, abs=1e-6)
