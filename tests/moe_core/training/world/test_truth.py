"""What is true of scenes, told exactly."""

import numpy as np
import pytest

from contracts.geometry import Zone, standing_point
from moe_core.training.world.stories import make_scene
from moe_core.training.world.truth import Past, contains, true_objects

ZONE = Zone(zone_id="a", polygon=((0.2, 0.2), (0.8, 0.3), (0.6, 0.9), (0.3, 0.7)))


def test_many_points_lie_in_a_zone_as_single_ones_do() -> None:
    points_N2 = np.random.default_rng(1).uniform(0, 1, (500, 2))
    found = contains(ZONE, points_N2).tolist()
    assert found == [ZONE.contains((x, y)) for x, y in points_N2.tolist()]


def test_what_is_not_in_view_is_in_no_zone() -> None:
    assert not contains(ZONE, np.array([[np.nan, np.nan]])).any()


def test_true_objects_have_a_point_for_every_frame_in_view() -> None:
    scene = make_scene(3, site=1, family="normal")
    objects = true_objects(scene, run_id="run", start_s=0.0, end_s=100.0)
    rows = [row for row, actor in enumerate(scene.actors) if not actor.is_ghost]
    counted = [int(scene.in_view_AT[row].sum()) for row in rows if scene.in_view_AT[row].any()]
    assert [len(track.points) for track in objects] == counted


def test_feet_are_those_that_rules_test() -> None:
    scene = make_scene(3, site=1, family="normal")
    past = Past(scene=scene)
    row = next(row for row in range(len(scene.actors)) if scene.in_view_AT[row].any())
    frame = int(np.flatnonzero(scene.in_view_AT[row])[0])
    box = scene.boxes_AT4[row, frame].tolist()
    assert tuple(past.feet(row)[frame]) == pytest.approx(
        standing_point((box[0], box[1], box[2], box[3]))
    )
    assert np.isnan(past.feet(row)[~scene.in_view_AT[row]]).all()
