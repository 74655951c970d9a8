import numpy as np
import pytest

from ingest.sources.scenes import yard_plan as plan
from ingest.sources.scenes.shapes import paint
from ingest.sources.scenes.yard_script import yard_actors

TIMES_S = [11.5, 15.5, 24.0, 27.0, 30.5, 46.0, 60.0, 62.0, 64.3, 66.0, 75.0]


@pytest.mark.parametrize("t_s", TIMES_S)
def test_the_true_box_is_what_is_drawn(t_s: float) -> None:
    for actor in yard_actors(t_s):
        width, height = plan.VIEW.width, plan.VIEW.height
        box = actor.figure.box(width, height)
        pixels = np.full((height, width, 3), 255, np.uint8)
        paint(pixels, actor.figure.shapes)
        rows, columns = np.nonzero((pixels < 128).any(axis=2))
        if box is None:
            assert rows.size == 0
            continue
        drawn = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        true = (box[0] * width, box[1] * height, box[2] * width, box[3] * height)
        assert drawn == pytest.approx(true, abs=2.0), actor.object_id


def test_the_script_repeats() -> None:
    first, second = yard_actors(30.5), yard_actors(30.5 + plan.PERIOD_S)
    assert [actor.object_id for actor in first] == [actor.object_id for actor in second]
    assert np.array_equal(first[0].figure.shapes[0].points_N2, second[0].figure.shapes[0].points_N2)


def test_the_bag_is_where_it_was_put_down() -> None:
    def bag_bottom(t_s: float) -> float:
        by_id = {actor.object_id: actor.figure for actor in yard_actors(t_s)}
        shapes = by_id["bag"].shapes if "bag" in by_id else by_id["courier"].shapes[-7:]
        return float(np.vstack([shape.points_N2 for shape in shapes])[:, 1].max())

    assert bag_bottom(64.55) == pytest.approx(bag_bottom(64.65), abs=1.0)
    assert bag_bottom(64.65) == bag_bottom(79.9)


def test_nobody_jumps() -> None:
    """Between two pictures nobody moves further than anybody can."""
    previous: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = {}
    for index in range(round(plan.PERIOD_S * plan.FPS)):
        middles = {
            actor.object_id: np.vstack([s.points_N2 for s in actor.figure.shapes]).mean(axis=0)
            for actor in yard_actors(index / plan.FPS)
        }
        for object_id in middles.keys() & previous.keys():
            moved_px = np.abs(middles[object_id] - previous[object_id]).max()
            assert moved_px < 30.0, f"{object_id} at {index / plan.FPS} s"
        previous = middles
