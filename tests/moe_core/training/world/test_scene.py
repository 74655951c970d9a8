"""Scenes: who is where, who hides whom."""

import numpy as np
import pytest

from moe_core.training.world.actors import Blind, Pose
from moe_core.training.world.scene import Scene, play
from moe_core.training.world.script import Light, Script
from moe_core.training.world.site import Site, make_site
from moe_core.training.world.stories import STORIES, make_scene


@pytest.fixture
def site() -> Site:
    return next(one for one in map(make_site, range(50)) if one.lost_share == 0)


def script(site: Site, *, seconds: float = 6.0) -> Script:
    return Script(rng=np.random.default_rng(3), site=site, seconds=seconds)


def played(written: Script) -> Scene:
    return play(written, seed=1, family="test", is_look_alike=False)


def test_the_same_seed_gives_the_same_scene() -> None:
    first, second = make_scene(11, site=4), make_scene(11, site=4)
    assert first.rules == second.rules
    assert np.array_equal(first.boxes_AT4, second.boxes_AT4)
    assert np.array_equal(first.times_T, second.times_T)


def test_another_seed_gives_another_scene() -> None:
    assert make_scene(11, site=4).rules != make_scene(12, site=4).rules


@pytest.mark.parametrize("family", list(STORIES))
def test_scenes_hold_nothing_but_boxes_in_the_picture(family: str) -> None:
    for seed in range(6):
        scene = make_scene(seed, site=seed, family=family, is_real=seed % 2 == 0)
        assert np.isfinite(scene.boxes_AT4).all()
        assert (scene.boxes_AT4 >= 0).all()
        assert (scene.boxes_AT4 <= 1).all()
        shown = scene.boxes_AT4[scene.in_view_AT]
        assert (shown[:, 2:] > shown[:, :2]).all()
        assert np.isfinite(scene.moving_T).all()
        assert (np.diff(scene.times_T) > 0).all()
        assert ((scene.hidden_AT >= 0) & (scene.hidden_AT <= 1)).all()


def test_a_wall_hides_the_feet_of_whoever_stands_behind_it(site: Site) -> None:
    written = script(site)
    z = site.near_m + 3
    written.add(written.walk((0.0, z)).wait(10), sway_m=0.0)
    written.blinds.append(Blind(x1_m=-2, x2_m=2, z_m=z - 0.5, tall_m=0.9))
    scene = played(written)
    assert 0.3 < scene.hidden_AT[0].mean() < 0.8
    assert (scene.seen_AT4[0, :, 3] < scene.boxes_AT4[0, :, 3] - 0.01).all()


def test_the_nearer_hides_the_farther_only(site: Site) -> None:
    written = script(site)
    z = site.near_m + 3
    for far in (z, z + 1.0):
        written.add(written.walk((0.0, far)).wait(10), sway_m=0.0)
    scene = played(written)
    assert scene.hidden_AT[0].max() == 0
    assert scene.hidden_AT[1].min() > 0.3


def test_a_ghost_hides_nobody(site: Site) -> None:
    written = script(site)
    z = site.near_m + 3
    written.add(written.walk((0.0, z)).wait(10), is_ghost=True)
    written.add(written.walk((0.0, z + 1)).wait(10))
    assert played(written).hidden_AT.max() == 0


def test_whoever_crouches_is_lower(site: Site) -> None:
    written = script(site)
    pose = Pose(start_s=2.0, end_s=4.0, height=0.5, width=1.3)
    written.add(written.walk((0.0, site.near_m + 4)).wait(10), poses=[pose], sway_m=0.0)
    scene = played(written)
    heights = scene.boxes_AT4[0, :, 3] - scene.boxes_AT4[0, :, 1]
    assert heights[16] < 0.7 * heights[0]
    assert heights[-1] == pytest.approx(heights[0], rel=1e-6)


def test_light_that_changes_is_told_for_a_second(site: Site) -> None:
    written = script(site)
    written.lights.append(Light(at_s=2.0, change=-0.4))
    light_T = played(written).light_T
    assert light_T[:10].max() < 0.05
    assert light_T[10:16].max() > 0.3
    assert light_T[20:].max() < 0.05
